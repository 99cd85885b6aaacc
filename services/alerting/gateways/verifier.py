"""Checks what a CRM sends back: signed by Standard Webhooks with a secret of its endpoint, and fresh."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook

TOLERANCE = timedelta(minutes=5)
MAX_SIGNATURES = 20
_ID = re.compile(r"[!-~]{1,200}\Z")
_SECONDS = re.compile(r"[0-9]{1,12}\Z")


@dataclass(frozen=True, slots=True)
class Signed:
    """The three headers of a message, as they came."""

    message_id: str
    timestamp: str
    signature: str


def is_genuine(signed: Signed, body: bytes, secrets: Sequence[str], now: datetime) -> bool:
    """Whether one of the secrets signed these very bytes, at most five minutes from now either way."""
    at = _moment(signed.timestamp)
    if at is None or abs(now - at) > TOLERANCE or not _ID.match(signed.message_id):
        return False
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    shown = [item.encode() for item in signed.signature.split(" ")[:MAX_SIGNATURES]]
    expected = [Webhook(secret).sign(signed.message_id, at, text).encode() for secret in secrets]
    # Every pair is compared, so that the time taken says nothing.
    return any([hmac.compare_digest(given, signature) for given in shown for signature in expected])


def _moment(text: str) -> datetime | None:
    if not _SECONDS.match(text):
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (OverflowError, ValueError, OSError):
        return None
