"""Limits of one request's size, and of the rate of a key's requests."""

from datetime import datetime

from shared.access.caller import Caller
from shared.clock import Clock
from shared.errors import TooMany

BODY_BYTES = 64 * 1024
"""The default of every call; a route that takes more says so with `max_body_size=`."""
BATCH_BYTES = 5 * 1024 * 1024
HEADER_BYTES = 16 * 1024
MAX_BUCKETS = 10_000
PUBLISHABLE_RATE = 60
"""Requests a minute and address for a publishable key without a rate limit of its own."""


class RateLimiter:
    """A token bucket in this process for each key that has a limit: a burst of one minute's requests is allowed. A
    publishable key always has a limit, and a bucket for each address, so that one browser cannot use up the requests of
    all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, datetime]] = {}

    def take(self, caller: Caller, address: str = "") -> None:
        """Count one request from a client's address. Raises `TooMany` with the seconds until the next one is free."""
        rate = caller.rate_limit
        if not rate and caller.publishable:
            rate = PUBLISHABLE_RATE
        if not rate:
            return
        name = (caller.key_id, "")
        if caller.publishable:
            name = (caller.key_id, address)
        now = self._clock.now()
        per_second = rate / 60
        tokens, at = self._buckets.pop(name, (float(rate), now))
        tokens = min(float(rate), tokens + (now - at).total_seconds() * per_second)
        if len(self._buckets) >= MAX_BUCKETS:
            self._buckets.pop(next(iter(self._buckets)))
        if tokens < 1:
            self._buckets[name] = (tokens, now)
            wait = int((1 - tokens) / per_second) + 1
            raise TooMany("rate_limited", "the key is over its rate limit", retry_after=wait)
        self._buckets[name] = (tokens - 1, now)
