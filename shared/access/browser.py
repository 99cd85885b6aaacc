"""Secrets that let a browser post: signatures made by the customer's server, and tokens to amend a response that the
browser has posted. Both are HMAC-SHA256. What a customer's server signs with is sealed in the row of its key, so that
it stays when the deployment's secret key changes; tokens are made under a key derived from that, and stored nowhere."""

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from shared.key_ring import secret_keys
from shared.vault import Unsealable, Vault

AMENDABLE_FOR = timedelta(hours=24)
SIGNING_PURPOSE = "tellback.access.signing"
"""What the vault of signing secrets is for; each belongs to the id of its key."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose posts are signed: the publishable key, and the account and person that the post is about."""

    key_id: str
    account_id: str
    person: str


@dataclass(frozen=True, slots=True)
class AmendGrant:
    """Who may amend which response, and until when. `posted` is the digest of the posted response: another client may
    have posted another response under the same response_id."""

    key_id: str
    response_id: str
    account_id: str
    stakeholder_id: str
    survey_type: str
    posted: str
    expires_at: datetime


class BrowserSecrets:
    """Makes and checks signatures and tokens under the deployment's ring: the first key makes, each is accepted."""

    def __init__(self, ring: tuple[str, ...]) -> None:
        self._secrets = tuple(secret.encode() for secret in secret_keys(ring))
        self._vault = Vault(ring, SIGNING_PURPOSE)

    def seal(self, key_id: str, signing_secret: str) -> bytes:
        """The signing secret of a publishable key as it is stored."""
        return self._vault.seal(signing_secret, key_id)

    def signed(self, shown: str, sealed: bytes | None, signer: Signer) -> bool:
        """Whether the signature is right under the stored secret; compared in constant time."""
        if sealed is None:
            return False
        try:
            secret = self._vault.open(sealed, signer.key_id)
        except Unsealable:
            return False
        return hmac.compare_digest(shown.encode(), signature(secret, signer.account_id, signer.person).encode())

    def amend_token(self, grant: AmendGrant) -> str:
        """The grant as a token: its content and a MAC, both URL-safe base64."""
        content = json.dumps(
            [
                grant.key_id,
                grant.response_id,
                grant.account_id,
                grant.stakeholder_id,
                grant.survey_type,
                grant.posted,
                int(grant.expires_at.timestamp()),
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        return f"{_text(content)}.{_text(self._macs(content)[0])}"

    def amend_grant(self, token: str, now: datetime) -> AmendGrant | None:
        """The grant of a token; None when the token was changed, has expired, or was not made here."""
        content, _, mac = token.partition(".")
        try:
            raw = _bytes(content)
            shown = _bytes(mac)
            if not any([hmac.compare_digest(shown, right) for right in self._macs(raw)]):
                return None
        except (ValueError, binascii.Error):
            return None
        key_id, response_id, account_id, stakeholder_id, survey_type, posted, until = json.loads(raw)
        expires_at = datetime.fromtimestamp(until, UTC)
        grant = AmendGrant(key_id, response_id, account_id, stakeholder_id, survey_type, posted, expires_at)
        if now >= grant.expires_at:
            return None
        return grant

    def _macs(self, content: bytes) -> list[bytes]:
        macs = []
        for secret in self._secrets:
            key = hmac.new(secret, b"tellback:browser:amend-token", sha256).digest()
            macs.append(hmac.new(key, content, sha256).digest())
        return macs


def new_signing_secret() -> str:
    """What a customer's server signs with: URL-safe base64 of 256 random bits."""
    return secrets.token_urlsafe(32)


def signature(signing_secret: str, account_id: str, person: str) -> str:
    """HMAC-SHA256 of `account_id`, a line feed and the person (stakeholder_id, else the address in lower case), in hex,
    keyed by the text of the signing secret."""
    return hmac.new(signing_secret.encode(), f"{account_id}\n{person}".encode(), sha256).hexdigest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
