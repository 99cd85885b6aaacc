"""Pages about programmes, drawn from answers of outreach, and from empty ones."""

import json
from typing import Any

import pytest

from services.dashboard.domain.users import Role
from services.dashboard.web.page import Page
from services.dashboard.web.programmes.beginning import new_programme
from services.dashboard.web.programmes.detail import programme
from services.dashboard.web.programmes.editing import editing
from services.dashboard.web.programmes.listing import programmes
from services.dashboard.web.programmes.steps import LOOK_FIRST, Steps
from services.dashboard.web.resources import Resources
from services.dashboard.web.surveys.asks import asks
from shared.api.programmes import Programme
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import Shown, shown, shown_as
from tests.support.survey_answers import ASK, DRY_RUN, GROUP, HEAD, PROGRAMME, PROGRAMME_ID, SURVEY, SURVEY_ID, WAVE

ONE = {"programme_id": PROGRAMME_ID}
PATH = f"/v1/programmes/{PROGRAMME_ID}"
SEEN = {"dry_run_at": "2026-11-22T09:00:00Z"}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/surveys": {"items": [HEAD]},
    f"/v1/surveys/{SURVEY_ID}": SURVEY,
    "/v1/programmes": {"items": [PROGRAMME, PROGRAMME | {"programme_id": "prg_2", "name": "Other", "state": "draft"}]},
    "/v1/programmes/calendar": {"items": [WAVE, WAVE | {"owner": None, "count": 3}]},
    PATH: PROGRAMME,
    f"{PATH}/dry-run": DRY_RUN,
    "/v1/asks": {"items": [ASK | {"origin": "programme", "programme_id": PROGRAMME_ID, "programme_name": "Twice"}]},
    "/v1/asks/summary": {"groups": [GROUP | {"key": PROGRAMME_ID}]},
}
PAGES: dict[str, tuple[Page, dict[str, str], tuple[str, ...]]] = {
    "programmes": (
        programmes,
        {},
        ("● running", "○ draft", "Every 91 days, decision-makers every 182 days", "lea@supplier.example 12, nobody 3"),
    ),
    "new": (new_programme, {}, ("After a delivery", "Before the renewal", "Begin with this")),
    "programme": (
        programme,
        ONE,
        (
            "It would ask 143 people at 21 accounts",
            "12 of them wait first; 9 more are not asked; nobody is asked at 3 accounts.",
            "Not yet: asked too recently",
            "Tier: Key",
            "7 days and 14 days after the invitation",
            "Pause",
        ),
    ),
    "edit": (editing, ONE, ("Whom: people for whom all of this holds; empty is everybody", " Tuesday", "Save")),
    "asks": (asks, {}, ("Twice", " by mail", "Relationship, twice a year", "Resend", "Link", "Withdraw")),
}
NOTHING: dict[str, tuple[Page, dict[str, Any], str]] = {
    "programmes": (programmes, {"/v1/programmes": {"items": []}}, "There is no programme yet."),
    "calendar": (programmes, {"/v1/programmes/calendar": {"items": []}}, "No wave is coming."),
    "new": (new_programme, {"/v1/surveys": {"items": []}}, "No survey is published yet."),
}


def buttons(page: Shown) -> set[str]:
    """What the buttons and links that look like buttons say."""
    found = set()
    for element in page.visit.client.elements.values():
        if element.tag == "button" or "button" in element.classes:
            found.add(str(getattr(element, "text", "")))
    return found


def sent(services: FakeServices, path: str) -> list[Any]:
    return [json.loads(request.content or "null") for request in services.asked if request.url.path == path]


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_shows_what_outreach_answers(resources: Resources, services: FakeServices, name: str) -> None:
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
    draw, empty, sentence = NOTHING[name]
    services.answers |= ANSWERS | empty
    async with shown(resources, services, draw, {}) as page:
        assert page.complaints == {}
        assert sentence in page.text.split("\n")


