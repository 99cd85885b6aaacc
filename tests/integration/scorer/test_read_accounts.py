"""An account's score and the list of accounts, by example."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.integration.scorer.reading import NOW, OF_ACCOUNTS, Reader
from tests.integration.scorer.worlds import WORLD


@pytest.fixture(scope="module", autouse=True)
async def world(reader: Reader) -> None:
    """The accounts of this module."""
    await reader.put(WORLD)


async def test_the_score_of_an_account(reader: Reader) -> None:
    body = await reader.body("/v1/accounts/acme/score")
    assert (body["account_id"], body["window"], body["method"], body["survey_type"]) == ("acme", "90d", "latest", "nps")
    assert (body["promoter_count"], body["passive_count"], body["detractor_count"], body["nps"]) == (1, 0, 1, 0.0)
    assert (body["response_count"], body["stakeholder_count"], body["mean_score"]) == (2, 2, 7.5)
    assert body["previous"]["nps"] == 100.0
    assert body["change"] == -100.0
    assert body["same_stakeholders"] == {"n": 1, "change": -200.0, "t": None}
    assert body["coverage"] == {"known": 3, "asked": 2, "answered": 2}
    assert (body["sent_count"], body["bounced_count"], body["response_rate"]) == (2, 1, 1.0)
    assert body["last_answered_at"] == "2026-05-29T12:00:00Z"
    assert "as_of" not in body


async def test_every_answer_counts_by_the_method_all(reader: Reader) -> None:
    body = await reader.body("/v1/accounts/acme/score", method="all")
    assert (body["response_count"], body["stakeholder_count"], body["method"]) == (3, 2, "all")


async def test_csat_and_ces_count_submissions_and_entries_of_their_type(reader: Reader) -> None:
    csat = await reader.body("/v1/accounts/acme/score", survey_type="csat")
    assert (csat["mean_score"], csat["top_two_percent"], csat["nps"], csat["promoter_count"]) == (2.0, 0.0, None, None)
    ces = await reader.body("/v1/accounts/acme/score", survey_type="ces")
    assert (ces["mean_score"], ces["easy_percent"], ces["response_count"]) == (7.0, 100.0, 1)


async def test_the_moment_is_echoed_only_when_it_was_sent(reader: Reader) -> None:
    body = await reader.body("/v1/accounts/acme/score", as_of="2026-05-01T00:00:00+02:00")
    assert body["as_of"] == "2026-04-30T22:00:00Z"
    assert (body["response_count"], body["nps"]) == (2, 100.0)


async def test_the_same_question_gives_the_same_bytes_whenever_it_is_asked(reader: Reader) -> None:
    first = await reader.get("/v1/accounts/acme/score", window="365d")
    reader.clock.advance(timedelta(seconds=7))
    second = await reader.get("/v1/accounts/acme/score", window="365d")
    reader.clock.advance(timedelta(seconds=-7))
    assert first.content == second.content


async def test_windows_slide_when_nothing_arrives(reader: Reader) -> None:
    reader.clock.advance(timedelta(days=88))
    body = await reader.body("/v1/accounts/acme/score")
    reader.clock.advance(timedelta(days=-88))
    assert (body["response_count"], body["nps"], body["previous"]["response_count"]) == (0, None, 2)


async def test_an_account_where_nothing_counts_has_nulls_and_zeros(reader: Reader) -> None:
    body = await reader.body("/v1/accounts/delta/score")
    assert body["nps"] is body["mean_score"] is body["ci_low"] is body["change"] is None
    assert body["response_count"] == body["promoter_count"] == body["sent_count"] == 0
    assert body["distribution"] == [0] * 11
    assert body["coverage"] == {"known": 0, "asked": 0, "answered": 0}


@pytest.mark.parametrize("path", ["/v1/accounts/nobody/score", "/v1/accounts/nobody/trend", "/v1/accounts/ACME/score"])
async def test_an_unknown_account_is_not_found(reader: Reader, path: str) -> None:
    assert await reader.code(path, 404) == "unknown_account"


async def test_an_account_is_known_by_its_answers_alone(reader: Reader) -> None:
    await reader.put(replace(WORLD, clients=(), people=()))
    body = await reader.body("/v1/accounts/acme/score")
    await reader.put(WORLD)
    assert body["response_count"] == 2


async def test_a_removed_account_still_counts(reader: Reader) -> None:
    assert (await reader.body("/v1/accounts/cargo/score"))["response_count"] == 1
    (item,) = await reader.items("/v1/accounts", q="cargo_")
    assert (item["removed"], item["response_count"]) == (True, 1)


async def test_accounts_show_their_attributes_class_and_figures(reader: Reader) -> None:
    (item,) = await reader.items("/v1/accounts", q="acm")
    assert item["annual_revenue"] == {"amount": 250000.5, "currency": "EUR"}
    assert item["owner"] == {"name": None, "email": "kim@supplier.example"}
    assert (item["products"], item["sponsor"], item["renewal_on"]) == (["tracking"], None, None)
    assert item | OF_ACCOUNTS == item
    assert (item["class"], item["class_rule"]) == ("at_risk", "a decision-maker's latest answer is a detractor's")
    assert (item["class_numbers"]["detractors"], item["nps"], item["window"]) == (1, 0.0, "90d")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["acme", "bolt", "cargo", "delta"]),
        ("-name", ["cargo", "bolt", "acme", "delta"]),
        ("revenue", ["bolt", "acme", "cargo", "delta"]),
        ("-revenue", ["acme", "bolt", "cargo", "delta"]),
        ("-nps", ["acme", "cargo", "bolt", "delta"]),
        ("renewal_on", ["acme", "bolt", "cargo", "delta"]),
    ],
)
async def test_accounts_are_sorted_nulls_last_page_by_page(reader: Reader, sort: str, order: list[str]) -> None:
    for limit in (1, 3, 200):
        items = await reader.items("/v1/accounts", sort=sort, limit=limit)
        assert [item["account_id"] for item in items] == order


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"class": "at_risk"}, ["acme"]),
        ({"class": "silent"}, ["bolt"]),
        ({"class": "unknown"}, ["delta"]),
        ({"class": "steady"}, ["cargo"]),
        ({"industry": "Freight"}, ["acme"]),
        ({"tier": "small"}, ["bolt"]),
        ({"region": "EMEA"}, ["acme"]),
        ({"owner": "KIM@supplier.example"}, ["acme"]),
        ({"q": "%"}, ["bolt"]),
        ({"q": "_"}, ["cargo"]),
        ({"q": "ACME"}, ["acme"]),
        ({"q": "\\"}, []),
        ({"class": "at_risk", "tier": "small"}, []),
        ({"answered": "true"}, ["acme", "cargo"]),
        ({"answered": "false"}, ["bolt", "delta"]),
        ({"answered": "true", "window": "2d"}, ["cargo"]),
        ({"answered": "true", "survey_type": "csat", "window": "30d"}, ["acme"]),
        ({"answered": "false", "tier": "small", "sort": "nps"}, ["bolt"]),
    ],
)
async def test_accounts_are_filtered(reader: Reader, wanted: dict[str, str], found: list[str]) -> None:
    assert [item["account_id"] for item in await reader.items("/v1/accounts", **wanted)] == found


async def test_accounts_are_chosen_by_the_day_of_their_renewal(reader: Reader) -> None:
    days = {"acme": 30, "bolt": 10, "cargo": 20}
    clients = [
        replace(client, renewal_on=date(2026, 6, days.get(client.account_id, 1))) for client in WORLD.clients[:3]
    ]
    await reader.put(replace(WORLD, clients=(*clients, WORLD.clients[3])))

    async def found(**wanted: str) -> list[str]:
        return [item["account_id"] for item in await reader.items("/v1/accounts", sort="renewal_on", **wanted)]

    assert await found(renews_from="2026-06-20") == ["cargo", "acme"]
    assert await found(renews_to="2026-06-20") == ["bolt", "cargo"]
    assert await found(renews_from="2026-06-10", renews_to="2026-06-30", answered="false") == ["bolt"]
    await reader.put(WORLD)


@pytest.mark.parametrize("asked", [{}, {"as_of": NOW}, {"window": "365d", "method": "all"}])
async def test_the_list_tells_the_trend_of_each_account(reader: Reader, asked: dict[str, Any]) -> None:
    """The same as one question an account."""
    listed = await reader.body("/v1/accounts", trend=7, **asked)
    lines = {account["account_id"]: account["trend"] for account in listed["items"]}
    for account_id, line in lines.items():
        alone = await reader.body(f"/v1/accounts/{account_id}/trend", points=7, **asked)
        assert line == [point["nps"] for point in alone["points"]]
    assert any(point is not None for line in lines.values() for point in line)


async def test_a_trend_comes_only_when_asked_for_and_is_one_of_nps(reader: Reader) -> None:
    account = (await reader.items("/v1/accounts"))[0]
    assert "trend" not in account
    refused = await reader.get("/v1/accounts", trend=7, survey_type="csat")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "trend")
    assert (await reader.get("/v1/accounts", trend=25)).status_code == 422


async def test_a_filter_on_answers_chooses_what_is_counted_not_which_accounts(reader: Reader) -> None:
    items = await reader.items("/v1/accounts", stakeholder_type="user", sort="name")
    assert [(item["account_id"], item["response_count"]) for item in items] == [
        ("acme", 1),
        ("bolt", 0),
        ("cargo", 0),
        ("delta", 0),
    ]


async def test_a_cursor_serves_only_the_list_and_order_that_gave_it(reader: Reader) -> None:
    page = await reader.body("/v1/accounts", sort="name", limit=1)
    assert page["next_cursor"]
    assert await reader.code("/v1/accounts", 422, sort="-nps", cursor=page["next_cursor"]) == "invalid_cursor"
    assert await reader.code("/v1/responses", 422, cursor=page["next_cursor"]) == "invalid_cursor"


async def test_marks_and_buckets_of_a_trend(reader: Reader) -> None:
    await reader.tables.execute(
        "insert into context_marks (event_id, account_id, kind, at, label, recorded_at) values"
        " (gen_random_uuid(), 'acme', 'incident', $1, 'system down', $1),"
        " (gen_random_uuid(), 'acme', 'change', $2, null, $2), (gen_random_uuid(), 'bolt', 'incident', $1, null, $1)",
        NOW - timedelta(days=20),
        NOW - timedelta(days=400),
    )
    body = await reader.body("/v1/accounts/acme/trend", interval="month", points=2, as_of=NOW)
    assert [(point["from"], point["to"]) for point in body["points"]] == [
        ("2026-05-01T00:00:00Z", "2026-05-31T23:59:59.999999Z"),
        ("2026-06-01T00:00:00Z", "2026-06-01T12:00:00Z"),
    ]
    assert [(mark["kind"], mark["label"], mark["at"]) for mark in body["marks"]] == [
        ("incident", "system down", "2026-05-12T12:00:00Z")
    ]
    without = await reader.body("/v1/accounts/acme/trend", interval="month", points=2)
    assert without["points"][-1]["to"] == "2026-06-30T23:59:59.999999Z"
    assert "as_of" not in without
    everywhere = await reader.body("/v1/portfolio/trend", interval="month", points=2)
    assert sorted(mark["account_id"] for mark in everywhere["marks"]) == ["acme", "bolt"]
