"""Bad questions: each is a 422 with a code, nothing is repeated, and nobody without the scope gets in."""

from typing import Any

import pytest

from tests.integration.scorer.reading import NOW, Reader
from tests.support.http import api_key, bearer
from tests.support.reference.world import Client, World

SCORE, LIST, PORTFOLIO = "/v1/accounts/acme/score", "/v1/accounts", "/v1/portfolio/score"


@pytest.fixture(scope="module", autouse=True)
async def world(reader: Reader) -> None:
    """One account."""
    await reader.put(World((Client("acme", "Acme"),)))


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        (SCORE, {"window": "0d"}, "invalid_window"),
        (SCORE, {"window": "1101d"}, "invalid_window"),
        (SCORE, {"window": "90"}, "invalid_window"),
        (SCORE, {"window": "' or 1=1"}, "invalid_window"),
        (SCORE, {"method": "mean_of_accounts"}, "literal_error"),
        (SCORE, {"method": "latest,all"}, "literal_error"),
        (SCORE, {"as_of": "2026-01-01"}, "invalid_time"),
        (SCORE, {"as_of": "2026-01-01T00:00:00"}, "invalid_time"),
        (SCORE, {"as_of": "1767225600"}, "invalid_time"),
        (SCORE, {"as_of": "2026-13-01T00:00:00Z"}, "invalid_time"),
        (SCORE, {"as_of": "2026-01-01T24:00:00Z"}, "invalid_time"),
        (SCORE, {"as_of": "2026-06-30T23:59:60Z"}, "invalid_time"),
        (SCORE, {"as_of": "0001-01-01T00:00:00Z"}, "invalid_time"),
        (SCORE, {"as_of": "9999-12-31T23:59:59Z"}, "invalid_time"),
        (SCORE, {"survey_type": "star"}, "literal_error"),
        (SCORE, {"tier": "gold"}, "literal_error"),
        (SCORE, {"touchpoint": "x" * 201}, "string_too_long"),
        (SCORE, {"group_by": "industry"}, "unknown_field"),
        (SCORE, {"colour": "red"}, "unknown_field"),
        (LIST, {"sort": "colour"}, "invalid_sort"),
        (LIST, {"sort": "--nps"}, "invalid_sort"),
        (LIST, {"sort": "nps", "survey_type": "csat"}, "invalid_sort"),
        (LIST, {"limit": 0}, "greater_than_equal"),
        (LIST, {"limit": 201}, "less_than_equal"),
        (LIST, {"limit": -1}, "greater_than_equal"),
        (LIST, {"limit": "1e9"}, "int_parsing"),
        (LIST, {"cursor": "AAAA"}, "invalid_cursor"),
        (LIST, {"cursor": "ä"}, "invalid_cursor"),
        (LIST, {"class": "good"}, "literal_error"),
        (PORTFOLIO, {"group_by": "colour"}, "invalid_group"),
        (PORTFOLIO, {"group_by": "industry,tier,region"}, "invalid_group"),
        (PORTFOLIO, {"group_by": "industry,industry"}, "invalid_group"),
        (PORTFOLIO, {"group_by": "account_id"}, "invalid_group"),
        (PORTFOLIO, {"method": "median"}, "invalid_method"),
        (PORTFOLIO, {"method": "latest,latest"}, "invalid_method"),
        (PORTFOLIO, {"currency": "euro"}, "string_pattern_mismatch"),
        ("/v1/portfolio/trend", {"points": 0}, "greater_than_equal"),
        ("/v1/portfolio/trend", {"points": 121}, "less_than_equal"),
        ("/v1/accounts/acme/trend", {"interval": "day"}, "literal_error"),
        ("/v1/responses", {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from_after_to"),
        ("/v1/responses", {"category": "happy"}, "literal_error"),
        ("/v1/responses", {"q": "x" * 201}, "string_too_long"),
        ("/v1/changes", {"kind": "promoter_to_promoter"}, "literal_error"),
        ("/v1/changes", {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "from_after_to"),
        ("/v1/changes", {"account_id": "a/b"}, "invalid_id"),
        ("/v1/explain", {}, "missing"),
        ("/v1/stakeholders", {"silent": "perhaps"}, "bool_parsing"),
        ("/v1/accounts/%2e%2e/score", {}, "invalid_id"),
        ("/v1/accounts/" + "x" * 201 + "/score", {}, "invalid_id"),
    ],
)
async def test_a_bad_question_is_refused_with_a_code(
    reader: Reader, path: str, asked: dict[str, Any], code: str
) -> None:
    response = await reader.get(path, **asked)
    assert response.status_code == 422, response.text
    assert await reader.code(path, 422, **asked) == code
    for value in asked.values():
        assert len(str(value)) < 4 or str(value) not in response.text


async def test_an_unknown_parameter_is_named_only_when_that_is_harmless(reader: Reader) -> None:
    named = (await reader.get(SCORE, colour="red")).json()
    assert named["errors"][0]["field"] == "colour"
    unnamed = await reader.client.get(SCORE, params={"<script>": "1"})
    assert unnamed.status_code == 422
    assert "script" not in unnamed.text


async def test_a_parameter_given_twice_is_refused(reader: Reader) -> None:
    response = await reader.client.get(f"{SCORE}?window=7d&window=90d")
    assert response.status_code == 422
    assert response.json()["code"] == "repeated_parameter"


async def test_an_empty_parameter_is_one_that_was_not_sent(reader: Reader) -> None:
    empty = await reader.client.get(f"{SCORE}?as_of=&window=&tier=")
    assert empty.json() == (await reader.body(SCORE))


@pytest.mark.parametrize(
    "as_of", ["2026-06-01T12:00:00Z", "2026-06-01t14:00:00.000000+02:00", "2026-06-01T12:00:00.0000009Z"]
)
async def test_times_may_be_written_in_any_way_of_rfc_3339(reader: Reader, as_of: str) -> None:
    body = await reader.body(SCORE, as_of=as_of)
    assert body["as_of"] == "2026-06-01T12:00:00Z"
    assert (await reader.body(SCORE, as_of=NOW))["as_of"] == body["as_of"]


PATHS = (
    "/v1/accounts",
    "/v1/accounts/acme/score",
    "/v1/accounts/acme/trend",
    "/v1/accounts/acme/stakeholders",
    "/v1/accounts/acme/stakeholders/ada",
    "/v1/accounts/nobody/score",
    "/v1/stakeholders",
    "/v1/portfolio/score",
    "/v1/portfolio/trend",
    "/v1/portfolio/funnel",
    "/v1/portfolio/coverage",
    "/v1/portfolio/revenue",
    "/v1/drivers",
    "/v1/metrics.json",
    "/v1/changes",
    "/v1/explain",
    "/v1/responses",
    "/v1/responses/r1",
    "/v1/exports/responses.csv",
    "/v1/exports/responses.parquet",
    "/v1/exports/accounts.csv",
    "/v1/exports/accounts.parquet",
    "/v1/stream",
)


@pytest.mark.parametrize("path", PATHS)
async def test_every_call_needs_the_scope_read(reader: Reader, path: str) -> None:
    key = await api_key(reader.environment, ["ingest", "act", "manage", "erase"])
    refused = await reader.client.get(path, headers=bearer(key))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    nobody = await reader.client.get(path, headers=bearer("tb_aaaaaaaaaaaa_bbbb"))
    assert nobody.status_code == 401
