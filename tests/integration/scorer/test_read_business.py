"""Revenue, drivers and the plain metrics: by example, and over random worlds."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given

from services.scorer.domain import drivers as rules
from services.scorer.domain.questions import GROUPS
from tests.integration.scorer.reading import NOW, Reader
from tests.integration.scorer.worlds import CHOICES, WINDOWS, a_world, exactly, moment, seeds
from tests.support.reference import business, questions
from tests.support.reference.compare import assert_same
from tests.support.reference.scores import nps, number, whole
from tests.support.reference.world import Client, Entry, Person, Submission, World

REVENUE, DRIVERS, METRICS = "/v1/portfolio/revenue", "/v1/drivers", "/v1/metrics.json"


def classes(world: World, as_of: Any) -> dict[str, str]:
    """account_id → class."""
    return {account: questions.account_class(world, account, as_of) for account in world.account_ids()}


RICH = World(
    clients=(
        Client("acme", "Acme", revenue=Decimal("300.10"), currency="EUR", renewal_on=date(2026, 12, 31)),
        Client("bolt", "Bolt", revenue=Decimal("100.20"), currency="EUR", renewal_on=date(2026, 10, 1)),
        Client("cold", "Cold", revenue=Decimal(50), currency="EUR"),
        Client("dime", "Dime", revenue=Decimal(9), currency="USD", renewal_on=date(2026, 10, 1)),
        Client("gone", "Gone", revenue=Decimal(900), currency="EUR", removed=True),
    ),
    people=(Person("acme", "ada", "decision_maker"),),
    submissions=(
        Submission("r1", "acme", "ada", "nps", 2, NOW - timedelta(days=1)),
        Submission("r2", "bolt", "dan", "nps", 10, NOW - timedelta(days=2)),
    ),
)


async def test_revenue_stands_by_class_and_by_quarter_of_renewal(reader: Reader) -> None:
    await reader.put(RICH)
    body = await reader.body(REVENUE)
    assert (body["currency"], body["account_count"], body["revenue"]) == ("EUR", 3, 450.3)
    assert body["revenue_at_risk"] == 300.1
    assert {row["class"]: row["revenue"] for row in body["by_class"]} == {
        **{"unknown": 50.0, "silent": 0.0, "at_risk": 300.1, "ambassador": 100.2, "divided": 0.0, "steady": 0.0}
    }
    assert body["by_renewal_quarter"] == [
        {
            **{"quarter": "2026-Q4", "from": "2026-10-01", "to": "2026-12-31", "account_count": 2, "revenue": 400.3},
            **{"revenue_at_risk": 300.1, "by_class": {"at_risk": 300.1, "ambassador": 100.2}},
        },
        {
            **{"quarter": None, "from": None, "to": None, "account_count": 1, "revenue": 50.0},
            **{"revenue_at_risk": 0.0, "by_class": {"unknown": 50.0}},
        },
    ]
    assert body["left_out"] == [{"account_id": "dime", "name": "Dime", "reason": "other_currency"}]


async def test_without_revenue_there_is_no_currency(reader: Reader) -> None:
    await reader.put(World((Client("acme", "Acme"),)))
    body = await reader.body(REVENUE)
    assert (body["currency"], body["revenue"], body["by_renewal_quarter"], body["left_out_count"]) == (None, 0.0, [], 1)


@exactly
@given(seed=seeds)
async def test_revenue_equals_the_recomputation(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, as_of = a_world(random), random.choice((None, moment(random)))
    wanted = {name: random.choice(CHOICES[name]) for name in random.sample(("industry", "owner"), random.randrange(2))}
    await reader.put(world)
    body = await reader.body(REVENUE, currency="EUR", as_of=as_of, **wanted)
    expected = business.revenue(world, "EUR", classes(world, as_of or NOW), **wanted)
    cells = expected["cells"]

    def total(*, quarter: Any = ..., account_class: Any = ...) -> float | None:
        wanted_cells = [
            value
            for (its_quarter, its_class), value in cells.items()
            if quarter in (..., its_quarter) and account_class in (..., its_class)
        ]
        return number(sum(wanted_cells, Fraction(0)))

    assert body["revenue"] == total()
    assert body["revenue_at_risk"] == total(account_class="at_risk")
    for row in body["by_class"]:
        assert row["revenue"] == total(account_class=row["class"])
    assert {row["quarter"] for row in body["by_renewal_quarter"]} == {quarter for quarter, _ in cells}
    for row in body["by_renewal_quarter"]:
        assert row["revenue"] == total(quarter=row["quarter"])
        assert row["revenue_at_risk"] == total(quarter=row["quarter"], account_class="at_risk")
        assert row["by_class"] == {
            name: total(quarter=row["quarter"], account_class=name)
            for quarter, name in cells
            if quarter == row["quarter"]
        }
    assert [account["account_id"] for account in body["left_out"]] == expected["left_out"]


def ratings(people: int) -> Iterator[Submission]:
    """People whose rating of trust goes with their score, and who rate speed against it."""
    for number_ in range(people):
        score = number_ % 11
        entries = (Entry("q1", "rating", score // 3 + 1, "trust"), Entry("q2", "csat", 5 - score // 3, "speed"))
        at = NOW - timedelta(days=1, minutes=number_)
        yield Submission(f"r{number_}", "acme", f"p{number_}", "nps", score, at, entries=entries)


async def test_drivers_are_sorted_by_what_they_have_to_do_with_the_score(reader: Reader) -> None:
    await reader.put(World(submissions=tuple(ratings(22))))
    body = await reader.body(DRIVERS)
    (group,) = body["groups"]
    assert group["group"] == {}
    trust, speed = group["drivers"]
    assert (trust["attribute"], trust["n"], trust["low_up_to"], trust["mean"]) == ("trust", 22, 2, 52 / 22)
    assert trust["low_percent"] == 100 * 12 / 22
    assert trust["promoter_mean"] == 4.0
    assert trust["rank_correlation"] == pytest.approx(-speed["rank_correlation"])
    assert trust["rank_correlation"] > 0.9


async def test_below_twenty_voices_nothing_is_said(reader: Reader) -> None:
    await reader.put(World(submissions=tuple(ratings(19))))
    (group,) = (await reader.body(DRIVERS))["groups"]
    assert group["drivers"] == []
    assert group["left_out"] == [
        {"attribute": "speed", "type": "csat", "n": 19},
        {"attribute": "trust", "type": "rating", "n": 19},
    ]


@exactly
@given(seed=seeds)
async def test_drivers_equal_the_recomputation(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, window, as_of = a_world(random), random.choice(WINDOWS), random.choice((None, moment(random)))
    by = random.sample(GROUPS, random.randrange(3))
    wanted = {name: random.choice(CHOICES[name]) for name in random.sample(sorted(CHOICES), random.randrange(2))}
    await reader.put(world)
    expected = business.drivers(world, window, as_of or NOW, by, classes(world, as_of or NOW), **wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "ENOUGH", 1)
        body = await reader.body(DRIVERS, window=window, as_of=as_of, group_by=",".join(by) or None, **wanted)
    found = {tuple(group["group"].values()): group["drivers"] for group in body["groups"]}
    assert found.keys() == (expected or ({} if by else {(): {}})).keys()
    for group, drivers in found.items():
        assert {(driver["attribute"], driver["type"]) for driver in drivers} == expected.get(group, {}).keys()
        for driver in drivers:
            assert_same(driver, expected[group][driver["attribute"], driver["type"]])


@exactly
@given(seed=seeds)
async def test_metrics_count_every_answer_between_two_moments(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world = a_world(random)
    since, until = sorted((moment(random), moment(random)))
    await reader.put(world)
    wanted = {name: random.choice(CHOICES[name]) for name in random.sample(sorted(CHOICES), random.randrange(3))}
    trend = ",".join(f"{name}:{value}" for name, value in wanted.items()) or None
    body = await reader.body(METRICS, since=since, until=until, trend=trend)
    voices = [
        voice
        for voice in world.voices("nps")
        if since <= voice["at"] <= until and all(voice[name] == value for name, value in wanted.items())
    ]
    assert (body["nps"], body["nps_exact"]) == (whole(nps(voices)), number(nps(voices)))
    assert body["response_count"] == len(voices)
    assert sum(body[f"{name}_count"] for name in ("promoter", "passive", "detractor")) == len(voices)


async def test_metrics_take_unix_seconds(reader: Reader) -> None:
    await reader.put(RICH)
    at = int((NOW - timedelta(days=1)).timestamp())
    assert (await reader.body(METRICS, since=at, until=at))["response_count"] == 1
    assert (await reader.body(METRICS, until=at - 1))["nps"] == 100
    empty = await reader.body(METRICS, since=at + 1)
    assert (empty["nps"], empty["promoter_percent"], empty["response_count"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        (METRICS, {"since": "1767225600000"}, "invalid_time"),
        (METRICS, {"since": "-5"}, "invalid_time"),
        (METRICS, {"since": "2026-01-01"}, "invalid_time"),
        (METRICS, {"since": 1767225600, "until": 1767225599}, "from_after_to"),
        (METRICS, {"trend": "123"}, "invalid_trend"),
        (METRICS, {"trend": "colour:red"}, "invalid_trend"),
        (METRICS, {"trend": "tier:key,tier:small"}, "invalid_trend"),
        (METRICS, {"window": "90d"}, "unknown_field"),
        (DRIVERS, {"survey_type": "csat"}, "unknown_field"),
        (DRIVERS, {"group_by": "attribute"}, "invalid_group"),
        (REVENUE, {"currency": "euro"}, "string_pattern_mismatch"),
        (REVENUE, {"window": "90d"}, "unknown_field"),
    ],
)
async def test_bad_questions_are_refused(reader: Reader, path: str, asked: dict[str, Any], code: str) -> None:
    assert await reader.code(path, 422, **asked) == code


async def test_a_limited_key_sees_its_own_accounts_only(reader: Reader) -> None:
    world = a_world(Random(7))
    await reader.put(world)
    owner = CHOICES["owner"][0]
    limited = await reader.limited_to(owner)
    for path in (REVENUE, DRIVERS):
        asked = {} if path == REVENUE else {"window": "all"}
        assert await limited.body(path, **asked) == await reader.body(path, owner=owner, **asked)
        assert await limited.body(path, **asked) != await reader.body(path, **asked)
    assert await limited.body(METRICS) == await reader.body(METRICS, trend=f"owner:{owner}")
    assert await limited.body(METRICS) != await reader.body(METRICS)
