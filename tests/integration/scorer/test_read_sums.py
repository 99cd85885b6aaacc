"""Figures added up from snapshots equal those counted from the answers, whatever is stale, has slid, or just came."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given

from services.scorer.domain.windows import STANDARD_WINDOWS
from tests.integration.scorer.reading import NOW, Reader
from tests.integration.scorer.worlds import CHOICES, a_world, begin, disturb, exactly, seeds
from tests.integration.scorer.writing import Writer
from tests.support.reference.world import Client, Submission, World

METHODS = "latest,all,mean_of_accounts,revenue_weighted"
ATTRIBUTES = ("industry", "tier", "region", "owner")


def asked_of(random: Random) -> dict[str, Any]:
    """A question that snapshots can answer."""
    names = random.sample(ATTRIBUTES, random.randrange(3))
    return {
        "window": random.choice(STANDARD_WINDOWS).name,
        "method": METHODS,
        "group_by": ",".join(random.sample(ATTRIBUTES, random.randrange(3))) or None,
        "currency": random.choice((None, "EUR")),
        **{name: random.choice(CHOICES[name]) for name in names},
    }


async def both(reader: Reader, path: str, **asked: Any) -> tuple[Any, Any]:
    """The answer as of now, and the one as of the same moment named, which is counted from the answers."""
    counted = await reader.body(path, **asked, as_of=reader.clock.now())
    del counted["as_of"]
    return await reader.body(path, **asked), counted


@exactly
@given(seed=seeds)
async def test_sums_over_snapshots_equal_the_counts_of_the_answers(reader: Reader, rows: Writer, seed: int) -> None:
    random = Random(seed)
    world = a_world(random)
    await begin(reader, rows, world)
    for _ in range(2):
        added, counted = await both(reader, "/v1/portfolio/score", **asked_of(random))
        assert added == counted
    await disturb(reader, random, world)
    added, counted = await both(reader, "/v1/portfolio/score", **asked_of(random))
    assert added == counted
    await rows.project()
    added, counted = await both(reader, "/v1/portfolio/score", **asked_of(random))
    assert added == counted


@exactly
@given(seed=seeds)
async def test_the_list_of_accounts_says_the_same_from_snapshots(reader: Reader, rows: Writer, seed: int) -> None:
    random = Random(seed)
    world = a_world(random)
    await begin(reader, rows, world)
    if random.random() < 0.5:
        await disturb(reader, random, world)
    asked = {
        "window": random.choice(STANDARD_WINDOWS).name,
        "method": random.choice(("latest", "all")),
        "sort": random.choice(("change", "-nps", "name")),
        "class": random.choice((None, None, "steady", "at_risk")),
        "limit": 3,
    }
    added = await reader.items("/v1/accounts", **asked)
    counted = await reader.items("/v1/accounts", **asked, as_of=reader.clock.now())
    for item in counted:
        del item["as_of"]
    assert added == counted
    for path in ("/v1/portfolio/revenue", "/v1/portfolio/funnel"):
        by = {} if path.endswith("revenue") else {"group_by": "class"}
        from_snapshots, from_answers = await both(reader, path, **by)
        assert from_snapshots == from_answers


async def test_fresh_snapshots_are_really_used(reader: Reader, rows: Writer) -> None:
    await begin(reader, rows, a_world(Random(3)))
    expected = await reader.body("/v1/portfolio/score", group_by="industry")
    await reader.tables.execute("update account_counts set latest_9 = 1000, respondents = 1000")
    assert await reader.body("/v1/portfolio/score", group_by="industry") != expected


async def test_accounts_are_listed_since_something_touched_them(reader: Reader, rows: Writer) -> None:
    async def touched_since(moment: datetime) -> list[str]:
        return [item["account_id"] for item in await reader.items("/v1/accounts", updated_since=moment)]

    await begin(reader, rows, a_world(Random(3)))
    everybody = [item["account_id"] for item in await reader.items("/v1/accounts")]
    assert await touched_since(NOW - timedelta(seconds=1)) == everybody
    assert await touched_since(NOW) == []
    reader.clock.advance(timedelta(hours=1))
    # Time alone has changed these.
    due = await reader.tables.fetch("select account_id from snapshots where recompute_at <= $1", reader.clock.now())
    await reader.tables.execute(
        "insert into dirty_accounts (account_id, dirty_since) values ($1, $2)", everybody[0], NOW
    )
    assert await touched_since(NOW) == everybody[:1]
    await rows.project()
    assert set(await touched_since(NOW)) == {everybody[0], *(row["account_id"] for row in due)}


async def test_who_is_left_out_of_revenue_weights_is_the_same_from_snapshots(reader: Reader, rows: Writer) -> None:
    accounts = tuple(
        Client(
            f"a{number:03}",
            industry=("logistics", None)[number % 2],
            revenue=None if number % 3 else Decimal(1),
            currency=None if number % 3 else "EUR",
        )
        for number in range(750)
    )
    said = tuple(
        Submission(f"r{number}", client.account_id, "ada", "nps", number % 11, NOW - timedelta(days=1))
        for number, client in enumerate(accounts)
    )
    await begin(reader, rows, World(clients=accounts, submissions=said))
    await reader.tables.execute(
        "insert into dirty_accounts (account_id, dirty_since)"
        " select account_id, now() from accounts where account_id like 'a_3_'"
    )
    asked = {"method": "revenue_weighted", "currency": "EUR", "group_by": "industry"}
    added, counted = await both(reader, "/v1/portfolio/score", **asked)
    assert added == counted
    assert [group["left_out_count"] for group in added["groups"]] == [250, 250]
    assert {len(group["left_out"]) for group in added["groups"]} == {200}
