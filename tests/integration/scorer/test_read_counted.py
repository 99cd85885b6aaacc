"""Any question about many accounts, whichever of them are projected, equals the plain recomputation: what is kept, what
is counted, and the two together."""

from datetime import datetime
from random import Random
from typing import Any

from hypothesis import given

from services.scorer.domain.questions import GROUPS, OF_ACCOUNT
from services.scorer.domain.windows import STANDARD_WINDOWS
from tests.integration.scorer.reading import NOW, Reader
from tests.integration.scorer.worlds import (
    CHOICES,
    SURVEY_TYPES,
    WINDOWS,
    a_world,
    at,
    classes,
    exactly,
    people,
    question,
    seeds,
)
from tests.integration.scorer.writing import Writer
from tests.support.reference import questions as reference
from tests.support.reference.compare import assert_same
from tests.support.reference.scores import pick
from tests.support.reference.world import World

METHODS = ("latest", "all")


async def project_some(reader: Reader, rows: Writer, random: Random, world: World) -> None:
    """Nothing but this world, at `NOW`, with some of its accounts projected and the others marked."""
    reader.clock.advance(NOW - reader.clock.now())
    await reader.put(world)
    waiting = [account_id for account_id in world.account_ids() if random.random() < 0.5]
    await reader.tables.execute("delete from dirty_accounts where account_id = any($1)", waiting)
    await rows.project()
    await reader.tables.executemany(
        "insert into dirty_accounts (account_id, dirty_since) values ($1, $2)",
        [(account_id, NOW) for account_id in waiting],
    )


def a_question(random: Random) -> tuple[dict[str, Any], list[str]]:
    """A question and its split; every other one can be answered from what is kept."""
    if random.random() < 0.5:
        return question(random, survey_type=SURVEY_TYPES), random.sample(GROUPS, random.randrange(3))
    names = random.sample([name for name in OF_ACCOUNT if name in CHOICES], random.randrange(2))
    asked: dict[str, Any] = {name: random.choice(CHOICES[name]) for name in names}
    asked |= {"window": random.choice(STANDARD_WINDOWS).name, "survey_type": "nps", "as_of": None}
    return asked, [*random.sample(OF_ACCOUNT, random.randrange(3))]


@exactly
@given(seed=seeds)
async def test_groups_equal_the_recomputation_whatever_is_projected(reader: Reader, rows: Writer, seed: int) -> None:
    random = Random(seed)
    world, (asked, split) = a_world(random), a_question(random)
    await project_some(reader, rows, random, world)
    body = await reader.body("/v1/portfolio/score", **asked, method="latest,all", group_by=",".join(split) or None)
    for method in METHODS:
        wanted = at(asked) | {"method": method}
        found = {tuple(group["group"].values()): group for group in body["groups"] if group["method"] == method}
        expected = reference.grouped(world, by=split, classes=classes(world, wanted["as_of"]), **wanted)
        if not split:
            expected = {(): reference.portfolio_score(world, **wanted)}
        assert found.keys() == expected.keys()
        for key, figures in expected.items():
            assert_same(found[key], people(figures, found[key]))
    keys = [tuple((value is None, value or "") for value in group["group"].values()) for group in body["groups"]]
    assert keys == sorted(keys)


@exactly
@given(seed=seeds)
async def test_account_means_equal_the_recomputation_whatever_is_projected(
    reader: Reader, rows: Writer, seed: int
) -> None:
    random = Random(seed)
    world, window = a_world(random), random.choice(WINDOWS)
    named = question(random)["as_of"]
    as_of, split = named or NOW, random.choice(("industry", "stakeholder_type", None))
    await project_some(reader, rows, random, world)
    body = await reader.body(
        "/v1/portfolio/score",
        window=window,
        method="mean_of_accounts,revenue_weighted",
        as_of=named,
        group_by=split,
        currency="EUR",
    )
    weights = {
        client.account_id: client.revenue
        for client in world.clients
        if client.revenue is not None and client.currency == "EUR"
    }
    now, before = picked(world, window, as_of)
    for group in body["groups"]:
        value = group["group"].get(split)
        inside = [voice for voice in now if split is None or voice[split] == value]
        earlier = None if before is None else [voice for voice in before if split is None or voice[split] == value]
        by_revenue = group["method"] == "revenue_weighted"
        expected = reference.account_means(inside, earlier, weights if by_revenue else None)
        assert {name: group[name] for name in ("nps", "nps_rounded", "change")} == {
            name: expected[name] for name in ("nps", "nps_rounded", "change")
        }
        assert (group["previous"] or {"nps": None})["nps"] == expected["previous_nps"]
        assert group["response_count"] == len(inside)
        accounts = {voice["account_id"] for voice in inside}
        assert group["account_count"] == len(accounts)
        if by_revenue:
            assert [left["account_id"] for left in group["left_out"]] == sorted(accounts - weights.keys())
            assert group["left_out_count"] == len(accounts - weights.keys())


def picked(world: World, window: str, as_of: datetime) -> tuple[list[Any], list[Any] | None]:
    """The latest NPS voices now and before."""
    span, span_before = reference.spans(window, as_of)
    voices = list(world.voices("nps"))
    before = pick(reference.within(voices, span_before), "latest") if span_before else None
    return pick(reference.within(voices, span), "latest"), before
