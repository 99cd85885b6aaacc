"""Conflicts are kept for a limited time, and of each sender in a limited number, so that nobody fills the disk."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.db import parked
from shared.db.engine import Database
from shared.db.parked import KEPT_CONFLICT_BYTES, KEPT_CONFLICTS, RawRecord, drop_old_conflicts, put_aside
from shared.events.envelope import Headers
from shared.verdicts import conflict, dead_letter
from tests.support.environment import Environment

MEGABYTE = b"x" * 1024**2


@pytest.fixture
async def database(database_only: Environment) -> AsyncIterator[Database]:
    database = Database(database_only.database_url, "scorer", pool_size=1)
    yield database
    await database.close()


def record(offset: int, sender: str | None, value: bytes = b"{}") -> RawRecord:
    headers: Headers = [("ce_id", b"1")] + ([("ce_sender", sender.encode())] if sender else [])
    return RawRecord("responses", 0, offset, b"acme", value, headers, "acme")


async def put(database: Database, records: Iterable[RawRecord], verdict: Any = None) -> None:
    async with database.write() as tx:
        for raw in records:
            await put_aside(tx, "", raw, verdict or conflict("response_id_taken"), "scorer")


async def kept(database: Database) -> dict[str | None, list[int]]:
    """The offsets of the remaining conflicts, by sender."""
    found: dict[str | None, list[int]] = {}
    async with database.read() as tx:
        for row in await tx.all("select sender, record_offset from parked order by record_offset"):
            found.setdefault(row["sender"], []).append(row["record_offset"])
    return found


async def clean(database: Database) -> int:
    return await database.retrying(drop_old_conflicts)


async def age(database: Database, **ages: timedelta) -> None:
    """Make records with higher offsets newer, and the conflicts of these senders older."""
    async with database.write() as tx:
        await tx.execute("update parked set parked_at = parked_at + make_interval(secs => record_offset / 1e3)")
        for sender, old in ages.items():
            at = datetime.now(UTC) - old
            await tx.execute("update parked set parked_at = :at where sender = :sender", at=at, sender=sender)


async def test_of_each_sender_the_newest_thousand_are_kept(database: Database) -> None:
    await put(database, (record(number, "flood") for number in range(KEPT_CONFLICTS + 3)))
    await put(database, (record(5_000 + number, sender) for number, sender in enumerate(("ours", None))))
    await put(database, [record(9_000, "flood")], dead_letter("invalid_data"))
    await age(database)
    assert await clean(database) == 3
    left = await kept(database)
    assert left["flood"] == [*range(3, KEPT_CONFLICTS + 3), 9_000]
    assert (left["ours"], left[None]) == ([5_000], [5_001])
    assert await clean(database) == 0


async def test_of_each_sender_the_newest_64_megabytes_are_kept(database: Database) -> None:
    most = KEPT_CONFLICT_BYTES // len(MEGABYTE)
    await put(database, (record(number, "flood", MEGABYTE) for number in range(most + 2)))
    await put(database, [record(5_000, "ours", MEGABYTE)])
    await age(database)
    assert await clean(database) == 2
    assert await kept(database) == {"flood": [*range(2, most + 2)], "ours": [5_000]}


async def test_none_is_kept_for_more_than_thirty_days(database: Database) -> None:
    await put(database, [record(1, "old"), record(2, "young")])
    await age(database, old=timedelta(days=30, seconds=5), young=timedelta(days=29, hours=23))
    assert await clean(database) == 1
    assert await kept(database) == {"young": [2]}


async def test_many_go_in_several_steps(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parked, "KEPT_CONFLICTS", 1)
    monkeypatch.setattr(parked, "DROPPED_AT_ONCE", 2)
    await put(database, (record(number, "flood") for number in range(6)))
    await age(database)
    assert [await clean(database) for _ in range(4)] == [2, 2, 1, 0]
    assert await kept(database) == {"flood": [5]}


@pytest.mark.parametrize("written", ["", " ", "x" * 65, "not a key", "caf\xe9"])
async def test_what_no_key_is_called_is_nobodys_name(database: Database, written: str) -> None:
    """Any producer of the topic may write anything into its headers; no index would take such a sender."""
    raw = record(1, None)
    headers: Headers = [*raw.headers, ("ce_sender", written.encode("latin-1"))]
    await put(database, [RawRecord(**{name: getattr(raw, name) for name in _FIELDS}, headers=headers)])
    assert await kept(database) == {None: [1]}


_FIELDS = ("topic", "partition", "offset", "key", "value", "account_id")
