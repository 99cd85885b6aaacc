"""The OpenAPI document says what the API does: every call is described, every example is true."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.scorer.api import ROUTERS, names
from services.scorer.domain.account import account_figures
from services.scorer.domain.answers import History
from services.scorer.domain.counts import AccountFacts
from services.scorer.domain.windows import STANDARD_WINDOWS
from shared.api import accounts, business, examples, figures, people, portfolio, reach
from tests.support.events import NOW
from tests.support.openapi import described

EXAMPLES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (figures.AccountScore, examples.ACCOUNT_SCORE),
    (accounts.ListedAccount, examples.ACCOUNT),
    (accounts.Account, examples.ACCOUNT_DETAIL),
    (people.Person, examples.PERSON),
    (people.PersonWithResponses, examples.PERSON | {"responses": [examples.RESPONSE]}),
    (people.Response, examples.RESPONSE),
    (people.Change, examples.CHANGE),
    (accounts.Explanation, examples.EXPLANATION),
    (portfolio.PortfolioScore, examples.PORTFOLIO),
    (portfolio.AccountTrend, examples.TREND),
    (portfolio.PortfolioTrend, examples.PORTFOLIO_TREND),
    (reach.PortfolioFunnel, reach.FUNNEL),
    (reach.PortfolioGaps, reach.GAPS),
    (business.PortfolioRevenue, business.REVENUE),
    (business.Drivers, business.DRIVERS),
    (business.Metrics, business.METRICS),
    (names.Names, names.EXAMPLE),
]


DESCRIBED = described("scorer", ROUTERS)


@pytest.mark.parametrize(("model", "example"), EXAMPLES, ids=lambda value: getattr(value, "__name__", ""))
def test_an_example_is_what_the_model_says(model: type[BaseModel], example: dict[str, Any]) -> None:
    known = model.model_validate(example)
    assert known.model_dump(mode="json", by_alias=True, exclude_unset=True).keys() == example.keys()


def test_the_figures_of_the_domain_are_the_figures_of_the_api() -> None:
    counted = account_figures(AccountFacts(History(())), STANDARD_WINDOWS[0], "latest", NOW)
    assert list(figures.Comparison.model_fields) == list(counted)
    assert counted.keys() == examples.FIGURES.keys()


@pytest.mark.parametrize("name", DESCRIBED.operations)
def test_every_call_is_described_and_its_answer_has_an_example(name: str) -> None:
    call = DESCRIBED.operations[name]
    assert len(call["description"]) > 20
    for parameter in call.get("parameters", ()):
        assert parameter.get("description"), parameter["name"]
    for content in call["responses"]["200"]["content"].values():
        assert DESCRIBED.has_example(content["schema"]), name
