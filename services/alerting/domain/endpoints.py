"""What an endpoint may ask for: which custom headers it may add, and how its health is told from its
attempts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.alerting.domain.retry import Failure, Outcome

MAX_HEADERS = 20
MAX_HEADER_NAME = 100
MAX_HEADER_BYTES = 4096
SUCCESS_STEP = timedelta(seconds=1)
"""How exactly the last success of an endpoint is kept: one write a second is enough under load."""
_OUR_OWN = (Failure.INTERRUPTED, Failure.INTERNAL, Failure.LOST, Failure.SEALED)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?\Z")
_FORBIDDEN = frozenset(
    (
        "accept-encoding",
        "connection",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "metadata",
        "metadata-flavor",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
    )
)
# Those of the message itself, of proxies, and of the clouds, whose metadata services trust them.
_FORBIDDEN_PREFIXES = (
    "ce-",
    "content-",
    "proxy-",
    "tellback-",
    "webhook-",
    "x-alibaba-",
    "x-amz-",
    "x-amzn-",
    "x-aws-",
    "x-azure-",
    "x-gcp-",
    "x-goog-",
    "x-google-",
    "x-metadata-",
    "x-ms-",
    "x-oci-",
)


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise ValueError, which never repeats a value, unless every custom header may be sent.

    Names are HTTP tokens, differ in more than case and are not those that the delivery itself, a proxy or a
    cloud's metadata service uses; values are 1 to 4,096 printable ASCII characters.
    """
    if len(headers) > MAX_HEADERS:
        raise ValueError(f"at most {MAX_HEADERS} headers")
    if len({name.lower() for name in headers}) != len(headers):
        raise ValueError("two names differ only in case")
    for name, value in headers.items():
        if len(name) > MAX_HEADER_NAME or not _NAME.match(name):
            raise ValueError("a name is not an HTTP token")
        lowered = name.lower()
        if lowered in _FORBIDDEN or lowered.startswith(_FORBIDDEN_PREFIXES):
            raise ValueError("a name is reserved")
        if len(value) > MAX_HEADER_BYTES or not _VALUE.match(value):
            raise ValueError(f"a value is not 1 to {MAX_HEADER_BYTES} printable ASCII characters")


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has fared: `first_failure_at` is since when it has only failed; any success clears
    it."""

    consecutive_failures: int = 0
    first_failure_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_success_at: datetime | None = None


def after_attempts(health: Health, outcomes: Iterable[Outcome], at: datetime) -> Health:
    """The health after these attempts, in the order they ended. What we stopped ourselves says nothing."""
    for outcome in outcomes:
        if outcome.failure is None:
            health = Health(last_failure_at=health.last_failure_at, last_success_at=at)
        elif outcome.failure not in _OUR_OWN:
            health = Health(
                consecutive_failures=health.consecutive_failures + 1,
                first_failure_at=health.first_failure_at or at,
                last_failure_at=at,
                last_success_at=health.last_success_at,
            )
    return health


def worth_noting(before: Health, after: Health) -> bool:
    """Whether the change is worth a write: any but another success within a second."""
    if replace(before, last_success_at=None) != replace(after, last_success_at=None):
        return True
    if after.last_success_at is None or before.last_success_at is None:
        return after.last_success_at != before.last_success_at
    return after.last_success_at - before.last_success_at >= SUCCESS_STEP
