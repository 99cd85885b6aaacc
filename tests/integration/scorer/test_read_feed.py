"""Keeping a copy of the responses by `updated_since`: each change is told, once, and no later page misses an earlier
one."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.scorer.store.feed import lag_seconds
from services.scorer.store.reading import feed
from shared.db.erasures import Journal
from shared.errors import Unavailable
from shared.events.envelope import Event
from shared.events.files import Origin
from shared.events.responses import StakeholderErased
from shared.ids import uuid7
from tests.integration.scorer.copying import BEGINNING, Copy, copy_from_now
from tests.integration.scorer.reading import Reader
from tests.integration.scorer.writing import Writer, account, amended, erased, withdrawn
from tests.support.events import NOW, recorded
from tests.support.files import row, undone
from tests.support.polling import eventually

INSERT = (
    "insert into responses (response_id, account_id, stakeholder_id, survey_type, score, answered_at, recorded_at,"
    " nps_kind, updated_at) values ($1, 'long', 'ann', 'nps', 9, now(), now(), 'relationship', now())"
)


@pytest.fixture
async def other(reader: Reader) -> AsyncIterator[asyncpg.Connection]:
    """A second connection to the scorer's tables, for transactions that last."""
    connection = await asyncpg.connect(
        reader.environment.database_url, server_settings={"search_path": "scorer,public"}
    )
    try:
        yield connection
    finally:
        await connection.close()


def told(items: Sequence[Any]) -> list[tuple[str, Any]]:
    """Each item as its id with its score, or with the reason why it counts no more."""
    return [(item["response_id"], item.get("reason") or item["score"]) for item in items]


async def test_pages_follow_each_other_and_every_one_has_a_position(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="paged")
    await rows.take(*(recorded(f"p{number}", "paged") for number in range(5)))
    assert [item["response_id"] for item in await copy.caught_up(limit=2)] == ["p0", "p1", "p2", "p3", "p4"]
    body = await reader.body("/v1/responses", updated_since=copy.since)
    assert (body["items"], body["next_cursor"], bool(body["position"])) == ([], None, True)


async def test_a_copy_holds_responses_as_the_list_shows_them(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="shown")
    await rows.take(recorded("s1", "shown", comment="Late", touchpoint="support"), recorded("s2", "shown", score=3))
    await copy.caught_up()
    assert copy.rows == await source(reader, account_id="shown")
    assert len(copy.rows) == 2


async def test_pages_are_followed_by_their_cursor_as_those_of_any_list(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="cursors")
    begin = copy.since
    await rows.take(*(recorded(f"c{number}", "cursors") for number in range(5)))
    await copy.caught_up()
    items = await reader.items("/v1/responses", updated_since=begin, account_id="cursors", limit=2)
    assert [item["response_id"] for item in items] == sorted(copy.rows)


async def test_whatever_changes_a_response_tells_of_it_again(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="changing")
    for step, expected in (
        ((recorded("r1", "changing", score=9, stakeholder_id="ann"),), [("r1", 9)]),
        ((amended("r1", {"score": 3}, "changing"),), [("r1", 3)]),
        ((amended("r1", {"test": True}, "changing", recorded_at=NOW + timedelta(minutes=2)),), [("r1", "test")]),
        ((amended("r1", {"test": False}, "changing", recorded_at=NOW + timedelta(minutes=3)),), [("r1", 3)]),
        ((withdrawn("r1", "changing", recorded_at=NOW + timedelta(minutes=4)),), [("r1", "withdrawn")]),
        ((erased("ann", "changing"),), [("r1", "erased")]),
        ((), []),
    ):
        await rows.take(*step)
        assert told(await copy.caught_up()) == expected
    assert copy.rows == {}


