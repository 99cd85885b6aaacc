"""The OpenAPI document of the benchmark service: every call is described, every example is what its model says."""

import json
import re
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from services.benchmark.api import ROUTERS, models_maturity, models_sets
from shared.api import benchmark_funnel, cohorts, comparisons, maturity, reviews
from tests.support.openapi import described

EXAMPLES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (comparisons.ChosenBenchmark, comparisons.PUBLISHED),
    (models_sets.SetModel, models_sets.SET),
    (models_sets.SetWithLines, models_sets.WITH_LINES),
    (models_sets.LoadedSets, models_sets.LOADED),
    (models_sets.NewSetBody, models_sets.NEW_SET),
    (comparisons.AccountComparison, comparisons.ACCOUNT_COMPARISON),
    (comparisons.PortfolioComparison, comparisons.PORTFOLIO_COMPARISON),
    (cohorts.CohortsModel, cohorts.COHORTS),
    (benchmark_funnel.Funnel, benchmark_funnel.FUNNEL),
    (models_maturity.Answers, models_maturity.ANSWERS),
    (maturity.Questionnaire, maturity.QUESTIONNAIRE),
    (maturity.Result, maturity.RESULT),
    (reviews.ReviewPack, reviews.PACK),
]


DESCRIBED = described("benchmark", ROUTERS)
has_example = partial(DESCRIBED.has_example, named=("example", "examples"))


@pytest.mark.parametrize(("model", "example"), EXAMPLES, ids=lambda value: getattr(value, "__name__", ""))
def test_an_example_is_what_the_model_says(model: type[BaseModel], example: dict[str, Any]) -> None:
    known = model.model_validate(example)
    assert known.model_dump(mode="json", by_alias=True, exclude_unset=True) == example


@pytest.mark.parametrize("name", DESCRIBED.operations)
def test_every_call_is_described_and_its_answer_has_an_example(name: str) -> None:
    call = DESCRIBED.operations[name]
    assert len(call["description"]) > 20
    for parameter in call.get("parameters", ()):
        assert parameter.get("description"), parameter["name"]
    content = call["responses"]["201" if "201" in call["responses"] else "200"]["content"]
    assert "text/csv" in content or has_example(content["application/json"]["schema"]), name
    body = call.get("requestBody", {}).get("content", {}).get("application/json")
    assert body is None or "example" in body or has_example(body["schema"])


def test_every_reference_leads_somewhere() -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DESCRIBED.document))):
        found: Any = DESCRIBED.document
        for part in reference.split("/"):
            assert part in found, reference
            found = found[part]


def test_the_calls_of_the_contract_are_there() -> None:
    assert {name.upper().split()[0] + " " + name.split()[1] for name in DESCRIBED.operations} >= {
        "GET /v1/benchmarks",
        "POST /v1/benchmarks/sets",
        "GET /v1/comparisons/accounts/{account_id}",
        "GET /v1/comparisons/portfolio",
        "GET /v1/funnel",
        "GET /v1/cohorts",
        "GET /v1/maturity/questions",
        "POST /v1/maturity",
        "GET /v1/maturity",
        "GET /v1/reviews/accounts/{account_id}",
    }
