"""Tokens: nobody makes one, none is good for two purposes, and a change of keys loses none."""

import base64
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.mail_names import KINDS, MailName
from services.outreach.domain.tokens import TOKEN_LENGTH, Opened, Purpose, Tokens

OLD, NEW, FOREIGN = "o" * 32, "n" * 32, "f" * 32
TOKENS = Tokens([NEW])
ASK = UUID("0b7f3f4e-52a7-4c7e-9a39-5a0a4d3a1e11").bytes
MAIL = MailName(UUID(bytes=ASK), "invite", 1)
SUBJECTS = st.binary(min_size=16, max_size=16)
PURPOSES = st.sampled_from(Purpose)
URL_SAFE = string.ascii_letters + string.digits + "-_"


@given(subject=SUBJECTS, purpose=PURPOSES)
def test_a_token_gives_back_what_it_carries(subject: bytes, purpose: Purpose) -> None:
    token = TOKENS.made(purpose, subject)
    assert len(token) == TOKEN_LENGTH
    assert set(token) <= set(URL_SAFE)
    opened = TOKENS.opened(purpose, token)
    assert opened is not None
    assert opened.subject == subject


@given(subject=SUBJECTS, made_for=PURPOSES, used_for=PURPOSES)
def test_a_token_is_good_for_one_purpose(subject: bytes, made_for: Purpose, used_for: Purpose) -> None:
    opened = TOKENS.opened(used_for, TOKENS.made(made_for, subject))
    assert (opened is not None) == (made_for is used_for)


@given(subject=SUBJECTS, made_for=PURPOSES, used_for=PURPOSES)
def test_the_purpose_cannot_be_written_over(subject: bytes, made_for: Purpose, used_for: Purpose) -> None:
    raw = bytearray(base64.urlsafe_b64decode(TOKENS.made(made_for, subject)))
    raw[16:17] = used_for.value
    opened = TOKENS.opened(used_for, base64.urlsafe_b64encode(bytes(raw)).decode())
    assert (opened is not None) == (made_for is used_for)


@given(place=st.integers(0, TOKEN_LENGTH - 1), sign=st.sampled_from(URL_SAFE))
def test_a_token_of_which_one_character_was_changed_is_unknown(place: int, sign: str) -> None:
    token = TOKENS.made(Purpose.ASK, ASK)
    changed = token[:place] + sign + token[place + 1 :]
    assert (TOKENS.opened(Purpose.ASK, changed) is not None) == (changed == token)


@pytest.mark.parametrize(
    "text", ["", "x", "a" * 43, "a" * 45, "a" * 43 + "=", "a" * 43 + "+", "a" * 43 + "/", "ä" * 44, "a" * 43 + "\n"]
)
def test_what_cannot_be_a_token_is_unknown(text: str) -> None:
    assert TOKENS.opened(Purpose.ASK, text) is None


@given(text=st.text(URL_SAFE, min_size=44, max_size=44), purpose=PURPOSES)
def test_a_guess_is_unknown(text: str, purpose: Purpose) -> None:
    assert TOKENS.opened(purpose, text) is None


def test_a_token_holds_after_the_key_was_changed_as_long_as_the_old_key_is_in_the_ring() -> None:
    before = Tokens([OLD])
    token = before.made(Purpose.ASK, ASK)
    after = Tokens([NEW, OLD])
    assert after.opened(Purpose.ASK, token) == before.opened(Purpose.ASK, token)
    assert after.made(Purpose.ASK, ASK) == TOKENS.made(Purpose.ASK, ASK) != token
    assert TOKENS.opened(Purpose.ASK, token) is None
    assert Tokens([FOREIGN]).opened(Purpose.ASK, token) is None


@pytest.mark.parametrize("subject", [b"", b"short", bytes(17)])
def test_a_token_carries_sixteen_bytes(subject: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        TOKENS.made(Purpose.ASK, subject)


def test_a_ring_needs_a_key() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Tokens([])


@given(ask_id=st.uuids(), kind=st.sampled_from(KINDS), number=st.integers(1, 255))
def test_a_bounce_comes_back_to_its_mail_in_whatever_case(ask_id: UUID, kind: str, number: int) -> None:
    mail = MailName(ask_id, kind, number)
    local_part = TOKENS.bounce_local_part(mail)
    assert len(local_part) == 47
    assert local_part == local_part.lower()
    assert TOKENS.bounced(local_part) == TOKENS.bounced(local_part.upper()) == mail


@given(place=st.integers(2, 46), sign=st.sampled_from(string.ascii_lowercase + "234567"))
def test_a_bounce_to_a_changed_address_is_unknown(place: int, sign: str) -> None:
    local_part = TOKENS.bounce_local_part(MAIL)
    changed = local_part[:place] + sign + local_part[place + 1 :]
    assert (TOKENS.bounced(changed) is not None) == (changed == local_part)


@pytest.mark.parametrize(
    "text", ["", "b+", "b+" + "a" * 44, "c+" + "a" * 45, "b+" + "1" * 45, "bounces", "b+" + "ä" * 45]
)
def test_what_is_no_address_of_a_bounce_is_unknown(text: str) -> None:
    assert TOKENS.bounced(text) is None


def test_a_bounce_to_an_address_of_the_old_key_is_known() -> None:
    local_part = Tokens([OLD]).bounce_local_part(MAIL)
    assert Tokens([NEW, OLD]).bounced(local_part) == MAIL
    assert TOKENS.bounced(local_part) is None


def test_an_address_has_one_hash_however_it_is_written() -> None:
    hashes = {TOKENS.address_hash(text) for text in ("Ann@ACME.example", " ann@acme.example ", "ann@Acme.Example")}
    assert len(hashes) == 1
    assert TOKENS.address_hash("ann+news@acme.example") not in hashes
    assert len(hashes.pop().digest) == 16


def test_a_hash_is_looked_for_under_each_key() -> None:
    stored = Tokens([OLD]).address_hash("ann@acme.example")
    ring = Tokens([NEW, OLD])
    assert ring.address_hashes("ann@acme.example") == (TOKENS.address_hash("ann@acme.example"), stored)
    assert ring.address_hash("ann@acme.example") != stored


def test_who_unsubscribes_is_known_by_the_hash_in_the_token() -> None:
    known = TOKENS.address_hash("ann@acme.example")
    token = TOKENS.made(Purpose.UNSUBSCRIBE, known.digest)
    assert Tokens([FOREIGN, NEW]).opened(Purpose.UNSUBSCRIBE, token) == Opened(known.digest, known.key_id)


def test_the_id_of_a_key_says_nothing_of_it() -> None:
    assert TOKENS.address_hash("ann@acme.example").key_id not in NEW
    assert len(TOKENS.address_hash("ann@acme.example").key_id) == 16


def test_the_hash_of_an_old_key_is_brought_back_by_that_key() -> None:
    """Else the objection would be stored as if it were a hash under the new key, and the old one taken out in error."""
    old = Tokens([OLD]).address_hash("ann@acme.example")
    ring = Tokens([NEW, OLD])
    token = ring.made(Purpose.UNSUBSCRIBE, old.digest, old.key_id)
    assert ring.opened(Purpose.UNSUBSCRIBE, token) == Opened(old.digest, old.key_id)
    gone = TOKENS.made(Purpose.UNSUBSCRIBE, old.digest, old.key_id)
    assert TOKENS.opened(Purpose.UNSUBSCRIBE, gone) == Opened(old.digest, TOKENS.key_ids[0])