async def test_whatever_files_change_take_back_and_bring_again_is_told(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="filed")
    first, second, third = [Origin(uuid7(), 2, "upsert", NOW + timedelta(minutes=minute)) for minute in range(3)]
    for event, expected in (
        (row(first, "f1", "filed", score=9), 9),
        (row(second, "f1", "filed", score=4), 4),
        (undone(second.import_id, "filed", NOW + timedelta(minutes=3)), 9),
        (undone(first.import_id, "filed", NOW + timedelta(minutes=4)), "withdrawn"),
        (row(third, "f1", "filed", score=6, recorded_at=NOW + timedelta(minutes=5)), 6),
    ):
        await rows.take(event)
        assert told(await copy.caught_up()) == [("f1", expected)]


async def test_nothing_but_the_id_and_the_reason_is_told_of_what_counts_no_more(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="gone")
    await rows.take(recorded("g1", "gone", comment="secret"), withdrawn("g1", "gone"))
    assert await copy.caught_up() == [{"response_id": "g1", "deleted": True, "reason": "withdrawn"}]


async def test_a_response_is_told_once_at_its_last_change(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="often")
    await rows.take(recorded("o1", "often"), recorded("o2", "often", stakeholder_id="bob"))
    await rows.take(amended("o1", {"score": 1}, "often"))
    assert told(await copy.caught_up()) == [("o2", 9), ("o1", 1)]


async def test_what_a_waiting_erasure_is_about_is_told_as_erased(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="hidden")
    erasure = erased("ann", "hidden")
    request = erasure.data
    assert isinstance(request, StakeholderErased)
    async with rows.database.write() as tx:
        await Journal.hide(tx, request)
    after = request.erased_at + timedelta(minutes=1)
    async with rows.database.write() as tx:
        await tx.execute(
            "insert into responses (response_id, account_id, stakeholder_id, survey_type, score, answered_at,"
            " recorded_at, nps_kind, updated_at) select id, 'hidden', 'ann', 'nps', 9, at, at, 'relationship', at"
            " from unnest(array['h1', 'h2'], cast(:moments as timestamptz[])) as r(id, at)",
            moments=[request.erased_at, after],
        )
    assert told(await copy.caught_up()) == [("h1", "erased"), ("h2", 9)]
    await rows.take(erasure)
    assert told(await copy.caught_up()) == [("h1", "erased")]
    assert copy.rows == await source(reader, account_id="hidden")


async def test_changes_wait_for_an_older_transaction_and_come_before_what_it_wrote_no_later(
    reader: Reader, rows: Writer, other: asyncpg.Connection
) -> None:
    copy = await copy_from_now(reader, account_id="long")
    lasting = other.transaction()
    await lasting.start()
    await other.execute(INSERT, "written early, committed late")
    await rows.take(recorded("written late", "long"))
    assert await copy.page() == []
    async with rows.database.read_once() as tx:
        assert await lag_seconds(tx) > 0
    await lasting.commit()
    assert told(await copy.caught_up()) == [("written early, committed late", 9), ("written late", 9)]


async def test_the_lag_is_nothing_when_nothing_is_kept_back(reader: Reader, rows: Writer) -> None:
    await Copy(reader).caught_up()

    async def no_lag() -> bool:
        async with rows.database.read_once() as tx:
            return await lag_seconds(tx) == 0

    await eventually(no_lag)


async def test_a_time_begins_two_minutes_earlier(reader: Reader, rows: Writer) -> None:
    copy = await copy_from_now(reader, account_id="timed")
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    for name, before in (("t1", 600), ("t2", 121), ("t3", 119), ("t4", -60)):
        await rows.take(recorded(name, "timed"))
        await reader.tables.execute(
            "update responses set changed_at = $2 where response_id = $1", name, moment - timedelta(seconds=before)
        )
    await copy.caught_up()
    # Nothing older lies behind it: those that other tests wrote before are of today.
    await reader.tables.execute(
        "update responses set changed_at = $1 where account_id <> 'timed'", moment.replace(2019)
    )
    since = Copy(reader, moment.isoformat(), {"account_id": "timed"})
    assert [item["response_id"] for item in await since.caught_up()] == ["t3", "t4"]
    everything = Copy(reader, BEGINNING, {"account_id": "timed"})
    assert [item["response_id"] for item in await everything.caught_up()] == ["t1", "t2", "t3", "t4"]


