"""Trends summed from the ends of months equal those counted from the answers, whatever comes late, is amended,
withdrawn or erased."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given

from services.scorer.domain.months import KEPT_WINDOWS, closed_months
from services.scorer.jobs import MonthKeeper
from shared.events.envelope import Event
from shared.events.invitations import InvitationKind
from tests.integration.scorer.reading import NOW, Reader
from tests.integration.scorer.worlds import ACCOUNTS, CHOICES, MICROSECONDS, PEOPLE, a_world, exactly, moment, seeds
from tests.integration.scorer.writing import Writer, amended, erased, invited, person, withdrawn
from tests.support.events import recorded
from tests.support.reference.world import World

METHODS = "latest,all,mean_of_accounts,revenue_weighted"
TREND = "/v1/portfolio/trend"
TRACES = "erasures, response_changes, pending_changes, dropped_responses"


async def begin(reader: Reader, rows: Writer, world: World) -> None:
    """Nothing but this world, at `NOW`, with all its months kept."""
    reader.clock.advance(NOW - reader.clock.now())
    await reader.tables.execute(f"truncate {TRACES}")
    await reader.put(world)
    await rows.project()
    await keep(rows)


async def keep(rows: Writer) -> None:
    """Count every month that is missing."""
    keeper = MonthKeeper(rows.database, rows.clock)
    while await keeper.keep_once():
        pass


async def kept(reader: Reader) -> set[str]:
    """The accounts whose months hold."""
    found = await reader.tables.fetch("select account_id from months_valid")
    return {row["account_id"] for row in found}


async def both(reader: Reader, **asked: Any) -> tuple[Any, Any]:
    """The trend as of now, and the one as of the same moment named, which is counted from the answers."""
    counted = await reader.body(TREND, **asked, as_of=reader.clock.now())
    del counted["as_of"]
    added = await reader.body(TREND, **asked)
    for point in (*added["points"], *counted["points"]):
        if point["from"] == added["points"][-1]["from"]:
            del point["to"]
    return added, counted


def asked_of(random: Random) -> dict[str, Any]:
    """A question about the trend; most can be answered from sums."""
    names = random.sample(("industry", "tier", "region", "owner", "product"), random.choice((0, 0, 1, 2)))
    return {
        "window": random.choice([window.name for window in KEPT_WINDOWS]),
        "method": METHODS,
        "interval": random.choice(("month", "month", "quarter", "week")),
        "points": random.choice((2, 5, 15)),
        "currency": random.choice((None, "EUR")),
        **{name: random.choice(CHOICES[name]) for name in names},
    }


def late(random: Random, world: World, now: datetime, number: int) -> Event:
    """Something that is told now of an earlier time: often of the end of a month."""
    account, who = random.choice(ACCOUNTS), random.choice(PEOPLE)
    at = random.choice((moment(random), random.choice(closed_months(now)) + timedelta(microseconds=number % 2), now))
    at = min(at, now)
    if world.submissions and random.random() < 0.4:
        said = random.choice(world.submissions)
        if random.random() < 0.5:
            return amended(said.response_id, {"score": random.randint(1, 5)}, said.account_id, recorded_at=now)
        return withdrawn(said.response_id, said.account_id, recorded_at=now)
    choice = random.randrange(5)
    if choice == 0:
        return erased(who, account, erased_at=now)
    if choice == 1:
        return person(who, account, recorded_at=now, name=f"Nr {number}", type="user")
    if choice == 2:
        kinds: tuple[InvitationKind, ...] = ("sent", "delivered", "opened", "bounced")
        kind = random.choice(kinds)
        return invited(kind, random.choice(("i1", "i2")), at, account, stakeholder_id=who, recorded_at=now)
    said_at = {"answered_at": at, "recorded_at": now}
    return recorded(f"late{number}", account, stakeholder_id=who, score=random.randrange(11), **said_at)


@exactly
@given(seed=seeds)
async def test_a_trend_from_kept_months_equals_the_counts_of_the_answers(
    reader: Reader, rows: Writer, seed: int
) -> None:
    random = Random(seed)
    world = a_world(random)
    await begin(reader, rows, world)
    added, counted = await both(reader, **asked_of(random))
    assert added == counted
    for step in range(3):
        reader.clock.advance(timedelta(days=random.choice((0, 0, 1, 33)), microseconds=random.choice(MICROSECONDS[1:])))
        now = reader.clock.now()
        await rows.take(*[late(random, world, now, 10 * step + number) for number in range(random.randrange(5))])
        for settle in random.choice(((), (rows.project,), (rows.project, lambda: keep(rows)))):
            await settle()
        added, counted = await both(reader, **asked_of(random))
        assert added == counted


async def test_kept_months_are_really_used(reader: Reader, rows: Writer) -> None:
    await begin(reader, rows, a_world(Random(3)))
    # Accounts that are dirty by an answer of now keep their past months.
    await rows.take(*[recorded(f"now-{account_id}", account_id, answered_at=NOW) for account_id in ACCOUNTS])
    expected = await reader.body(TREND, points=13)
    await reader.tables.execute("update account_counts_months set latest_9 = 1000, respondents = 1000")
    changed = await reader.body(TREND, points=13)
    assert changed["points"][-1] == expected["points"][-1]
    assert all(new != old for new, old in zip(changed["points"][:-1], expected["points"][:-1], strict=True))


async def test_the_self_check_finds_months_that_say_something_else(reader: Reader, rows: Writer) -> None:
    await begin(reader, rows, a_world(Random(3)))
    assert await rows.check.check_once() == 0
    await reader.tables.execute(
        "update account_counts_months set known = coalesce(known, 0) + 1 where account_id = 'acme'"
    )
    assert await rows.check.check_once() == 1


async def test_only_what_reaches_back_lets_go_of_months(reader: Reader, rows: Writer) -> None:
    await begin(reader, rows, World())
    await rows.take(recorded("r1", "acme", answered_at=NOW), recorded("r2", "Bolt", answered_at=NOW))
    await rows.project()
    await keep(rows)
    assert await kept(reader) == {"acme", "Bolt"}
    await rows.take(recorded("r3", "acme", answered_at=NOW), invited("opened", "i1", NOW, "acme"))
    await rows.project()
    assert await kept(reader) == {"acme", "Bolt"}
    last = closed_months(NOW)[-1]
    await rows.take(recorded("r4", "acme", answered_at=last), recorded("r5", "Bolt", answered_at=NOW))
    await rows.project()
    assert await kept(reader) == {"Bolt"}
    await keep(rows)
    assert await kept(reader) == {"acme", "Bolt"}


async def test_a_month_that_ends_is_counted_and_the_oldest_is_let_go_a_day_later(reader: Reader, rows: Writer) -> None:
    async def moments() -> list[datetime]:
        found = await reader.tables.fetch("select distinct moment from account_counts_months order by moment")
        return [row["moment"] for row in found]

    async def pass_to(moment: datetime) -> None:
        reader.clock.advance(moment - reader.clock.now())
        await rows.project()
        await keep(rows)

    await begin(reader, rows, a_world(Random(3)))
    kept_first = closed_months(NOW)
    assert await moments() == kept_first
    july = NOW.replace(month=7, day=1, hour=1)
    await pass_to(july)
    assert await moments() == [kept_first[0], *closed_months(july)]
    await pass_to(july.replace(month=8, day=3))
    assert await moments() == closed_months(july.replace(month=8, day=3))
    added, counted = await both(reader, points=13, method=METHODS)
    assert added == counted


async def test_months_wait_while_much_is_to_be_projected(reader: Reader, rows: Writer) -> None:
    await begin(reader, rows, a_world(Random(3)))
    await reader.tables.execute("truncate months_valid")
    await reader.tables.execute(
        "insert into dirty_accounts (account_id, dirty_since) select 'busy' || n, now() from generate_series(1, 1001) n"
    )
    assert await MonthKeeper(rows.database, rows.clock).keep_once() == 0
    await reader.tables.execute("delete from dirty_accounts where account_id = 'busy1'")
    assert await MonthKeeper(rows.database, rows.clock).keep_once() > 0
