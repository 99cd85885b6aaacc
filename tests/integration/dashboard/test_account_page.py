"""The page of an account: seven questions, the answers in their sections, and a failing part that breaks no other."""

from collections import Counter
from typing import Any

import pytest

from services.dashboard.web.account.page import account
from services.dashboard.web.account.person import person
from services.dashboard.web.resources import Resources
from shared.api import examples
from shared.api.comparisons import ACCOUNT_COMPARISON
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import shown
from tests.support.follow_ups import FOLLOW_UP
from tests.support.survey_answers import ASK

ACME, ADA = {"account_id": "acme"}, {"account_id": "acme", "stakeholder_id": "ada@acme.example"}
OPEN = FOLLOW_UP | ADA
CLOSED = OPEN | {"state": "closed", "closed_at": "2026-11-21T09:00:00Z", "outcome": "resolved"}
PERSON = examples.PERSON | ADA | {"name": "Ada Lin"}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/accounts/acme": examples.ACCOUNT_DETAIL,
    "/v1/accounts/acme/trend": examples.TREND | {"answers": []},
    "/v1/accounts/acme/stakeholders": {"items": [PERSON]},
    "/v1/accounts/acme/stakeholders/ada@acme.example": PERSON | {"responses": [examples.RESPONSE | ADA]},
    "/v1/responses": {"items": [examples.RESPONSE | ADA | {"comment": "Nobody called back."}]},
    "/v1/changes": {"items": [examples.CHANGE | ADA]},
    "/v1/follow-ups": {"items": [OPEN, CLOSED]},
    "/v1/comparisons/accounts/acme": ACCOUNT_COMPARISON,
    "/v1/asks": {"items": [ASK | ADA]},
}
SECTIONS = {
    "/v1/accounts/acme": {"", "Score", "Satisfaction and effort by touchpoint"},
    "/v1/accounts/acme/trend": {"Trend", "What changed and when"},
    "/v1/accounts/acme/stakeholders": {"Who stands where"},
    "/v1/responses": {"What they said"},
    "/v1/changes": {"What changed and when"},
    "/v1/follow-ups": {"Follow-ups", "What changed and when"},
    "/v1/comparisons/accounts/acme": {"Against the past and the industry"},
}
"""Question → the sections that need its answer. Names are not needed: ids stand for them."""


@pytest.fixture(autouse=True)
def answers(services: FakeServices) -> None:
    services.answers |= ANSWERS


async def test_the_page_of_an_account_asks_seven_questions(resources: Resources, services: FakeServices) -> None:
    async with shown(resources, services, account, ACME) as page:
        assert page.complaints == {}
        assert Counter(page.questions) == dict.fromkeys(SECTIONS, 1)


async def test_the_same_seven_are_asked_when_something_has_changed(
    resources: Resources, services: FakeServices
) -> None:
    async with shown(resources, services, account, ACME) as page:
        services.asked.clear()
        assert await page.visit.refresh()
        assert Counter(page.questions) == dict.fromkeys(SECTIONS, 1)


async def test_every_answer_stands_in_its_section(resources: Resources, services: FakeServices) -> None:
    async with shown(resources, services, account, ACME | {}) as page:
        text = page.text
    lines = text.splitlines()
    for line in ("Acme Logistics", "Nobody called back.", "Ada Lin", "Detractor", "Kim Lee", "no other rule fits"):
        assert line in text
    assert lines.count("Ada Lin") == 6  # map, comment, two follow-ups, category change, closed follow-up
    assert ACCOUNT_COMPARISON["sentence"] in lines


@pytest.mark.parametrize("path", SECTIONS)
async def test_what_one_question_fails_for_says_so_and_the_rest_is_there(
    resources: Resources, services: FakeServices, path: str
) -> None:
    services.broken = {path}
    async with shown(resources, services, account, ACME) as page:
        assert page.complaints.keys() == SECTIONS[path]
        assert all(complaint.endswith("is not reachable") for complaint in page.complaints.values())


async def test_follow_ups_are_listed_with_ids_while_the_scorer_is_away(
    resources: Resources, services: FakeServices
) -> None:
    services.broken = {path for path in SECTIONS if "follow-ups" not in path}
    async with shown(resources, services, account, ACME) as page:
        assert "Follow-ups" not in page.complaints
        assert "ada@acme.example" in page.text


async def test_an_account_where_nothing_has_happened_says_so(resources: Resources, services: FakeServices) -> None:
    for path in ("/v1/accounts/acme/stakeholders", "/v1/responses", "/v1/changes", "/v1/follow-ups"):
        services.answers[path] = {"items": []}
    nothing = {"response_count": 0, "nps": None}
    services.answers["/v1/accounts/acme"] = examples.ACCOUNT_DETAIL | nothing | {"by_stakeholder_type": []}
    services.answers["/v1/accounts/acme/trend"] = examples.TREND | {"answers": [], "marks": []}
    async with shown(resources, services, account, ACME) as page:
        assert page.complaints == {}
        for sentence in (
            "Nobody here has answered in this window.",
            "No comments yet.",
            "No follow-up yet.",
            "Nobody is known at this account.",
            "Nothing has changed yet.",
        ):
            assert sentence in page.text


async def test_an_account_that_is_not_the_persons_to_see_is_one_message(
    resources: Resources, services: FakeServices
) -> None:
    services.refused = {"/v1/accounts/acme": (404, {"code": "unknown_account", "detail": "there is no such account"})}
    async with shown(resources, services, account, ACME) as page:
        assert page.complaints == {}
        assert "There is no such account" in page.text.splitlines()
        assert "Score" not in page.text.splitlines()


async def test_the_page_of_a_person_asks_four_questions(resources: Resources, services: FakeServices) -> None:
    async with shown(resources, services, person, ADA) as page:
        assert page.complaints == {}
        assert len(page.questions) == len(set(page.questions)) == 4
        assert "Ada Lin" in page.text


async def test_the_page_of_a_person_shows_their_further_ids_and_the_earlier_line(
    resources: Resources, services: FakeServices
) -> None:
    line = {"account_id": "bolt", "stakeholder_id": "ada"}
    path = "/v1/accounts/acme/stakeholders/ada@acme.example"
    services.answers[path] = ANSWERS[path] | {"aliases": ["C-17"], "previous": line}
    async with shown(resources, services, person, ADA) as page:
        shown_text = page.text.splitlines()
        assert {"C-17 ", "Part", "ada", "bolt"} <= set(shown_text)


async def test_likely_doubles_are_looked_for_only_when_asked(resources: Resources, services: FakeServices) -> None:
    async with shown(resources, services, account, ACME) as page:
        assert "Likely doubles" in page.text
        assert "/v1/accounts/acme/doubles" not in page.questions
