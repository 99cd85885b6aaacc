"""Comparisons of accounts, segments and the portfolio."""

from typing import Any

import pytest

from tests.integration.benchmark.stand import Stand, account, publish, snapshot, year
from tests.support.polling import eventually


def told(path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The scorer with fixed figures: +50 now, +44 a year ago."""
    if "unknown" in path:
        return 404, {"code": "unknown_account", "detail": "there is no such account"}
    nps = 44.0 if query.get("as_of", "2026") < "2026" else 50.0
    figures = {"nps": nps, "response_count": 20, "stakeholder_count": 20, "ci_low": 14.3, "ci_high": 74.8}
    if path.startswith("/v1/accounts/"):
        return 200, figures
    groups = [figures | {"group": {"industry": slug}} for slug in ("logistics", "space", None)]
    return 200, {"window": "365d", "groups": groups if "group_by" in query else [figures | {"group": {}}]}


@pytest.fixture(autouse=True)
def _scorer(stand: Stand) -> None:
    stand.scorer.reply = told


async def known(stand: Stand, account_id: str = "acme", **query: Any) -> dict[str, Any]:
    """The comparison of an account, once it is in the directory."""

    async def there() -> Any:
        body = await stand.get(f"/v1/comparisons/accounts/{account_id}", **query)
        return body if body["industry"] else None

    found: dict[str, Any] = await eventually(there, timeout=30)
    return found


async def test_an_account_against_its_past_and_its_industry(stand: Stand) -> None:
    await publish(stand.environment, account("acme", "logistics"))
    found = await known(stand)
    assert found["account_id"] == "acme"
    assert (found["figures"]["nps"], found["figures"]["ci_low"]) == (50, 14.3)
    assert (found["benchmark"]["set"], found["benchmark"]["nps"]) == ("clientshare-2026", 41)
    assert found["benchmark_before"]["set"] == "clientshare-2025"
    assert (found["gap"], found["own_change"], found["benchmark_change"]) == (9, 6, -2)
    assert found["past"]["year"]["nps"] == 44
    assert found["past"]["year"]["change"] == 6
    assert found["sentence"].startswith("+50 from 20 respondents, up 6 on last year while the industry lost 2, 9 above")
    assert {authorization for _, _, authorization in stand.scorer.asked} == {stand.client.headers["authorization"]}


async def test_a_set_with_quartiles_gives_a_percentile_and_one_with_another_method_a_warning(stand: Stand) -> None:
    line = {"industry": "freight", "nps": 38, "lower_quartile": 20, "median": 40, "upper_quartile": 60}
    body = {"source": "Deep", "year": 2026, "method": "all", "benchmarks": [line]}
    assert (await stand.client.post("/v1/benchmarks/sets", json=body)).status_code == 201
    await publish(stand.environment, account("acme", "logistics"))
    found = await known(stand)
    assert (found["benchmark"]["source"], found["percentile"]) == ("Deep", 62.5)
    assert {"methods_differ", "no_benchmark_of_the_year_before"} <= set(found["warnings"])
    other = await known(stand, source="clientshare")
    assert (other["benchmark"]["set"], other["percentile"]) == ("clientshare-2026", None)


async def test_the_year_asked_for_and_the_year_looked_from(stand: Stand) -> None:
    await publish(stand.environment, account("acme", "logistics"))
    assert (await known(stand, year=2025))["benchmark"]["year"] == 2025
    assert (await known(stand, as_of="2025-06-01T00:00:00Z"))["benchmark"]["year"] == 2025
    assert "benchmark_older_than_two_years" in (await known(stand, as_of="2029-06-01T00:00:00Z"))["warnings"]


async def test_the_rank_is_among_the_accounts_that_the_key_may_see(stand: Stand) -> None:
    kim = "kim@supplier.example"
    records = [account(name, "logistics", owner=kim) for name in ("acme", "bolt")]
    records += [account("cargo", "logistics"), account("delta", "saas", owner=kim), account("empty", "logistics")]
    scores = {"acme": (9, 9, 9, 1), "bolt": (9, 9), "cargo": (9, 9), "delta": (9, 9), "empty": ()}
    records += [snapshot(name, 1, year(*given)) for name, given in scores.items()]
    await publish(stand.environment, *records)

    async def ranked(who: Stand) -> Any:
        found = await who.get("/v1/comparisons/accounts/acme")
        return found["rank"], found["rank_in_industry"]

    async def all_there() -> bool:
        return bool(await ranked(stand) == ({"position": 4, "of": 4}, {"position": 3, "of": 3}))

    await eventually(all_there, timeout=30)
    limited = await stand.with_key("read", owner_email=kim)
    assert await ranked(limited) == ({"position": 3, "of": 3}, {"position": 2, "of": 2})
    assert (await stand.get("/v1/comparisons/accounts/acme", window="45d"))["rank"] is None
    assert (await stand.get("/v1/comparisons/accounts/acme", channel="web"))["rank"] is None


async def test_the_portfolio_by_industry(stand: Stand) -> None:
    body = await stand.get("/v1/comparisons/portfolio", group_by="industry")
    groups = {group["group"]["industry"]: group for group in body["groups"]}
    assert groups["logistics"]["gap"] == 9
    assert "no_published_benchmark" in groups["space"]["warnings"]
    assert "no published benchmark for space" in groups["space"]["sentence"]
    assert "no_industry" in groups[None]["warnings"]


async def test_the_whole_portfolio_has_its_own_past_and_no_industry(stand: Stand) -> None:
    (group,) = (await stand.get("/v1/comparisons/portfolio"))["groups"]
    assert group["group"] == {}
    assert (group["benchmark"], group["own_change"]) == (None, 6)


async def test_a_segment_is_what_the_filters_choose(stand: Stand) -> None:
    asked = {"industry": "Freight", "tier": "key", "stakeholder_type": "decision_maker", "method": "mean_of_accounts"}
    (group,) = (await stand.get("/v1/comparisons/portfolio", **asked))["groups"]
    assert (group["benchmark"]["industry"], group["gap"]) == ("logistics", 9)
    assert "figure_of_a_part" in group["warnings"]
    for _, query, _ in stand.scorer.asked:
        sent = {name: query[name] for name in asked}
        assert sent == asked | {"industry": "logistics"}


async def test_what_the_scorer_does_not_show_is_not_found_here(stand: Stand) -> None:
    assert await stand.code("/v1/comparisons/accounts/unknown", 404) == "unknown_account"


@pytest.mark.parametrize("answer", [(500, {}), (200, b"<html>"), (200, []), (302, {})])
async def test_a_scorer_that_fails_is_said_to_be_away(stand: Stand, answer: tuple[int, Any]) -> None:
    stand.scorer.reply = lambda path, query: answer
    response = await stand.client.get("/v1/comparisons/accounts/acme")
    assert (response.status_code, response.json()["code"]) == (503, "scorer_unavailable")
    assert response.headers["retry-after"]


@pytest.mark.parametrize(
    "query",
    [
        {"window": "0d"},
        {"window": "1101d"},
        {"method": "best"},
        {"method": "revenue_weighted"},
        {"as_of": "2026-01-01"},
        {"year": "1"},
        {"colour": "red"},
        {"tier": "huge"},
    ],
)
async def test_bad_questions_are_refused(stand: Stand, query: dict[str, str]) -> None:
    await stand.code("/v1/comparisons/accounts/acme", 422, **query)
    assert stand.scorer.asked == []


async def test_bad_groups_and_repeats_are_refused(stand: Stand) -> None:
    assert await stand.code("/v1/comparisons/portfolio", 422, group_by="colour") == "invalid_group"
    twice = await stand.client.get("/v1/comparisons/portfolio?tier=key&tier=small")
    assert (twice.status_code, twice.json()["code"]) == (422, "repeated_parameter")


async def test_reading_needs_the_scope(stand: Stand) -> None:
    other = await stand.with_key("ingest")
    for path in ("/v1/comparisons/accounts/acme", "/v1/comparisons/accounts/unknown", "/v1/comparisons/portfolio"):
        assert await other.code(path, 403) == "missing_scope"
