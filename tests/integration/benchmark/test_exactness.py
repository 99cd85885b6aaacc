"""Cohorts equal the portfolio of the scorer and a plain recomputation: under repeats, replays, corrections,
withdrawals, and after a start from nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace as changed

from services.benchmark.domain.cohorts import FAMILIES
from shared.db.engine import Database
from shared.events.directory import AccountUpserted
from shared.events.envelope import Event
from shared.ids import uuid7
from shared.topics import ACCOUNT_UPSERTED, DIRECTORY
from tests.integration.benchmark.chain import Chain, benchmarking, chained
from tests.integration.benchmark.stand import publish
from tests.integration.scorer.plain import responses_of, world_of
from tests.integration.scorer.writing import amended, withdrawn
from tests.support.environment import Environment
from tests.support.events import NOW, record_of, recorded
from tests.support.polling import eventually
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import grouped, portfolio_score
from tests.support.reference.world import Client, World

WINDOWS = ("7d", "90d", "365d", "all")
OF_COHORT = (
    *("nps", "nps_rounded", "promoter_count", "promoter_percent", "passive_count", "detractor_count"),
    *("response_count", "stakeholder_count", "mean_score", "distribution", "ci_low", "ci_high", "last_answered_at"),
)


def clients(random: Random) -> list[Client]:
    """Accounts of which half the attributes are missing; the last one is not in the directory."""
    return [
        Client(
            f"a{number}",
            industry=random.choice(("logistics", "saas", None)),
            tier=random.choice(("key", "premium", None)),
            region=random.choice(("EMEA", None)),
        )
        for number in range(9)
    ] + [Client("unlisted")]


def history(random: Random, accounts: Sequence[Client]) -> list[Event]:
    """Answers with corrections, withdrawals, repeats, and conflicts with other accounts."""
    events: list[Event] = []
    for number in range(90):
        account_id = random.choice(accounts).account_id
        event = recorded(
            f"r{number}",
            account_id,
            stakeholder_id=random.choice(("ann", "bob", "cleo")),
            score=random.randint(0, 10),
            answered_at=NOW - timedelta(days=random.choice((0, 3, 6, 20, 80, 100, 170, 300, 500)), seconds=number),
            test=random.random() < 0.1,
            quiet=True,
        )
        events += [event] * random.choice((1, 1, 2))
        if random.random() < 0.2:
            events.append(amended(f"r{number}", {"score": random.randint(0, 10)}, account_id))
        if random.random() < 0.15:
            events.append(withdrawn(f"r{number}", account_id))
    random.shuffle(events)
    return events


def listed(client: Client) -> Event:
    """The account as the directory tells it."""
    data = AccountUpserted(
        account_id=client.account_id,
        industry=client.industry,
        tier=client.tier,  # type: ignore[arg-type]
        region=client.region,
        event_id=uuid7(),
        recorded_at=NOW,
    )
    return Event(data.event_id, ACCOUNT_UPSERTED, "/tests", NOW, client.account_id, data)


def key(group: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """A group as a key."""
    return tuple(group.items())


async def differences(chain: Chain, world: World) -> list[str]:
    """Where cohorts differ from the recomputation or from the scorer; empty when all are equal."""
    for window in WINDOWS:
        for method in ("latest", "all"):
            body = await chain.get("/v1/cohorts", window=window, method=method)
            found = {key(cohort["group"]): cohort for cohort in body["groups"]}
            expected = recomputed(world, window, method)
            if found.keys() != expected.keys():
                return [f"{window} {method}: {len(found)} cohorts instead of {len(expected)}"]
            for group, figures in expected.items():
                names = (*OF_COHORT, "change")
                try:
                    assert_same(found[group], {name: figures[name] for name in names})
                    if figures["previous"] is not None:
                        assert_same(found[group]["previous"], {name: figures["previous"][name] for name in OF_COHORT})
                except AssertionError as error:
                    return [f"{window} {method} {group}: {error}"]
    return []


def recomputed(world: World, window: str, method: str) -> dict[Any, dict[str, Any]]:
    """Cohort → figures by the reference."""
    expected: dict[Any, dict[str, Any]] = {(): portfolio_score(world, window, method, NOW)}
    for family in FAMILIES[1:]:
        for values, figures in grouped(world, window, method, NOW, family, {}).items():
            expected[tuple(zip(family, values, strict=True))] = figures
    return expected


async def scorer_says_the_same(chain: Chain) -> None:
    """Every margin and every crossing of two, figure by figure; each service reads the directory at its own pace."""

    async def settled() -> bool:
        for family in FAMILIES:
            if len(family) == 3:
                continue
            query = {"window": "365d"} | ({"group_by": ",".join(family)} if family else {})
            theirs = (await chain.get("/v1/portfolio/score", "scorer", **query))["groups"]
            ours = (await chain.get("/v1/cohorts", **{"window": "365d", "group_by": ",".join(family)}))["groups"]
            ours = [cohort for cohort in ours if len(cohort["group"]) == len(family)]
            names = (*OF_COHORT, "change", "account_count")
            assert [(cohort["group"], [cohort[name] for name in names]) for cohort in theirs] == [
                (cohort["group"], [cohort[name] for name in names]) for cohort in ours
            ]
        return True

    await eventually(settled, timeout=90)


async def equal(chain: Chain, world: World) -> None:
    """Wait until all are equal."""
    last: list[str] = []

    async def settled() -> bool:
        last[:] = await differences(chain, world)
        return not last

    try:
        await eventually(settled, timeout=90)
    except TimeoutError:
        raise AssertionError(last) from None


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
async def test_cohorts_equal_the_scorer_and_a_recomputation(environment: Environment, seed: int) -> None:
    random = Random(seed)
    accounts = clients(random)
    events = history(random, accounts)
    known = accounts[:-1]
    directory = [record_of(listed(account), DIRECTORY) for account in known]
    answers = [record_of(event) for event in events]
    world = replace(world_of(responses_of(events)), clients=tuple(known))
    async with chained(environment) as chain:
        await publish(environment, *directory, *answers)
        await equal(chain, world)
        await scorer_says_the_same(chain)
        random.shuffle(answers)
        await publish(environment, *answers, *directory)
        moved = replace(known[0], industry="bpo", tier="small")
        world = replace(world, clients=(moved, *known[1:]))
        later = listed(moved)
        data = later.data.model_copy(update={"recorded_at": NOW + timedelta(seconds=1)})
        await publish(environment, record_of(changed(later, data=data), DIRECTORY))
        await equal(chain, world)
        await scorer_says_the_same(chain)
        await from_nothing(chain, world)


async def from_nothing(chain: Chain, world: World) -> None:
    """A second service on an empty state reads the compacted topics from their beginning."""
    transports = (chain.scorer._transport.app, chain.alerting._transport.app)  # type: ignore[attr-defined]
    await chain.benchmark._transport.app.state.plumbing.runners[0].stop()  # type: ignore[attr-defined]
    database = Database(chain.environment.database_url, "benchmark", pool_size=1)
    async with database.write() as tx:
        await tx.execute("truncate cursors, snapshots, accounts, inbox")
    await database.close()
    async with benchmarking(chain.environment, chain.clock, *transports) as client:
        await equal(replace(chain, benchmark=client), world)
