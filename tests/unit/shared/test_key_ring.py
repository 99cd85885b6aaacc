"""The ring of secret keys: what an entry is, and what is left of a key that was retired."""

import pytest

from services.outreach.domain.tokens import Purpose, Tokens
from shared.erasure import key_id_of, subject_by
from shared.key_ring import fault_of, hash_key, is_retired, key_id, retired, secret_keys, split_ring

OLD, NEW = "Zk3v9x0A1b2C3d4E5f6G7h8I9j0K1l2M3", "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"


def test_a_retired_key_keeps_its_id_and_its_hashes_and_is_not_the_key() -> None:
    left = retired(OLD)
    assert is_retired(left)
    assert OLD not in left
    assert key_id(left) == key_id(OLD) != key_id(NEW)
    assert hash_key(left) == hash_key(OLD)
    assert retired(left) == left
    assert secret_keys((NEW, left)) == (NEW,)


def test_erased_people_and_addresses_are_recognised_by_what_is_left_of_a_key() -> None:
    erased = subject_by(OLD)("acme", "ann")
    assert subject_by(retired(OLD))("acme", "ann") == erased
    assert key_id_of(erased) == key_id(OLD)
    hashed = Tokens([OLD]).address_hash("ann@acme.example")
    assert hashed in Tokens([NEW, retired(OLD)]).address_hashes("ann@acme.example")


def test_what_is_left_of_a_key_signs_nothing() -> None:
    token = Tokens([OLD]).made(Purpose.ASK, bytes(16))
    assert Tokens([NEW, retired(OLD)]).opened(Purpose.ASK, token) is None
    with pytest.raises(ValueError, match="at least one key"):
        Tokens([retired(OLD)])


@pytest.mark.parametrize(
    ("ring", "fault"),
    [
        ((), "must name a key"),
        ((OLD, NEW, OLD), "key 3 is key 1 once more: leave each in once"),
        ((NEW, OLD, retired(OLD)), "key 3 is key 2 once more: leave each in once"),
        ((retired(OLD), NEW), "key 1 is retired: the newest key stands first"),
        ((NEW, "retired:abc"), "key 2 must be whole after `retired:`"),
        ((NEW, retired(OLD)[:-1] + "!"), "key 2 must be whole after `retired:`"),
        ((NEW, OLD), None),
        ((NEW, retired(OLD)), None),
    ],
)
def test_a_ring_that_cannot_be_used_is_named_in_a_sentence(ring: tuple[str, ...], fault: str | None) -> None:
    assert fault_of(ring) == fault


def test_entries_stand_apart_by_commas_or_white_space() -> None:
    assert split_ring(f" {NEW},\n{retired(OLD)} ") == (NEW, retired(OLD))
