"""What a browser may do: signatures under the stored secret of its key, tokens under the deployment's newest key."""

from datetime import UTC, datetime, timedelta

from shared.access.browser import AmendGrant, BrowserSecrets, Signer, new_signing_secret, signature
from shared.key_ring import retired

OLD, NEW = "Zk3v9x0A1b2C3d4E5f6G7h8I9j0K1l2M3", "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"
NOW = datetime(2026, 3, 3, tzinfo=UTC)
GRANT = AmendGrant("key", "r1", "acme", "ann", "nps", "digest", NOW + timedelta(hours=1))
ANN = Signer("key", "acme", "ann")


def test_a_signature_holds_as_long_as_the_key_that_sealed_its_secret_is_in_the_ring() -> None:
    before, both, after = BrowserSecrets((OLD,)), BrowserSecrets((NEW, OLD)), BrowserSecrets((NEW, retired(OLD)))
    secret = new_signing_secret()
    sealed = before.seal("key", secret)
    shown = signature(secret, "acme", "ann")
    assert both.signed(shown, sealed, ANN)
    assert not after.signed(shown, sealed, ANN)
    assert after.signed(shown, both.seal("key", secret), ANN)


def test_a_signature_is_for_one_key_one_account_and_one_person() -> None:
    secrets, secret = BrowserSecrets((NEW,)), new_signing_secret()
    sealed, shown = secrets.seal("key", secret), signature(secret, "acme", "ann")
    for other in (Signer("other", "acme", "ann"), Signer("key", "globex", "ann"), Signer("key", "acme", "ben")):
        assert not secrets.signed(shown, sealed, other)
    assert not secrets.signed(shown, None, ANN)


def test_a_token_of_the_old_key_holds_until_the_key_is_retired_and_the_newest_makes_new_ones() -> None:
    before, both, after = BrowserSecrets((OLD,)), BrowserSecrets((NEW, OLD)), BrowserSecrets((NEW, retired(OLD)))
    token = before.amend_token(GRANT)
    assert both.amend_grant(token, NOW) == GRANT
    assert after.amend_grant(token, NOW) is None
    assert after.amend_grant(both.amend_token(GRANT), NOW) == GRANT
