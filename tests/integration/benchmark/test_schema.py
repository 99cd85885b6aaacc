"""The OpenAPI document, taken at its word: requests made from it get the answers it promises, and never a 5xx."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.integration.benchmark.stand import Stand, account, publish, snapshot, year
from tests.support.examples import examples
from tests.support.http import serving

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
EXAMPLES = 25
FIGURES: dict[str, Any] = {
    "nps": 50.0,
    "nps_rounded": 50,
    "response_count": 2,
    "stakeholder_count": 2,
    "promoter_count": 1,
    "passive_count": 1,
    "detractor_count": 0,
    "mean_score": 8.5,
    "ci_low": -31.2,
    "ci_high": 91.2,
    "last_answered_at": "2026-11-19T08:00:00Z",
    "response_rate": 0.5,
    "coverage": {"accounts": {"known": 2, "asked": 1, "answered": 1}},
}
FUNNEL: dict[str, Any] = {"group": {}, "sent_count": 4, "opened_count": 3, "answered_count": 2, "bounced_count": 0}


def told(path: str, query: dict[str, str]) -> tuple[int, Any]:
    """A scorer and an alerting that always answer."""
    if path.endswith("/funnel"):
        return 200, {"groups": [FUNNEL]}
    if path.endswith("/trend"):
        return 200, {"points": [FIGURES], "marks": []}
    if path.endswith("/portfolio/score"):
        return 200, {"groups": [FIGURES | {"group": {}}]}
    if path.endswith("/score"):
        return 200, FIGURES
    if path.endswith("/summary"):
        return 200, {"groups": [{"closed_loop_rate": 0.5, "median_hours_to_first_touch": 3.0}]}
    return 200, {"items": [], "next_cursor": None}


# Its strategies draw beside a running event loop, which uses `random` too.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_requests_made_from_the_document_get_the_promised_answers(stand: Stand) -> None:
    stand.scorer.reply = stand.alerting.reply = told
    await publish(stand.environment, account("acme", "logistics"), snapshot("acme", 1, year(9, 9, 3)))
    app = stand.client._transport.app  # type: ignore[attr-defined]
    headers = {"Authorization": stand.client.headers["authorization"]}
    async with serving(app) as url:
        document = schemathesis.openapi.from_dict(app.openapi())
        document.config.base_url = url
        calls: list[Any] = [each.ok() for each in document.get_all_operations()]  # type: ignore[union-attr]
        tried = [await asyncio.to_thread(holds, call, headers) for call in calls if "/health" not in call.path]
    assert {"POST /v1/benchmarks/sets", "GET /v1/cohorts", "GET /v1/reviews/accounts/{account_id}"} <= set(tried)


def holds(call: Any, headers: dict[str, str]) -> str:
    """Try an operation with requests made from its description; which it was."""

    @settings(max_examples=examples(EXAMPLES), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    given(case=call.as_strategy())(check)()
    name: str = call.label
    return name
