"""What is told while the scorer or alerting is away."""

from typing import Any

import pytest

from tests.integration.benchmark.stand import Stand


def away(path: str, query: dict[str, str]) -> tuple[int, Any]:
    return 503, {"code": "database_unavailable"}


@pytest.mark.parametrize("path", ["/v1/funnel", "/v1/reviews/accounts/acme", "/v1/comparisons/portfolio"])
async def test_what_cannot_be_told_is_a_503_that_says_when_to_come_again(stand: Stand, path: str) -> None:
    stand.scorer.reply = away
    answer = await stand.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "scorer_unavailable")
    assert answer.headers["retry-after"]


async def test_the_assessment_goes_on_and_says_what_was_not_measured(stand: Stand) -> None:
    stand.scorer.reply = away
    stand.alerting.reply = lambda path, query: (403, {"code": "missing_scope"})
    body = await stand.get("/v1/maturity/questions")
    assert body["warnings"] == ["not_measured:alerting", "not_measured:scorer"]
    assert all(question["prefill"] is None for area in body["areas"] for question in area["questions"])
    answer = await stand.client.post("/v1/maturity", json={"answers": {"loop": 3}})
    assert (answer.status_code, answer.json()["score"]) == (201, 100)
    assert answer.json()["warnings"] == body["warnings"]


async def test_a_limit_of_the_scorer_is_passed_on(stand: Stand) -> None:
    stand.scorer.reply = lambda path, query: (429, {"code": "rate_limited"})
    answer = await stand.client.get("/v1/funnel")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "rate_limited", "7")


@pytest.mark.parametrize("wait", [b"soon", b"\xb2", b"9" * 5000], ids=["words", "superscript", "too long"])
async def test_a_wait_that_is_no_number_of_seconds_is_left_out(stand: Stand, wait: bytes) -> None:
    stand.scorer.reply = lambda path, query: (429, {"code": "rate_limited"})
    stand.scorer.retry_after = wait
    answer = await stand.client.get("/v1/funnel")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert "retry-after" not in answer.headers


async def test_cohorts_and_benchmarks_need_nobody_else(stand: Stand) -> None:
    stand.scorer.reply = stand.alerting.reply = away
    assert (await stand.get("/v1/cohorts"))["groups"]
    assert (await stand.get("/v1/benchmarks"))["items"]
    assert stand.scorer.asked == []
