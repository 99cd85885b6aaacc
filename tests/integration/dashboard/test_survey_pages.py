"""Pages about asking people, drawn from answers of services, and from empty ones."""

import json
from typing import Any

import pytest

from services.dashboard.web.page import Page
from services.dashboard.web.resources import Resources
from services.dashboard.web.surveys.asks import asks
from services.dashboard.web.surveys.beginning import new_survey
from services.dashboard.web.surveys.editor import survey
from services.dashboard.web.surveys.linking import make_links
from services.dashboard.web.surveys.listing import surveys
from services.dashboard.web.surveys.loop_backs import loop_backs
from services.dashboard.web.surveys.many import links
from services.dashboard.web.surveys.objections import objections
from services.dashboard.web.surveys.preview import plain_page
from services.dashboard.web.surveys.review_making import new_review
from services.dashboard.web.surveys.reviews import review, reviews
from services.dashboard.web.surveys.waves import wave, waves
from shared.api import business_reviews, examples
from shared.api import loop_backs as changes
from shared.api import waves as told
from shared.api.reviews import PACK
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import shown
from tests.support.survey_answers import ASK, AT, GROUP, HEAD, LINKS, SUPPRESSION, SURVEY, SURVEY_ID, TEMPLATES, VERSION

REVIEW_ID = business_reviews.REVIEW["review_id"]
SKIPPED = ASK | {"state": "skipped", "outcome": None, "reason": "no_address", "sent_at": None}
WAVE_PEOPLE = "/v1/programmes/prg_1/waves/2026-12-07/people"
LEFT_OUT = told.PERSON | {"state": "skipped", "reason": "excluded", "note": "On leave", "name": "Bo Yi"}
WAITING = changes.LOOP_BACK | {"waiting": 2, "sent": 0}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/surveys": {"items": [HEAD, HEAD | {"survey_id": "srv_2", "name": "Other", "current_version": None}]},
    f"/v1/surveys/{SURVEY_ID}": SURVEY,
    f"/v1/surveys/{SURVEY_ID}/versions": {"items": [VERSION]},
    "/v1/survey-templates": TEMPLATES,
    "/v1/programmes": {"items": []},
    "/v1/asks": {"items": [ASK, SKIPPED]},
    "/v1/asks/summary": {"groups": [GROUP | {"key": SURVEY_ID}]},
    "/v1/suppressions": {"items": [SUPPRESSION]},
    "/v1/business-reviews": {"items": [business_reviews.LISTED]},
    "/v1/business-reviews/due": {"items": [business_reviews.DUE]},
    f"/v1/business-reviews/{REVIEW_ID}": business_reviews.REVIEW,
    "/v1/accounts/acme/stakeholders": {"items": [examples.PERSON]},
    "/v1/reviews/accounts/acme": PACK,
    "/v1/waves": {"items": [told.WAVE]},
    "/v1/loop-backs": {
        "items": [changes.LOOP_BACK, WAITING, changes.LOOP_BACK | {"account_id": None, "theme": "price"}]
    },
    WAVE_PEOPLE: {
        "programme_id": "prg_1",
        "programme_name": "Relationship",
        "day": "2026-12-07",
        "items": [told.PERSON, LEFT_OUT],
    },
}
Case = tuple[Page, dict[str, str], tuple[str, ...]]
PAGES: dict[str, Case] = {
    "surveys": (surveys, {}, ("● version 1, changed since", "○ draft", "German, English", "NPS, the relationship")),
    "new survey": (new_survey, {}, ("How likely …?", "NPS, why, and 1 further question", "2 weeks after sign-up")),
    "survey": (
        survey,
        {"survey_id": SURVEY_ID},
        (
            "2. A rating from 1 to 5: support",
            "1 to look at",
            "as it began",
            "Why",
            "Who asks; the law wants it on the page",
        ),
    ),
    "asks": (
        asks,
        {},
        (
            "● Open",
            "Not asked: no e-mail address",
            "3 planned = 1 not asked + 2 asked",
            "2 asked = 1 answered + 1 open",
        ),
    ),
    "links": (links, {}, ("Make the links", "Their own, where it is known")),
    "objections": (objections, {}, ("by hand or from a file",)),
    "waves": (waves, {}, ("Relationship, twice a year", "12")),
    "loop backs": (
        loop_backs,
        {},
        ("3 = 2 told + 1 not told", " · 1 objected to being asked", "Take back", "Who named price"),
    ),
    "wave": (
        wave,
        {"programme_id": "prg_1", "day": "2026-12-07"},
        ("Waiting", "Leave out", "Not asked: left out by hand", " “On leave”", "Ask again", "Add a person"),
    ),
    "reviews": (reviews, {}, ("1 (100\u00a0%)", "Kim Lee", "Make one")),
    "review": (
        review,
        {"review_id": REVIEW_ID},
        (" · ● opened", "Two late deliveries and nobody called.", "Second driver on the night route."),
    ),
    "share a review": (
        new_review,
        {"account_id": "acme"},
        (" ▼ 6: Two late deliveries and nobody called.", "Make the review and its links"),
    ),
}
NOTHING: dict[str, tuple[Page, dict[str, str], str]] = {
    "surveys": (surveys, {}, "There is no survey yet."),
    "survey": (survey, {"survey_id": SURVEY_ID}, "It was never published."),
    "asks": (asks, {}, "Nobody was to be asked."),
    "links": (links, {}, "No survey is published yet."),
    "objections": (objections, {}, "Nobody has objected."),
    "waves": (waves, {}, "Nobody is to be asked within a fortnight."),
    "loop backs": (loop_backs, {}, "Nobody was told anything yet."),
    "reviews": (reviews, {}, "No review was made yet."),
    "share a review": (new_review, {"account_id": "acme"}, "No survey is published yet."),
}
NO_ASKS: dict[str, Any] = {
    "planned": 0, "waiting": 0, "held": 0, "skipped": 0, "sent": 0, "failed": 0, "withdrawn": 0, "sent_rate": None,
    "reasons": [],
}  # fmt: skip
EMPTY: dict[str, dict[str, Any]] = {path: {"items": []} for path in ANSWERS if ANSWERS[path].keys() == {"items"}} | {
    "/v1/asks/summary": {"groups": [GROUP | NO_ASKS]}
}


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_shows_what_the_services_answer(resources: Resources, services: FakeServices, name: str) -> None:
    services.answers |= ANSWERS
    draw, path, sentences = PAGES[name]
    async with shown(resources, services, draw, path) as page:
        assert page.complaints == {}
        lines = page.text.split("\n")
        assert [sentence for sentence in sentences if sentence not in lines] == []


