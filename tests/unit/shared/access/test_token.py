"""The printed form of a key."""

import hashlib
import re

import pytest

from shared.access.caller import SCOPES, Caller
from shared.access.token import Token, new_token, parse_token
from shared.errors import Forbidden


def test_a_new_key_has_the_promised_form_and_is_read_back() -> None:
    printed = new_token().printed()
    assert re.fullmatch(r"tb_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", printed)
    token = parse_token(printed)
    assert token is not None
    assert token.printed() == printed
    assert token.digest() == hashlib.sha256(printed[16:].encode()).digest()


def test_keys_do_not_repeat() -> None:
    assert len({new_token().printed() for _ in range(1000)}) == 1000


def test_a_publishable_key_begins_with_pk() -> None:
    token = new_token(publishable=True)
    assert token.printed().startswith("pk_")
    assert parse_token(token.printed()) == token


GOOD = Token("k7m2p9q4x1z8", "s" * 43).printed()


@pytest.mark.parametrize(
    "text",
    ["", "tb_", GOOD[:-1], GOOD + "a", " " + GOOD, GOOD + "\n", GOOD.replace("tb_", "TB_"), "xx" + GOOD[2:],
     "tb_ABCDEFGHIJKL_" + GOOD[16:], GOOD[:16] + "=" * 43, GOOD[:16] + "é" * 43],
)  # fmt: skip
def test_other_forms_are_no_keys(text: str) -> None:
    assert parse_token(text) is None


def test_the_secret_is_not_in_the_repr() -> None:
    token = new_token()
    assert token.secret not in repr(token)
    assert isinstance(token, Token)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_caller_may_do_what_its_scopes_say(scope: str) -> None:
    Caller("k", frozenset({scope})).require(scope)  # type: ignore[arg-type]
    with pytest.raises(Forbidden) as caught:
        Caller("k", frozenset(SCOPES) - {scope}).require(scope)  # type: ignore[arg-type]
    assert caught.value.code == "missing_scope"
