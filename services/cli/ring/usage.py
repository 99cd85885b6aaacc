"""What stands under which key, and what keeps an older one from being retired."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.cli.ring.sealed import HASHED, SEALED, Hashed, Sealed
from shared.access import store
from shared.access.browser import AMENDABLE_FOR
from shared.db.transaction import ReadTx
from shared.key_ring import is_retired, key_id, retired, secret_keys

LINKS_LIVE = timedelta(days=45)
"""The longest that a link to a survey or a review takes answers, and that the link to stop mails has to work."""
# Mails carry links from the moment that they leave; links that are handed out from the moment that they are made.
_LINKS = """
    select (
        select count(*) from outreach.asks where origin <> 'test' and (
            (origin in ('link', 'review') and created_at between :since and :until)
            or sent_at between :since and :until or reminded_at between :since and :until)
    ) + (
        select count(*) from outreach.notices where kind = 'loop_back' and data_started_at between :since and :until
    )
"""
_BROWSERS = "select count(*) from access.api_keys where publishable and revoked_at is null and created_at <= :until"


@dataclass(frozen=True, slots=True)
class Use:
    """How many things of a kind stand under a key; `hashed` ones stay when it is retired."""

    key_id: str
    kind: str
    count: int
    hashed: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """What stands under each key of a ring, or under one that is not in it. `sealing_since`: since when the newest key
    has made everything that is new, None before the first `rotate` under it. `signed`: what older keys may have signed
    that still holds, as sentences."""

    ring: tuple[str, ...]
    uses: Sequence[Use]
    sealing_since: datetime | None
    signed: Sequence[str]

    def of(self, known: str) -> list[Use]:
        """What stands under the key with this id."""
        return [use for use in self.uses if use.key_id == known]

    def sealed_by(self, known: str) -> list[Use]:
        """What is sealed with the key with this id."""
        return [use for use in self.of(known) if not use.hashed]

    def lost(self) -> list[Use]:
        """What stands under keys that are not in the ring; retired ones open nothing."""
        hashing = {key_id(entry) for entry in self.ring}
        opening = {key_id(entry) for entry in self.ring if not is_retired(entry)}
        found = []
        for use in self.uses:
            known = opening
            if use.hashed:
                known = hashing
            if use.key_id not in known:
                found.append(use)
        return found

    @property
    def older(self) -> list[str]:
        """The entries that are keys and not the newest."""
        return list(secret_keys(self.ring[1:]))

    def still_sealed(self) -> list[Use]:
        """What older keys have sealed."""
        found = []
        for entry in self.older:
            found += self.sealed_by(key_id(entry))
        return found

    def retired_ring(self) -> tuple[str, ...]:
        """The ring without what nothing needs: the newest key, and the hash keys under which something stands."""
        entries = [self.ring[0]]
        for entry in self.ring[1:]:
            if self.of(key_id(entry)):
                entries.append(retired(entry))
        return tuple(entries)

    def useless(self) -> list[str]:
        """The entries that may be retired or left out now."""
        found = []
        for entry in self.ring[1:]:
            uses = self.of(key_id(entry))
            if not is_retired(entry):
                uses = self.sealed_by(key_id(entry))
                if self.signed or self.sealing_since is None:
                    continue
            if not uses:
                found.append(entry)
        return found


async def usage_of(tx: ReadTx, ring: tuple[str, ...], now: datetime) -> Usage:
    """What stands under each key. Schemas that are not there have nothing."""
    uses: list[Use] = []
    for kept in (*SEALED, *HASHED):
        if await tx.has_table(kept.table):
            uses += await _counted(tx, kept)
    since = None
    if await tx.has_table("access.secret_keys"):
        since = await store.sealing_since(tx, key_id(ring[0]))
    signed: list[str] = []
    if since is not None:
        signed = await _signed(tx, since, now)
    return Usage(ring, uses, since, signed)


async def _counted(tx: ReadTx, kept: Sealed | Hashed) -> Iterable[Use]:
    rows = await tx.rows(
        f"select coalesce({kept.key_id}, ''), count(*) from {kept.table} where {kept.there} group by 1 order by 1"
    )
    return [Use(known, kept.kind, count, isinstance(kept, Hashed)) for known, count in rows]


async def _signed(tx: ReadTx, since: datetime, now: datetime) -> list[str]:
    found = []
    if await tx.has_table("outreach.notices"):
        links = await tx.scalar(_LINKS, since=now - LINKS_LIVE, until=since)
        if links:
            found.append(f"{links} mails and links until {since:%F %H:%M} UTC: they work until {since + LINKS_LIVE:%F}")
    browsers = await tx.scalar(_BROWSERS, until=since)
    if browsers and now < since + AMENDABLE_FOR:
        until = since + AMENDABLE_FOR
        found.append(f"tokens with which browsers change their answers: they hold until {until:%F %H:%M} UTC")
    return found
