"""The portfolio, by example."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.scorer.reading import NOW, Reader
from tests.support.reference.world import Client, Invite, Person, Submission, World

WORLD = World(
    clients=(
        Client("acme", "Acme", "logistics", "key", revenue=Decimal(300), currency="EUR", owner="kim@supplier.example"),
        Client("bolt", "Bolt", "saas", "key", revenue=Decimal(100), currency="EUR"),
        Client("cargo", "Cargo", None, None, revenue=Decimal(50), currency="USD"),
        Client("delta", "Delta", "saas"),
        Client("empty", "Empty", "saas", revenue=Decimal(600), currency="EUR"),
    ),
    people=(Person("acme", "ada", "decision_maker"), Person("acme", "ben", "user"), Person("empty", "zoe", "user")),
    submissions=tuple(
        Submission(f"r{number}", account, person, "nps", score, NOW - timedelta(days=days), touchpoint=touchpoint)
        for number, (account, person, score, days, touchpoint) in enumerate(
            [
                ("acme", "ada", 10, 1, None),
                ("acme", "ada", 2, 10, "support"),
                ("acme", "ben", 9, 2, "support"),
                ("acme", "cat", 8, 2, None),
                ("bolt", "dan", 0, 3, None),
                ("cargo", "eve", 9, 4, None),
                ("delta", "fay", 7, 5, None),
                ("acme", "ada", 0, 100, None),
            ]
        )
    ),
    invites=(
        Invite("i1", "acme", "ada", NOW - timedelta(days=3), survey_id="q2"),
        Invite("i2", "empty", "zoe", NOW - timedelta(days=3)),
    ),
)


@pytest.fixture(scope="module", autouse=True)
async def world(reader: Reader) -> None:
    """The accounts of this module."""
    await reader.put(WORLD)


async def groups(reader: Reader, **asked: Any) -> list[dict[str, Any]]:
    """The groups of the portfolio."""
    found: list[dict[str, Any]] = (await reader.body("/v1/portfolio/score", **asked))["groups"]
    return found


async def test_without_group_by_there_is_one_group_a_method(reader: Reader) -> None:
    methods = "latest,all,mean_of_accounts,revenue_weighted"
    found = await groups(reader, method=methods)
    assert [(group["group"], group["method"]) for group in found] == [({}, method) for method in methods.split(",")]
    latest, everything, mean, weighted = found
    assert (latest["response_count"], latest["nps"], latest["account_count"]) == (6, 100 / 3, 4)
    assert (everything["response_count"], everything["stakeholder_count"]) == (7, 6)
    # acme 100·2/3, bolt −100, cargo 100, delta 0
    assert mean["nps"] == (200 / 3 - 100 + 100 + 0) / 4
    assert mean["promoter_count"] == latest["promoter_count"]
    assert weighted["nps"] == (300 * 200 / 3 - 100 * 100) / 400
    assert (weighted["currency"], weighted["left_out_count"]) == ("EUR", 2)
    assert weighted["left_out"] == [
        {"account_id": "cargo", "name": "Cargo", "reason": "other_currency"},
        {"account_id": "delta", "name": "Delta", "reason": "no_revenue"},
    ]


async def test_coverage_counts_people_accounts_and_revenue(reader: Reader) -> None:
    (found,) = await groups(reader)
    assert found["coverage"] == {
        "known": 7,
        "asked": 2,
        "answered": 6,
        "accounts": {"known": 5, "asked": 2, "answered": 4},
        "revenue": {"currency": "EUR", "known": 1000.0, "asked": 900.0, "answered": 400.0},
    }


async def test_the_currency_can_be_chosen(reader: Reader) -> None:
    (found,) = await groups(reader, method="revenue_weighted", currency="USD")
    assert (found["nps"], found["left_out_count"], found["coverage"]["revenue"]["known"]) == (100.0, 3, 50.0)


@pytest.mark.parametrize("asked", [{}, {"survey_type": "csat"}, {"industry": "manufacturing"}, {"window": "all"}])
async def test_an_empty_portfolio_is_one_group_of_nothing(reader: Reader, asked: dict[str, str]) -> None:
    asked = asked | {"as_of": "2001-01-01T00:00:00Z"}
    for group in await groups(reader, method="latest,mean_of_accounts,revenue_weighted", **asked):
        assert group["group"] == {}
        assert group["nps"] is group["mean_score"] is None
        assert (group["response_count"], group["account_count"], group["coverage"]["answered"]) == (0, 0, 0)


async def test_groups_have_values_and_null_comes_last(reader: Reader) -> None:
    found = await groups(reader, group_by="industry")
    assert [(group["group"]["industry"], group["response_count"]) for group in found] == [
        ("logistics", 3),
        ("saas", 2),
        (None, 1),
    ]


async def test_two_attributes_are_crossed(reader: Reader) -> None:
    found = await groups(reader, group_by="tier,stakeholder_type")
    assert [(tuple(group["group"].values()), group["response_count"]) for group in found] == [
        (("key", "decision_maker"), 1),
        (("key", "user"), 1),
        (("key", None), 2),
        ((None, None), 2),
    ]
    assert list(found[0]["group"]) == ["tier", "stakeholder_type"]


async def test_filters_apply_before_the_latest_is_picked_and_groups_after(reader: Reader) -> None:
    (filtered,) = await groups(reader, touchpoint="support", industry="logistics")
    assert (filtered["response_count"], filtered["detractor_count"]) == (2, 1)
    by_touchpoint = await groups(reader, group_by="touchpoint", industry="logistics")
    assert [(group["group"]["touchpoint"], group["response_count"]) for group in by_touchpoint] == [
        ("support", 1),
        (None, 2),
    ]


async def test_what_a_split_cannot_tell_is_null(reader: Reader) -> None:
    by_touchpoint = (await groups(reader, group_by="touchpoint"))[0]
    assert (
        by_touchpoint["coverage"]["known"] is by_touchpoint["coverage"]["asked"] is by_touchpoint["sent_count"] is None
    )
    by_survey = (await groups(reader, group_by="survey_id"))[0]
    assert by_survey["coverage"]["known"] is None
    assert by_survey["sent_count"] == 1


async def test_groups_by_class(reader: Reader) -> None:
    found = await groups(reader, group_by="class")
    assert [(group["group"]["class"], group["account_count"]) for group in found] == [
        ("ambassador", 2),
        ("at_risk", 1),
        ("steady", 1),
    ]


async def test_groups_by_owner_show_the_address(reader: Reader) -> None:
    found = await groups(reader, group_by="owner")
    assert [group["group"]["owner"] for group in found] == ["kim@supplier.example", None]


async def test_a_trend_of_several_methods_has_a_point_for_each(reader: Reader) -> None:
    body = await reader.body("/v1/portfolio/trend", method="latest,mean_of_accounts", points=3, interval="quarter")
    assert [point["method"] for point in body["points"]] == ["latest", "mean_of_accounts"] * 3
    last, mean = body["points"][-2:]
    assert last["nps"] == (await groups(reader))[0]["nps"]
    assert mean["nps"] == (await groups(reader, method="mean_of_accounts"))[0]["nps"]
