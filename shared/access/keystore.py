"""Checks keys on every request, from a cache of 10 seconds, and for up to an hour without PostgreSQL."""

import asyncio
import hmac
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from shared.access.caller import Caller
from shared.access.hash_file import HashFile
from shared.access.records import KeyRecord
from shared.access.store import find_key, live_keys, record_use
from shared.access.token import parse_token
from shared.clock import Clock
from shared.db.engine import Database
from shared.errors import Unauthorized, Unavailable
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

FRESH = timedelta(seconds=10)
REFRESH_AHEAD = timedelta(seconds=5)
STALE = timedelta(hours=1)

PAUSE = timedelta(seconds=2)
LOOKUP_DEADLINE_S = 1.0
MAX_ENTRIES = 10_000
ASK_AGAIN = timedelta(seconds=1)
_NOBODY = bytes(32)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

T = TypeVar("T")
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    """The cached record of one key id, as PostgreSQL (or the file) had it at one moment; `record` is None for an id
    that does not exist."""

    record: KeyRecord | None
    caller: Caller | None
    at: datetime


class KeyStore:
    """The API keys as one process caches them. A revoked key stops working within 10 s while PostgreSQL is reachable.
    Without PostgreSQL, keys used in the last hour stay valid, and so do, at a cold start, the keys of the file if there
    is one; any other key is `Unavailable`, since calling it invalid would be a guess."""

    def __init__(self, database: Database, clock: Clock, *, hash_file: HashFile | None = None) -> None:
        self._database = database
        self._clock = clock
        self._file = hash_file
        self._entries: dict[str, _Entry] = {}
        self._verified: dict[bytes, _Entry] = {}
        self._lookups: dict[str, asyncio.Task[_Entry]] = {}
        self._used: dict[str, datetime] = {}
        self._away_until: datetime | None = None
        self._origins: frozenset[str] = frozenset()
        self._origins_at = _LONG_AGO

    async def authenticate(self, token: str) -> Caller:
        """The caller who holds this key.

        Raises `Unauthorized` for any key that is not valid now, never saying why, and `Unavailable` when that
        cannot be found out.
        """
        shown = parse_token(token)
        if shown is None:
            raise unauthorized()
        now = self._clock.now()
        entry = await self._entry(shown.key_id, now)
        record = entry.record
        secret_hash = _NOBODY
        if record is not None:
            secret_hash = record.secret_hash
        same = hmac.compare_digest(secret_hash, shown.digest())
        if record is None or entry.caller is None or not same:
            raise unauthorized()
        if record.publishable != shown.publishable or not record.live(now):
            raise unauthorized()
        self._used[record.id] = now
        return entry.caller

    def known(self, authorization: bytes, now: datetime) -> Caller | None:
        """The caller of an `Authorization` header if the cache holds a fresh entry for it; None leaves the check to
        `authenticate`, which asks the database and says what is wrong."""
        # Remembered under a hash of the whole header, so that no key lies in memory and its check is one look-up.
        digest = sha256(authorization).digest()
        entry = self._verified.get(digest)
        if entry is None:
            entry = self._verify(authorization, digest)
        if entry is None or entry.record is None or self._entries.get(entry.record.id) is not entry:
            self._verified.pop(digest, None)
            return None
        age = now - entry.at
        if age >= FRESH or not entry.record.live(now):
            return None
        if age >= REFRESH_AHEAD:
            self._refresh(entry.record.id, now)
        self._used[entry.record.id] = now
        return entry.caller

    def _verify(self, authorization: bytes, digest: bytes) -> _Entry | None:
        """The cached entry of a header that shows its key, remembered under the header's digest."""
        if not authorization.startswith(b"Bearer "):
            return None
        shown = parse_token(authorization.removeprefix(b"Bearer ").decode("latin-1"))
        if shown is None:
            return None
        entry = self._entries.get(shown.key_id)
        if entry is None or entry.record is None:
            return None
        same = hmac.compare_digest(entry.record.secret_hash, shown.digest())
        if not same or shown.publishable != entry.record.publishable:
            return None
        if len(self._verified) >= MAX_ENTRIES:
            self._verified.clear()
        self._verified[digest] = entry
        return entry

    async def warm(self) -> None:
        """Fill the cache at start: from PostgreSQL, else from the file."""
        now = self._clock.now()
        try:
            records = await _within_deadline(asyncio.create_task(self._live_keys(now)))
        except Unavailable:
            self._read_file(now)
            return
        for record in records:
            self._remember(record.id, record, now)
        self._save_file(records, now)

    def stop(self) -> None:
        """Cancel the look-ups that are on their way."""
        for lookup in self._lookups.values():
            lookup.cancel()

    async def flush(self) -> None:
        """Store when keys were last used, and renew the file. Raises `Unavailable` while PostgreSQL is away; the times
        are kept for the next flush."""
        used, self._used = self._used, {}
        now = self._clock.now()
        try:
            if used:
                async with self._database.write() as tx:
                    await record_use(tx, used)
            if self._file:
                self._save_file(await self._live_keys(now), now)
        except Unavailable:
            self._used = used | self._used
            raise

    async def lists_origin(self, origin: str) -> bool:
        """Whether a live publishable key names this origin. Preflight requests of browsers show no key, so they are
        checked against all of them. PostgreSQL is asked every 10 s, every second for an unknown origin; while it is
        away, the cached keys decide."""
        now = self._clock.now()
        fresh_for = ASK_AGAIN
        if origin in self._origins:
            fresh_for = FRESH
        if now - self._origins_at >= fresh_for and not self._pausing(now):
            self._origins_at = now
            try:
                records = await _within_deadline(asyncio.create_task(self._live_keys(now)))
            except Unavailable:
                self._away_until = now + PAUSE
            else:
                self._origins = frozenset(itertools.chain.from_iterable(record.origins for record in records))
        if origin in self._origins:
            return True
        for entry in self._entries.values():
            if entry.record is not None and entry.record.live(now) and origin in entry.record.origins:
                return True
        return False

    def forget(self, key_id: str) -> None:
        """Drop a key from this process's cache, so that a change made here takes effect at once."""
        self._entries.pop(key_id, None)
        self._origins_at = _LONG_AGO

    async def _entry(self, key_id: str, now: datetime) -> _Entry:
        entry = self._entries.get(key_id)
        age = STALE
        if entry is not None:
            age = now - entry.at
        if entry is not None and age < FRESH:
            if age > REFRESH_AHEAD:
                self._refresh(key_id, now)
            metrics.api_key_lookups_total.labels("cache").inc()
            return entry
        usable = None
        if entry is not None and entry.record is not None and age < STALE:
            usable = entry
        if usable is not None and self._away_until is not None:
            # Known to be away: nobody waits for the answer, which is asked for all the same.
            self._refresh(key_id, now)
            metrics.api_key_lookups_total.labels("stale").inc()
            return usable
        try:
            fresh = await self._ask(key_id, now)
        except Unavailable:
            if usable is not None:
                metrics.api_key_lookups_total.labels("stale").inc()
                return usable
            metrics.api_key_lookups_total.labels("unavailable").inc()
            raise Unavailable("keys_unavailable", "the key cannot be looked up now", retry_after=5) from None
        metrics.api_key_lookups_total.labels("database").inc()
        return fresh

    async def _ask(self, key_id: str, now: datetime) -> _Entry:
        """Ask PostgreSQL for a key, with one statement for all requests that wait for the same key. Raises
        `Unavailable`, without asking during the pause after a failure."""
        if self._pausing(now):
            raise Unavailable("database_unavailable")
        try:
            return await _within_deadline(self._lookup(key_id))
        except Unavailable:
            self._away_until = now + PAUSE
            raise

    def _refresh(self, key_id: str, now: datetime) -> None:
        if not self._pausing(now):
            self._lookup(key_id)

    def _pausing(self, now: datetime) -> bool:
        return self._away_until is not None and now < self._away_until

    def _lookup(self, key_id: str) -> asyncio.Task[_Entry]:
        lookup = self._lookups.get(key_id)
        if lookup is None:
            lookup = self._lookups[key_id] = asyncio.create_task(self._find(key_id))
            lookup.add_done_callback(lambda done: self._finished(key_id, done))
        return lookup

    def _finished(self, key_id: str, lookup: asyncio.Task[_Entry]) -> None:
        self._lookups.pop(key_id, None)
        if lookup.cancelled() or (error := lookup.exception()) is None:
            return
        if isinstance(error, Unavailable):
            self._away_until = self._clock.now() + PAUSE
        else:
            log.error("key_lookup_failed", exc_info=error)

    async def _find(self, key_id: str) -> _Entry:
        asked_at = self._clock.now()
        async with self._database.read() as tx:
            record = await find_key(tx, key_id)
        self._away_until = None
        return self._remember(key_id, record, asked_at)

    async def _live_keys(self, now: datetime) -> Sequence[KeyRecord]:
        async with self._database.read() as tx:
            return await live_keys(tx, now)

    def _remember(self, key_id: str, record: KeyRecord | None, at: datetime) -> _Entry:
        caller = None
        if record is not None:
            caller = record.caller()
        entry = _Entry(record, caller, at)
        self._entries.pop(key_id, None)
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.pop(next(iter(self._entries)))
        self._entries[key_id] = entry
        return entry

    def _read_file(self, now: datetime) -> None:
        self._away_until = now + PAUSE
        content = None
        if self._file is not None:
            content = self._file.load()
        if content is None or now - content[0] >= STALE:
            log.warning("keys_not_known_yet")
            return
        saved_at, records = content
        for record in records:
            self._remember(record.id, record, saved_at)
        log.warning("keys_read_from_file", keys=len(records))

    def _save_file(self, records: Sequence[KeyRecord], now: datetime) -> None:
        if self._file is None:
            return
        try:
            self._file.save(records, now)
        except OSError as error:
            log.warning("key_file_not_written", errno=error.errno)


async def _within_deadline(work: asyncio.Task[T]) -> T:
    """The result of `work`, which goes on in the background when the deadline passes.

    PostgreSQL may hang rather than refuse, and then even cancelling hangs; a request must not hang with it.
    """
    done, _ = await asyncio.wait({work}, timeout=LOOKUP_DEADLINE_S)
    if not done:
        raise Unavailable("database_unavailable")
    return work.result()


def unauthorized() -> Unauthorized:
    """The error for every missing or invalid key; it never says which of the two, nor why."""
    return Unauthorized("unauthorized", "a valid API key is needed, as Authorization: Bearer tb_...")
