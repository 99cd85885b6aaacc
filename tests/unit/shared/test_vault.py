"""Encryption at rest: what can open a sealed secret."""

import pytest

from shared.key_ring import key_id, retired
from shared.vault import Unsealable, Vault

KEY, OTHER_KEY = "k" * 40, "o" * 40
PURPOSE = "tellback.test"


def test_what_was_sealed_opens_again() -> None:
    sealed = Vault((KEY,), PURPOSE).seal("whsec_é", "ep_1")
    assert Vault((KEY,), PURPOSE).open(sealed, "ep_1") == "whsec_é"
    assert b"whsec" not in sealed


def test_the_same_text_is_sealed_differently_each_time() -> None:
    vault = Vault((KEY,), PURPOSE)
    assert vault.seal("x", "a") != vault.seal("x", "a")


def test_nothing_else_opens_it() -> None:
    sealed = Vault((KEY,), PURPOSE).seal("x", "ep_1")
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for vault, given, owner in (
        (Vault((OTHER_KEY,), PURPOSE), sealed, "ep_1"),
        (Vault((KEY,), "tellback.other"), sealed, "ep_1"),
        (Vault((KEY,), PURPOSE), sealed, "ep_2"),
        (Vault((KEY,), PURPOSE), flipped, "ep_1"),
        (Vault((KEY,), PURPOSE), b"\x01" + sealed[1:], "ep_1"),
        (Vault((KEY,), PURPOSE), b"", "ep_1"),
    ):
        with pytest.raises(Unsealable):
            vault.open(given, owner)


def test_what_was_sealed_with_an_old_key_opens_as_long_as_it_is_in_the_ring() -> None:
    before, both, after = Vault((OTHER_KEY,), PURPOSE), Vault((KEY, OTHER_KEY), PURPOSE), Vault((KEY,), PURPOSE)
    assert both.open(before.seal("x", "ep_1"), "ep_1") == "x"
    assert after.open(both.seal("x", "ep_1"), "ep_1") == "x"
    with pytest.raises(Unsealable):
        after.open(before.seal("x", "ep_1"), "ep_1")


def test_what_is_sealed_names_its_key_and_a_retired_key_opens_nothing() -> None:
    sealed = Vault((KEY, OTHER_KEY), PURPOSE).seal("x", "ep_1")
    assert sealed[1:9].hex() == key_id(KEY)
    with pytest.raises(Unsealable):
        Vault((OTHER_KEY, retired(KEY)), PURPOSE).open(sealed, "ep_1")