async def test_transactions_are_ordered_as_numbers(reader: Reader, rows: Writer) -> None:
    moment = datetime(2018, 1, 1, tzinfo=UTC)
    await rows.take(*(recorded(f"n{number}", "numbers") for number in range(3)))
    for name, xid, days in (("n0", "9", 3), ("n1", "10", 2), ("n2", "100", -1)):
        await reader.tables.execute(
            "update responses set changed_xid = $2::text::xid8, changed_at = $3 where response_id = $1",
            name,
            xid,
            moment - timedelta(days=days),
        )
    since = Copy(reader, moment.isoformat(), {"account_id": "numbers"})
    assert [item["response_id"] for item in await since.caught_up()] == ["n2"]


@pytest.mark.parametrize("filters", [{"survey_type": "csat"}, {"survey_id": "autumn"}, {"account_id": "filtered"}])
async def test_what_never_changes_of_a_response_may_choose_it(
    reader: Reader, rows: Writer, filters: dict[str, str]
) -> None:
    copy = await copy_from_now(reader, **filters)
    name = f"f-{next(iter(filters))}"
    chosen = {"survey_type": "csat", "score": 4, "survey_id": "autumn"}
    await rows.take(recorded(name, "filtered", **chosen), recorded(f"{name}-not", "elsewhere"))
    assert told(await copy.caught_up()) == [(name, 4)]
    await rows.take(withdrawn(name, "filtered"))
    assert told(await copy.caught_up()) == [(name, "withdrawn")]


@pytest.mark.parametrize(
    "filters",
    [
        {"stakeholder_id": "ann"},
        {"category": "promoter"},
        {"q": "late"},
        {"industry": "logistics"},
        {"owner": "kim@supplier.example"},
        {"from": "2026-01-01T00:00:00Z"},
        {"touchpoint": "support"},
        {"test": "true"},
        {"sort": "answered_at"},
    ],
)
async def test_a_filter_that_a_response_can_leave_is_refused(reader: Reader, filters: dict[str, str]) -> None:
    answer = await reader.get("/v1/responses", updated_since=BEGINNING, **filters)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["code"]) == (422, next(iter(filters)), "not_with_updated_since")


@pytest.mark.parametrize("since", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "1.5.r1", "WyJhIl0"])
async def test_what_is_neither_a_time_nor_a_position_is_refused(reader: Reader, since: str) -> None:
    assert await reader.code("/v1/responses", 422, updated_since=since) == "invalid_updated_since"


async def test_the_cursor_of_another_order_is_no_position(reader: Reader, rows: Writer) -> None:
    await rows.take(recorded("x1", "crossed"), recorded("x2", "crossed", stakeholder_id="bob"))
    page = await reader.body("/v1/responses", limit=1)
    assert await reader.code("/v1/responses", 422, updated_since=page["next_cursor"]) == "invalid_updated_since"
    changes = await reader.body("/v1/responses", updated_since=BEGINNING)
    assert await reader.code("/v1/responses", 422, cursor=changes["position"]) == "invalid_cursor"


async def test_a_key_limited_to_an_owner_keeps_no_copy(reader: Reader) -> None:
    limited = await reader.limited_to("kim@supplier.example")
    assert await limited.code("/v1/responses", 403, updated_since=BEGINNING) == "copy_needs_all"


async def test_a_position_of_another_timeline_must_begin_anew(reader: Reader) -> None:
    before = (await reader.body("/v1/responses", updated_since=BEGINNING))["position"]
    await reader.tables.execute("update feed set timeline = timeline + 1")
    assert await reader.code("/v1/responses", 410, updated_since=before) == "begin_anew"
    after = (await reader.body("/v1/responses", updated_since=BEGINNING))["position"]
    await reader.body("/v1/responses", updated_since=after)
    await reader.tables.execute("update feed set timeline = timeline - 1")
    assert await reader.code("/v1/responses", 410, updated_since=after) == "begin_anew"


