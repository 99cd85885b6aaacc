"""The OpenAPI document says what the API does: every call is described, every example is true."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.scorer.api import (
    ROUTERS,
    examples,
    models,
    models_business,
    models_people,
    models_portfolio,
    models_reach,
    names,
)
from services.scorer.api.changes import Kind
from services.scorer.domain.account import account_figures
from services.scorer.domain.answers import History
from services.scorer.domain.changes import CHANGE_KINDS
from services.scorer.domain.counts import AccountFacts
from services.scorer.domain.windows import STANDARD_WINDOWS
from tests.support.events import NOW
from tests.support.openapi import described

EXAMPLES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (models.AccountScore, examples.ACCOUNT_SCORE),
    (models_people.ListedAccount, examples.ACCOUNT),
    (models_people.Person, examples.PERSON),
    (models_people.PersonWithResponses, examples.PERSON | {"responses": [examples.RESPONSE]}),
    (models_people.Response, examples.RESPONSE),
    (models_people.Change, examples.CHANGE),
    (models_people.Explanation, examples.EXPLANATION),
    (models_portfolio.PortfolioScore, examples.PORTFOLIO),
    (models_portfolio.AccountTrend, examples.TREND),
    (models_portfolio.PortfolioTrend, examples.PORTFOLIO_TREND),
    (models_reach.PortfolioFunnel, models_reach.FUNNEL),
    (models_reach.PortfolioGaps, models_reach.GAPS),
    (models_business.PortfolioRevenue, models_business.REVENUE),
    (models_business.Drivers, models_business.DRIVERS),
    (models_business.Metrics, models_business.METRICS),
    (names.Names, names.EXAMPLE),
]


DESCRIBED = described("scorer", ROUTERS)


@pytest.mark.parametrize(("model", "example"), EXAMPLES, ids=lambda value: getattr(value, "__name__", ""))
def test_an_example_is_what_the_model_says(model: type[BaseModel], example: dict[str, Any]) -> None:
    known = model.model_validate(example)
    assert known.model_dump(mode="json", by_alias=True, exclude_unset=True).keys() == example.keys()


def test_the_figures_of_the_domain_are_the_figures_of_the_api() -> None:
    figures = account_figures(AccountFacts(History(())), STANDARD_WINDOWS[0], "latest", NOW)
    assert list(models.Comparison.model_fields) == list(figures)
    assert figures.keys() == examples.FIGURES.keys()


def test_the_kinds_of_change_are_those_of_the_domain() -> None:
    assert set(Kind.__args__) == set(CHANGE_KINDS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", DESCRIBED.operations)
def test_every_call_is_described_and_its_answer_has_an_example(name: str) -> None:
    call = DESCRIBED.operations[name]
    assert len(call["description"]) > 20
    for parameter in call.get("parameters", ()):
        assert parameter.get("description"), parameter["name"]
    for content in call["responses"]["200"]["content"].values():
        assert DESCRIBED.has_example(content["schema"]), name
