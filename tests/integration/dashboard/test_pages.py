"""Pages drawn from answers of services, and from empty ones."""

from typing import Any

import pytest

from services.dashboard.web.account.explanation import explain
from services.dashboard.web.answers import answers
from services.dashboard.web.follow_ups.board import follow_ups
from services.dashboard.web.follow_ups.detail import follow_up
from services.dashboard.web.page import Page
from services.dashboard.web.people import people
from services.dashboard.web.portfolio.page import portfolio, reach_and_drivers
from services.dashboard.web.resources import Resources
from services.dashboard.web.review import review
from shared.api import benchmark_funnel, business, examples, reach, reviews
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import shown
from tests.support.follow_ups import FOLLOW_UP, FOLLOW_UP_DETAIL, SUMMARY, WHY
from tests.support.survey_answers import GROUP

FOLLOW_UP_ID = FOLLOW_UP["follow_up_id"]
METHODS = ("latest", "all", "mean_of_accounts", "revenue_weighted")
PORTFOLIO_GROUPS = [
    group | {"method": method, "group": {"owner": "kim@supplier.example"}}
    for group in examples.PORTFOLIO["groups"]
    for method in METHODS
]
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/portfolio/score": examples.PORTFOLIO | {"groups": PORTFOLIO_GROUPS},
    "/v1/portfolio/trend": examples.PORTFOLIO_TREND,
    "/v1/portfolio/funnel": reach.FUNNEL | {"groups": [reach.FUNNEL["groups"][0] | {"group": {"owner": None}}]},
    "/v1/portfolio/coverage": reach.GAPS,
    "/v1/response-targets": {"items": []},
    "/v1/portfolio/revenue": business.REVENUE,
    "/v1/drivers": business.DRIVERS,
    "/v1/accounts": {"items": [examples.ACCOUNT]},
    "/v1/changes": {"items": [examples.CHANGE]},
    "/v1/responses": {"items": [examples.RESPONSE]},
    f"/v1/responses/{examples.STATE['latest']['response_id']}": examples.RESPONSE,
    "/v1/stakeholders": {"items": [examples.PERSON]},
    "/v1/accounts/acme/stakeholders": {"items": [examples.PERSON]},
    "/v1/explain": examples.EXPLANATION,
    "/v1/names": {"items": []},
    "/v1/follow-ups": {"items": [FOLLOW_UP]},
    "/v1/follow-ups/summary": SUMMARY,
    f"/v1/follow-ups/{FOLLOW_UP_ID}": FOLLOW_UP_DETAIL,
    f"/v1/follow-ups/{FOLLOW_UP_ID}/why": WHY,
    "/v1/reviews/accounts/acme": reviews.PACK,
    "/v1/asks/summary": {"groups": [GROUP]},
    "/v1/funnel": benchmark_funnel.FUNNEL,
}
ACME = {"account_id": "acme"}
Case = tuple[Page, dict[str, str], dict[str, str], tuple[str, ...]]
PAGES: dict[str, Case] = {
    "portfolio": (
        portfolio,
        {},
        {},
        ("Acme Logistics", "The same, counted in other ways", "Fell: 1 respondent"),
    ),
    "reach": (
        reach_and_drivers,
        {},
        {},
        (
            *("Reliability", "Were the friendly ones asked?", "2 asked = 1 answered + 1 open"),
            *(benchmark_funnel.GROUP["sentence"], "Sent with a business review"),
        ),
    ),
    "people": (people, {}, {"category": "detractor"}, ("Ada Roe", "Their follow-ups")),
    "answers": (answers, {}, {}, ("Two late deliveries and nobody called.", "1 answer")),
    "board": (follow_ups, {}, {}, ("Open (1)", "Detractor", "acme")),
    "list": (follow_ups, {}, {"view": "list"}, ("Due, or closed", "acme")),
    "loop": (follow_ups, {}, {"view": "loop"}, ("Loops closed", "Their follow-ups go to the default owner.")),
    "follow-up": (follow_up, {"follow_up_id": FOLLOW_UP_ID}, {}, ("Call them.", "Opened by hand, not by a rule.")),
    "review": (review, ACME, {"audience": "internal", "days": "91"}, ("You said, we did", "Everybody")),
    "explanation": (explain, ACME, {}, ("1 answer: a later answer of the same person counts", "Acme Logistics")),
}
EMPTY = (
    *("/v1/accounts", "/v1/changes", "/v1/responses", "/v1/stakeholders", "/v1/follow-ups"),
    "/v1/accounts/acme/stakeholders",
)
NOTHING: dict[str, tuple[Page, dict[str, str], str]] = {
    "moves": (portfolio, {}, "Nobody."),
    "due": (portfolio, {}, "Nothing is due."),
    "silent": (portfolio, {}, "None: somebody answered at every key and premium account that renews soon."),
    "people": (people, {}, "Nobody is known yet."),
    "answers": (answers, {}, "Nobody has answered yet."),
    "board": (follow_ups, {}, "There is no follow-up here yet."),
    "list": (follow_ups, {"view": "list"}, "There is no follow-up here yet."),
    "people of a category": (people, {"category": "passive"}, "No people match these filters."),
    "answers of a survey": (answers, {"survey_type": "csat"}, "No answers match these filters."),
    "critical ones": (follow_ups, {"severity": "critical"}, "No follow-ups match these filters."),
}


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_shows_what_the_services_answer(resources: Resources, services: FakeServices, name: str) -> None:
    services.answers |= ANSWERS
    draw, path, query, sentences = PAGES[name]
    async with shown(resources, services, draw, path, **query) as page:
        assert page.complaints == {}
        lines = page.text.splitlines()
        assert [sentence for sentence in sentences if sentence not in lines] == []


@pytest.mark.parametrize("name", NOTHING)
async def test_a_page_says_that_there_is_nothing(resources: Resources, services: FakeServices, name: str) -> None:
    services.answers |= ANSWERS | {path: {"items": []} for path in EMPTY}
    draw, query, sentence = NOTHING[name]
    async with shown(resources, services, draw, {}, **query) as page:
        assert page.complaints == {}
        assert sentence in page.text.splitlines()


async def test_deliveries_that_nobody_reported_are_no_step_of_the_funnel(
    resources: Resources, services: FakeServices
) -> None:
    unknown = {"delivered_count": None, "delivered_rate": None, "warnings": ["deliveries_not_reported"]}
    group = reach.FUNNEL["groups"][0] | {"group": {"owner": None}} | unknown
    services.answers |= ANSWERS | {"/v1/portfolio/funnel": reach.FUNNEL | {"groups": [group]}}
    async with shown(resources, services, reach_and_drivers, {}) as page:
        assert page.complaints == {}
        lines = page.text.splitlines()
        assert "Delivered" not in lines
        assert "Answered" in lines
        assert "No deliveries were reported: links, and many mailers, never say whether they arrived." in lines
        assert "1 invitation withdrawn before an answer" in lines