async def test_the_state_and_the_owner_of_the_address_choose(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS
    async with shown(resources, services, programmes, {}, state="draft", owner="nobody") as page:
        lines = page.text.split("\n")
    assert "Other" in lines
    assert "nobody 3" in lines
    assert "lea@supplier.example 12, nobody 3" not in lines


@pytest.mark.parametrize(
    ("fields", "offered", "not_offered"),
    [
        ({"state": "draft", "dry_run_at": None}, {"See what it would do", "Change", "End"}, {"Start", "Pause"}),
        ({"state": "draft", "begun_on": None} | SEEN, {"Start", "Look again"}, {"Pause", "Resume"}),
        ({"state": "paused"} | SEEN, {"Resume"}, {"Pause", "Start"}),
        ({"state": "paused", "dry_run_at": "2026-10-01T09:00:00Z"}, {"See what it would do"}, {"Resume"}),
        ({"state": "running"} | SEEN, {"Pause", "Look again", "Change", "End"}, {"Start"}),
        ({"state": "ended"} | SEEN, {"Duplicate"}, {"Start", "Pause", "Change", "End"}),
    ],
)
async def test_only_what_can_be_done_is_offered(
    resources: Resources,
    services: FakeServices,
    fields: dict[str, Any],
    offered: set[str],
    not_offered: set[str],
) -> None:
    services.answers |= ANSWERS | {PATH: PROGRAMME | fields}
    async with shown(resources, services, programme, ONE) as page:
        found = buttons(page)
    assert offered <= found
    assert not not_offered & found


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ACCOUNT_MANAGER])
async def test_who_may_not_manage_reads_without_buttons_that_would_be_refused(
    resources: Resources, services: FakeServices, role: Role
) -> None:
    services.answers |= ANSWERS
    async with shown_as(role, resources, services, programme, ONE) as page:
        found, asked = buttons(page), page.questions
        lines = page.text.split("\n")
    assert not found & {"Start", "Pause", "Change", "End", "Duplicate", "Look again"}
    assert "Every 91 days, decision-makers every 182 days" in lines
    assert (f"{PATH}/dry-run" in asked) == (role is Role.VIEWER), "counts of all accounts are not theirs"


async def test_a_programme_that_was_changed_says_that_the_look_is_old(
    resources: Resources, services: FakeServices
) -> None:
    services.answers |= ANSWERS | {PATH: PROGRAMME | {"revision": 4, "dry_run_at": None, "state": "paused"}}
    async with shown(resources, services, programme, ONE) as page:
        assert "The programme was changed since: look again before it is started." in page.text.split("\n")


async def test_before_the_first_look_there_is_none(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS
    services.refused[f"{PATH}/dry-run"] = (404, {"code": "no_dry_run", "detail": "nobody has looked"})
    async with shown(resources, services, programme, ONE) as page:
        assert page.complaints == {}
        assert "Nobody has looked yet." in page.text.split("\n")


async def test_steps_are_taken_by_the_api_and_noted(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS | {f"{PATH}/pause": PROGRAMME, f"{PATH}/duplicate": PROGRAMME | {"name": "Copy"}}
    async with shown(resources, services, programme, ONE) as page:
        with page.visit.client:
            steps = Steps(page.visit, Programme.model_validate(PROGRAMME))
            await steps.look()
            await steps._pause()
            copied = await steps.duplicate()
    assert copied is not None
    assert copied.name == "Copy"
    assert len(sent(services, f"{PATH}/pause")) == 1
    noted = {(entry.action, entry.subject) for entry in await resources.desk.journal()}
    assert {("paused_programme", PROGRAMME["name"]), ("made_programme", "Copy")} <= noted


async def test_why_it_does_not_start_is_said_in_words(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS
    services.refused[f"{PATH}/start"] = (409, {"code": "dry_run_first", "detail": "POST …/dry-run"})
    async with shown(resources, services, programme, ONE) as page:
        with page.visit.client:
            await Steps(page.visit, Programme.model_validate(PROGRAMME))._start()
        messages = page.visit.client.outbox.messages
        assert [data["message"] for _, kind, data in messages if kind == "notify"] == [LOOK_FIRST]
    assert "started_programme" not in {entry.action for entry in await resources.desk.journal()}


async def test_the_programme_of_the_address_chooses_the_asks(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS
    async with shown(resources, services, asks, {}, programme_id=PROGRAMME_ID, state="waiting,held") as page:
        paths = ("/v1/asks", "/v1/asks/summary")
        asked = [request.url.params for request in page.services.asked if request.url.path in paths]
        assert {query.get("programme_id") for query in asked} == {PROGRAMME_ID}
