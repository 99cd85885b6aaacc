"""What a browser may do is signed by the newest key of the deployment, and known under each."""

from datetime import UTC, datetime, timedelta

from shared.access.browser import AmendGrant, BrowserSecrets

OLD, NEW = "Zk3v9x0A1b2C3d4E5f6G7h8I9j0K1l2M3", "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"
NOW = datetime(2026, 3, 3, tzinfo=UTC)
GRANT = AmendGrant("key", "r1", "acme", "ann", "nps", "digest", NOW + timedelta(hours=1))
PERSON = ("key", "acme", "ann")


def test_what_the_old_key_signed_holds_as_long_as_it_is_in_the_ring() -> None:
    before, both, after = BrowserSecrets((OLD,)), BrowserSecrets((NEW, OLD)), BrowserSecrets((NEW,))
    signature, token = before.signature(*PERSON), before.amend_token(GRANT)
    assert both.signed(signature, *PERSON)
    assert both.amend_grant(token, NOW) == GRANT
    assert not after.signed(signature, *PERSON)
    assert after.amend_grant(token, NOW) is None


def test_the_newest_key_signs() -> None:
    both, after = BrowserSecrets((NEW, OLD)), BrowserSecrets((NEW,))
    assert both.signing_secret("key") == after.signing_secret("key")
    assert after.signed(both.signature(*PERSON), *PERSON)
    assert after.amend_grant(both.amend_token(GRANT), NOW) == GRANT
