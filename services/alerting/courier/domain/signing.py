"""The secrets that sign webhooks: what a good one is, how it is rotated, how long an old one still signs."""

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PREFIX = "whsec_"
KEY_BYTES = 32
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64
MAX_OLD_SECRETS = 10
DEFAULT_GRACE = timedelta(hours=24)
MAX_GRACE = timedelta(days=7)
_ASYMMETRIC = ("whsk_", "whpk_")


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of an endpoint. `expires_at` is None for the current one, else the end of its grace."""

    value: str
    created_at: datetime
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Secret(created_at={self.created_at!r}, expires_at={self.expires_at!r})"


class TooManySecrets(Exception):
    """As many old secrets as allowed still sign; `next_expiry` says when the first of them ends."""

    def __init__(self, next_expiry: datetime) -> None:
        super().__init__(f"{MAX_OLD_SECRETS} old secrets are still live")
        self.next_expiry = next_expiry


def new_secret() -> str:
    """A fresh secret: `whsec_` and the base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def checked_secret(text: str) -> str:
    """An imported secret in its canonical (padded) form.

    Raises ValueError, which never repeats the secret, unless it is `whsec_` and standard base64 of 24 to 64
    bytes.
    """
    if text.startswith(_ASYMMETRIC):
        raise ValueError("asymmetric secrets (v1a) are not supported; give one that begins with whsec_")
    if not text.startswith(PREFIX):
        raise ValueError("must begin with whsec_")
    encoded = text.removeprefix(PREFIX)
    padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
    try:
        key = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be standard base64 after whsec_") from None
    if encoded not in (padded, padded.rstrip("=")) or base64.b64encode(key).decode() != padded:
        raise ValueError("must be standard base64 after whsec_")
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise ValueError(f"must hold {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes")
    return PREFIX + padded


def live(held: Sequence[Secret], now: datetime) -> list[Secret]:
    """The secrets that sign at `now`, newest first."""
    alive = [secret for secret in held if secret.expires_at is None or secret.expires_at > now]
    return sorted(alive, key=lambda secret: secret.created_at, reverse=True)


def rotated(held: Sequence[Secret], value: str, now: datetime, grace: timedelta) -> list[Secret]:
    """The live secrets after `value` has become the current one, newest first.

    The one before it signs for `grace` more (not at all when zero). A secret that is still live and comes
    back is current again, and not kept twice. Raises `TooManySecrets` when the rotation would leave more than
    ten old ones.
    """
    replaced = [secret for secret in live(held, now) if secret.value != value]
    old = [secret for secret in replaced if secret.expires_at is not None]
    retired = [Secret(secret.value, secret.created_at, now + grace) for secret in replaced if secret.expires_at is None]
    if grace > timedelta(0):
        if len(old) + len(retired) > MAX_OLD_SECRETS:
            raise TooManySecrets(min(secret.expires_at for secret in old if secret.expires_at is not None))
        old = [*retired, *old]
    return [Secret(value, now), *old]