@pytest.mark.parametrize("name", NOTHING)
async def test_a_page_says_what_to_do_where_there_is_nothing(
    resources: Resources, services: FakeServices, name: str
) -> None:
    services.answers |= ANSWERS | EMPTY
    draw, path, sentence = NOTHING[name]
    async with shown(resources, services, draw, path) as page:
        assert page.complaints == {}
        assert sentence in page.text.split("\n")


@pytest.mark.parametrize("name", ["surveys", "asks", "reviews", "objections"])
async def test_without_outreach_a_page_says_so(resources: Resources, services: FakeServices, name: str) -> None:
    services.answers |= ANSWERS
    services.broken |= ANSWERS.keys()
    draw, path, _ = PAGES[name]
    async with shown(resources, services, draw, path) as page:
        assert set(page.complaints.values()) == {"The service for surveys is not reachable"}


async def test_the_filter_of_asks_is_what_is_asked(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS
    async with shown(resources, services, asks, {}, state="skipped", reason="no_address", account_id="acme"):
        asked = [dict(request.url.params) for request in services.asked if request.url.path == "/v1/asks"]
    assert asked == [{"limit": "200", "state": "skipped", "reason": "no_address", "account_id": "acme"}]


async def test_asks_are_searched_by_the_name_of_an_account(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS
    async with shown(resources, services, asks, {}, account="acme log"):
        paths = ("/v1/asks", "/v1/asks/summary")
        asked = [dict(request.url.params).get("account") for request in services.asked if request.url.path in paths]
    assert asked == ["acme log", "acme log"]


async def test_a_test_to_a_colleague_leads_to_no_page_of_a_customer(
    resources: Resources, services: FakeServices
) -> None:
    test = {"origin": "test", "account_id": "test-sends", "stakeholder_id": "lea@supplier.example", "name": None}
    services.answers |= ANSWERS | {"/v1/asks": {"items": [ASK | test]}}
    async with shown(resources, services, asks, {}) as page:
        links = [str(element.props.get("href")) for element in page.visit.client.elements.values()]
        assert "lea@supplier.example" in page.text.split("\n")
    assert [link for link in links if link.startswith("/accounts/")] == []


@pytest.mark.parametrize("listed", [True, False])
async def test_an_archived_survey_stands_apart_and_is_offered_to_nobody(
    resources: Resources, services: FakeServices, listed: bool
) -> None:
    gone = HEAD | {"survey_id": "srv_gone", "name": "Old one", "archived_at": AT, "archived_by": "key:k3v9x0"}
    services.answers |= ANSWERS | {"/v1/surveys": {"items": [HEAD, gone]}}
    if not listed:
        async with shown(resources, services, links, {}) as page:
            assert "Old one" not in page.text
        return
    async with shown(resources, services, surveys, {}) as page:
        lines = page.text.split("\n")
    assert lines.index("Archived") < lines.index("Old one")
    assert "○ archived" in lines


@pytest.mark.parametrize(
    ("archived", "offered", "not_offered"),
    [(None, ("Publish", "Archive"), "Bring it back"), (AT, ("Bring it back",), "Publish")],
)
async def test_a_survey_is_archived_or_brought_back(
    resources: Resources, services: FakeServices, archived: str | None, offered: tuple[str, ...], not_offered: str
) -> None:
    path = f"/v1/surveys/{SURVEY_ID}"
    services.answers |= ANSWERS | {path: SURVEY | {"archived_at": archived}}
    async with shown(resources, services, survey, {"survey_id": SURVEY_ID}) as page:
        lines = page.text.split("\n")
    assert set(offered) <= set(lines)
    assert not_offered not in lines
    assert ("Make links" in lines) == (archived is None)


def test_plain_text_in_the_frame_is_no_markup() -> None:
    assert "&lt;b&gt;" in plain_page("<b>")
    assert "<b>" not in plain_page("<b>")


async def test_links_that_wait_for_a_first_reading_say_so_and_not_that_outreach_is_away(
    resources: Resources, services: FakeServices
) -> None:
    path = f"/v1/surveys/{SURVEY_ID}/links"
    services.answers |= ANSWERS
    services.refused[path] = (503, {"code": "reading_behind", "detail": "It is still being read who was asked before."})
    async with shown(resources, services, surveys, {}) as page:
        with page.visit.client:
            assert await make_links(page.visit, SURVEY_ID, {"filter": {}}) is None
        messages = page.visit.client.outbox.messages
        said = [data["message"] for _, kind, data in messages if kind == "notify"]
    assert said == ["It is still being read who was asked before."]


async def test_links_are_asked_for_as_chosen(resources: Resources, services: FakeServices) -> None:
    path = f"/v1/surveys/{SURVEY_ID}/links"
    services.answers |= ANSWERS | {path: LINKS}
    async with shown(resources, services, surveys, {}) as page:
        with page.visit.client:
            made = await make_links(page.visit, SURVEY_ID, {"filter": {"tier": "key"}, "language": "de"})
    assert made is not None
    assert [row.url for row in made.items] == [LINKS["items"][0]["url"]]
    sent = [json.loads(request.content) for request in services.asked if request.url.path == path]
    assert sent == [{"filter": {"tier": "key"}, "language": "de"}]
