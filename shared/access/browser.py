"""Secrets that let a browser post: signatures made by the customer's server, and tokens to amend a response that the
browser has posted. Both are HMAC-SHA256 under keys derived from the deployment's secrets, so none of them is stored."""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

AMENDABLE_FOR = timedelta(hours=24)


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
    """Makes and checks signatures and tokens. `secrets` are the deployment's: the first makes, each is accepted."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)

    def signing_secret(self, key_id: str) -> str:
        """The secret with which the customer's server signs for this key: URL-safe base64 of 256 bits."""
        return self._signing_secrets(key_id)[0]

    def signature(self, key_id: str, account_id: str, person: str) -> str:
        """HMAC-SHA256 of `account_id`, a line feed and the person (stakeholder_id, else the address in lower case),
        in hex, keyed by the text of the signing secret."""
        return _signature(self.signing_secret(key_id), account_id, person)

    def signed(self, shown: str, key_id: str, account_id: str, person: str) -> bool:
        """Whether the signature is right; compared in constant time."""
        right = [_signature(secret, account_id, person) for secret in self._signing_secrets(key_id)]
        return any([hmac.compare_digest(shown.encode(), signature.encode()) for signature in right])

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
        return [hmac.new(key, content, sha256).digest() for key in self._derived("amend-token")]

    def _signing_secrets(self, key_id: str) -> list[str]:
        return [_text(derived) for derived in self._derived(f"signature:{key_id}")]

    def _derived(self, purpose: str) -> list[bytes]:
        content = f"tellback:browser:{purpose}".encode()
        return [hmac.new(secret, content, sha256).digest() for secret in self._secrets]


def _signature(signing_secret: str, account_id: str, person: str) -> str:
    return hmac.new(signing_secret.encode(), f"{account_id}\n{person}".encode(), sha256).hexdigest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