async def test_a_copy_made_amid_writes_outages_and_erasures_ends_equal_to_the_source(
    reader: Reader, rows: Writer, other: asyncpg.Connection
) -> None:
    copy = Copy(reader)
    stories = [asyncio.create_task(written(rows, f"storm{number}", number)) for number in range(3)]
    lasting = asyncio.create_task(long_transactions(other, copy, 5))
    outages = asyncio.create_task(cut_off(reader, copy, 8))
    while not all(task.done() for task in (*stories, lasting, outages)):
        await copy.page(limit=7)
    await asyncio.gather(*stories, lasting, outages)
    await copy.caught_up(limit=7)
    expected = await source(reader)
    assert copy.rows == expected
    assert sum(item["account_id"].startswith("storm") for item in expected.values()) > 50
    assert sum(item["account_id"] == "long" for item in expected.values()) >= 5


async def source(reader: Reader, **filters: str) -> dict[str, Any]:
    """All responses that count, by id, as the list shows them."""
    return {item["response_id"]: item for item in await reader.items("/v1/responses", **filters, limit=200)}


async def written(rows: Writer, account_id: str, seed: int) -> None:
    """A history of one account, batch by batch; a batch that an outage undid is written again."""
    dice = random.Random(seed)
    await insisting(rows, [account(account_id)])
    for turn in range(40):
        events = []
        for number in range(dice.randint(1, 6)):
            person = f"p{dice.randint(0, 9)}"
            at = NOW + timedelta(minutes=turn)
            events.append(recorded(f"{account_id}-{turn}-{number}", account_id, stakeholder_id=person, recorded_at=at))
        known = f"{account_id}-{dice.randint(0, turn)}-0"
        moment = NOW + timedelta(minutes=turn, seconds=30)
        change = dice.choice(("score", "test", "withdrawn", "erased"))
        if change == "score":
            events.append(amended(known, {"score": dice.randint(0, 10)}, account_id, recorded_at=moment))
        elif change == "test":
            events.append(amended(known, {"test": dice.random() < 0.5}, account_id, recorded_at=moment))
        elif change == "withdrawn":
            events.append(withdrawn(known, account_id, recorded_at=moment))
        elif turn % 4 == 0:
            events.append(erased(f"p{dice.randint(0, 9)}", account_id, erased_at=moment))
        await insisting(rows, events)


async def insisting(rows: Writer, events: Sequence[Event]) -> None:
    async def taken() -> bool:
        try:
            await rows.take(*events)
        except Unavailable:
            return False
        return True

    await eventually(taken, 30)


async def long_transactions(connection: asyncpg.Connection, copy: Copy, times: int) -> None:
    """Transactions that write first and commit only after the copy has read on, one after the other."""
    for number in range(times):
        async with connection.transaction():
            await connection.execute(INSERT, f"storm long {number}")
            await read_on(copy, 10)


async def cut_off(reader: Reader, copy: Copy, times: int) -> None:
    """End all sessions of the scorer, whatever they are doing, each time after some pages."""
    for _ in range(times):
        await read_on(copy, 5)
        await reader.tables.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'tellback-scorer'"
        )


async def read_on(copy: Copy, pages: int) -> None:
    """Wait until the copy has read so many pages more."""
    until = copy.pages + pages
    await eventually(lambda: copy.pages >= until, 60)


async def test_what_is_rare_is_found_a_stretch_of_changes_at_a_time(
    reader: Reader, rows: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = await copy_from_now(reader, account_id="rare")
    await rows.take(*(recorded(f"common{number}", "common") for number in range(5)), recorded("rare1", "rare"))
    monkeypatch.setattr(feed, "STRETCH", 1)
    assert await copy.page() == []
    assert copy.more
    assert [item["response_id"] for item in await copy.caught_up()] == ["rare1"]
    assert not copy.more
