"""How one request to an address of a user's ended, and what its answer asks for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import ceil

LONGEST_REST_S = 60 * 86_400.0
"""The most that a receiver's Retry-After is read as: no schedule obeys a longer one."""
_DELTA_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?\Z")


class Failure(StrEnum):
    """Why an attempt failed, as far as it is told to the user."""

    DNS = "dns"
    CONNECT = "connect"
    PROXY = "proxy"
    """The company's proxy is away, breaks off, or does not let us through."""
    TLS = "tls"
    BLOCKED = "blocked"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    HTTP_1XX = "http_1xx"
    HTTP_3XX = "http_3xx"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    LOST = "lost"
    """The process that made the attempt died before it could say how it ended."""
    INTERRUPTED = "interrupted"
    """The service was stopped during the attempt."""
    INTERNAL = "internal"
    """A fault of ours; the log has it."""
    SEALED = "sealed"
    """The endpoint's secrets cannot be read with this deployment's secret key."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. `failure` is None exactly when the receiver answered 2xx; `retry_after` is
    seconds."""

    failure: Failure | None
    status_code: int | None = None
    duration_ms: int = 0
    response_text: str = ""
    response_truncated: bool = False
    retry_after: float | None = None


def failure_of_status(status_code: int) -> Failure | None:
    """The class of an HTTP status; only 2xx is success."""
    if 200 <= status_code < 300:
        return None
    classes = {1: Failure.HTTP_1XX, 3: Failure.HTTP_3XX, 4: Failure.HTTP_4XX}
    return classes.get(status_code // 100, Failure.HTTP_5XX)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The Retry-After header in whole seconds, rounded up, at most `LONGEST_REST_S`: a number, also with decimals, or
    an HTTP date; None when absent, malformed or past."""
    if value is None:
        return None
    value = value.strip()
    if _DELTA_SECONDS.match(value):
        return _rest_of(float(value))
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return _rest_of(seconds) if seconds > 0 else None


def _rest_of(seconds: float) -> float:
    """Never sooner than asked, and finite however many digits were sent."""
    return float(ceil(min(seconds, LONGEST_REST_S)))
