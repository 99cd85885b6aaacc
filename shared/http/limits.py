"""How much one request may be, and how many a key may make."""

from datetime import datetime

from shared.access.caller import Caller
from shared.clock import Clock
from shared.errors import TooMany

BODY_BYTES = 64 * 1024
"""The default of every call; a route that takes more says so with `max_body_size=`."""
BATCH_BYTES = 5 * 1024 * 1024
HEADER_BYTES = 16 * 1024
MAX_BUCKETS = 10_000


class RateLimiter:
    """A token bucket for each key that has a limit, in this process: a minute's worth may come at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, datetime]] = {}

    def take(self, caller: Caller) -> None:
        """Count one request. Raises `TooMany` with the seconds until the next one is free."""
        if caller.rate_limit is None:
            return
        now = self._clock.now()
        per_second = caller.rate_limit / 60
        tokens, at = self._buckets.pop(caller.key_id, (float(caller.rate_limit), now))
        tokens = min(float(caller.rate_limit), tokens + (now - at).total_seconds() * per_second)
        if len(self._buckets) >= MAX_BUCKETS:
            self._buckets.pop(next(iter(self._buckets)))
        if tokens < 1:
            self._buckets[caller.key_id] = (tokens, now)
            wait = int((1 - tokens) / per_second) + 1
            raise TooMany("rate_limited", "the key is over its rate limit", retry_after=wait)
        self._buckets[caller.key_id] = (tokens - 1, now)
