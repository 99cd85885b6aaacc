"""The OpenAPI document says what the API does: every call is described, every example is true."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from services.scorer.api import ROUTERS
from services.scorer.api.exports import ACCOUNTS
from services.scorer.api.parameters import AnswerFilters
from services.scorer.domain.account import account_figures, figures_of
from services.scorer.domain.answers import PORTFOLIO_METHODS, Answer, History, Method
from services.scorer.domain.categories import SurveyType
from services.scorer.domain.counts import AccountFacts, count_account
from services.scorer.domain.portfolio import NOBODY, NOT_SAID, Extent, GroupCounts, Means, group_figures
from services.scorer.domain.questions import Filters
from services.scorer.domain.windows import STANDARD_WINDOWS, Window
from shared.api import accounts, business, examples, figures, names, people, portfolio, reach
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


def assert_as_declared(made: dict[str, Any], model: type[BaseModel]) -> None:
    """The JSON of what was made is that of the model: the same keys in the same order, also in the objects within."""
    declared = model.model_validate(made).model_dump(mode="json", exclude_unset=True)
    assert json.dumps(declared) == json.dumps(made)


@pytest.mark.parametrize("answers", [(), (Answer("r1", "ada", NOW, 5),)])
@pytest.mark.parametrize("window", [STANDARD_WINDOWS[0], STANDARD_WINDOWS[-1]])
@pytest.mark.parametrize("survey_type", get_args(SurveyType))
def test_the_figures_of_the_domain_are_the_figures_of_the_api(
    survey_type: SurveyType, window: Window, answers: Sequence[Answer]
) -> None:
    facts = AccountFacts(History(answers))
    made = figures_of(count_account(facts, window, NOW), window, "latest", survey_type)
    assert_as_declared(made, figures.Comparison)
    assert made.keys() == examples.FIGURES.keys()
    asked = {"account_id": "acme", "window": window.name, "method": "latest", "survey_type": survey_type}
    assert_as_declared(asked | account_figures(facts, window, "latest", NOW, survey_type), figures.AccountScore)


@pytest.mark.parametrize("extent", [NOBODY, NOT_SAID])
@pytest.mark.parametrize("method", PORTFOLIO_METHODS)
def test_the_figures_of_a_group_are_those_of_the_portfolio(method: Method, extent: Extent) -> None:
    group = GroupCounts(known=extent, asked=extent)
    made = group_figures(group, Means(), STANDARD_WINDOWS[0], method, "nps", "EUR")
    assert_as_declared(made | {"account_count": 0}, portfolio.PortfolioFigures)


def test_every_attribute_of_an_account_is_exported_by_itself_or_in_parts() -> None:
    missing = []
    for name in accounts.AccountAttributes.model_json_schema()["properties"]:
        if not any(column == name or column.startswith(f"{name}_") for column in ACCOUNTS):
            missing.append(name)
    assert missing == ["class_numbers"], "`class_rule` says in words what they say"


def test_the_filters_of_the_api_are_those_of_the_domain() -> None:
    assert AnswerFilters.model_fields.keys() == {field.name for field in fields(Filters)}
    asked = AnswerFilters(
        industry="Freight", tier="key", owner="Kim@Supplier.example", product="tms", survey_type="ces"
    )
    assert asked.filters() == Filters(
        industry="logistics", tier="key", owner="kim@supplier.example", product="tms", survey_type="ces"
    )


@pytest.mark.parametrize("name", DESCRIBED.operations)
def test_every_call_is_described_and_its_answer_has_an_example(name: str) -> None:
    call = DESCRIBED.operations[name]
    assert len(call["description"]) > 20
    for parameter in call.get("parameters", ()):
        assert parameter.get("description"), parameter["name"]
    for content in call["responses"]["200"]["content"].values():
        assert DESCRIBED.has_example(content["schema"]), name
