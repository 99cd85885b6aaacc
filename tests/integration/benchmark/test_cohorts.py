"""Cohorts over the API: whole for those who see everything, protected for the others and for exports."""

import csv
import io
from typing import Any

import pytest

from tests.integration.benchmark.stand import Stand, account, publish, snapshot, year
from tests.support.polling import eventually

KIM, LEE = "kim@supplier.example", "lee@supplier.example"


async def placed(stand: Stand, **accounts: tuple[str, str, tuple[int, ...]]) -> None:
    """Accounts with industry, owner and the scores of the year; waits until they are counted."""
    records = [account(name, industry, owner=owner) for name, (industry, owner, _) in accounts.items()]
    records += [snapshot(name, 1, year(*scores)) for name, (_, _, scores) in accounts.items()]
    await publish(stand.environment, *records)
    wanted = sum(len(scores) for _, _, scores in accounts.values())
    industries = {industry for industry, _, scores in accounts.values() if scores}

    async def counted() -> bool:
        groups = (await stand.get("/v1/cohorts"))["groups"]
        found = {cohort["group"].get("industry") for cohort in groups if len(cohort["group"]) == 1} - {None}
        return bool(groups[0]["response_count"] == wanted and industries <= found)

    await eventually(counted, timeout=30)


def by_industry(body: dict[str, Any]) -> dict[str | None, dict[str, Any]]:
    """Industry → group."""
    return {cohort["group"]["industry"]: cohort for cohort in body["groups"]}


async def test_without_a_single_account_there_is_one_empty_group(stand: Stand) -> None:
    body = await stand.get("/v1/cohorts")
    (everything,) = body["groups"]
    assert body["protected"] is False
    assert (everything["group"], everything["nps"], everything["response_count"]) == ({}, None, 0)


async def test_a_key_that_sees_everything_sees_small_cohorts_too(stand: Stand) -> None:
    await placed(stand, a=("logistics", KIM, (9, 9, 1)), b=("logistics", LEE, (10,)), c=("saas", KIM, (0,)))
    groups = by_industry(await stand.get("/v1/cohorts", group_by="industry"))
    assert {name: (cohort["nps"], cohort["account_count"], cohort["hidden"]) for name, cohort in groups.items()} == {
        "logistics": (50, 2, False),
        "saas": (-100, 1, False),
    }
    assert groups["logistics"]["distribution"][9] == 2
    protected = by_industry(await stand.get("/v1/cohorts", group_by="industry", protected=True))
    assert {cohort["hidden_reason"] for cohort in protected.values()} == {"few_accounts"}
    assert all("nps" not in cohort for cohort in protected.values())


async def test_a_limited_key_sees_all_accounts_protected_and_its_own_beside_them(stand: Stand) -> None:
    others = {f"o{number}": ("logistics", LEE, (9, 9, 3)) for number in range(5)}
    dominated: dict[str, Any] = {f"d{number}": ("bpo", LEE, (9,)) for number in range(5)}
    dominated["d9"] = ("bpo", LEE, (9,) * 9)
    few = {f"f{number}": ("saas", LEE, (9,)) for number in range(2)}
    await placed(stand, mine=("logistics", KIM, (0, 0)), **others, **dominated, **few)
    limited = await stand.with_key("read", owner_email=KIM)
    body = await limited.get("/v1/cohorts", group_by="industry")
    groups = by_industry(body)
    assert body["protected"] is True
    assert {name: cohort["hidden_reason"] for name, cohort in groups.items()} == {
        "logistics": None,
        "bpo": "dominated",
        "saas": "few_accounts",
    }
    logistics = groups["logistics"]
    assert (logistics["nps"], logistics["account_count"], logistics["promoter_percent"]) == (18, 6, 59)
    assert "distribution" not in logistics
    assert logistics["own"] == {
        "nps": -100,
        "nps_rounded": -100,
        "response_count": 2,
        "stakeholder_count": 2,
        "account_count": 1,
    }
    plain = await limited.get("/v1/cohorts", group_by="industry", protected=False)
    assert plain == body


async def test_a_limited_key_is_not_told_of_the_one_account_beside_its_own(stand: Stand) -> None:
    mine = {f"m{number}": ("logistics", KIM, (9, 9)) for number in range(5)}
    await placed(stand, other=("logistics", LEE, (0, 0)), **mine)
    limited = await stand.with_key("read", owner_email=KIM)
    groups = (await limited.get("/v1/cohorts"))["groups"]
    assert {cohort["hidden_reason"] for cohort in groups} == {"few_accounts"}
    other = by_industry(await (await stand.with_key("read", owner_email=LEE)).get("/v1/cohorts", group_by="industry"))
    assert other["logistics"]["hidden"] is False


async def test_an_export_is_always_protected(stand: Stand) -> None:
    large = {f"l{number}": ("=logistics", LEE, (9, 9, 3)) for number in range(6)}
    await placed(stand, **large, few=("saas", LEE, (9,)))
    answer = await stand.client.get("/v1/exports/cohorts.csv", params={"group_by": "industry"})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    rows = {row["industry"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert (rows["'=logistics"]["nps"], rows["'=logistics"]["tier"], rows["saas"]["hidden_reason"]) == (
        "33",
        "*",
        "few_accounts",
    )
    assert rows["saas"]["nps"] == ""


async def test_the_highest_sequence_of_a_snapshot_stands(stand: Stand) -> None:
    await placed(stand, a=("logistics", KIM, (9,)))
    await publish(
        stand.environment,
        snapshot("a", 4, year(0)),
        snapshot("a", 3, year(9, 9)),
        snapshot("a", 4, year(0)),
        snapshot("b", 1, year(8)),
    )

    async def seen() -> bool:
        everything = (await stand.get("/v1/cohorts", group_by=""))["groups"][0]
        return bool(everything["response_count"] == 2)

    await eventually(seen, timeout=30)
    everything = (await stand.get("/v1/cohorts"))["groups"][0]
    assert (everything["nps"], everything["distribution"][0], everything["distribution"][8]) == (-50, 1, 1)


@pytest.mark.parametrize(
    "query", [{"window": "45d"}, {"method": "mean"}, {"group_by": "owner"}, {"group_by": "tier,tier"}, {"x": "1"}]
)
async def test_bad_questions_are_refused(stand: Stand, query: dict[str, str]) -> None:
    await stand.code("/v1/cohorts", 422, **query)
    await stand.code("/v1/exports/cohorts.csv", 422, **query)
    assert await (await stand.with_key("act")).code("/v1/cohorts", 403) == "missing_scope"
