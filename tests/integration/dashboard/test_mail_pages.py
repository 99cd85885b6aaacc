"""Pages about mails: those that came back, the sending domain, files of objections and of asks."""

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from fastapi import FastAPI
from nicegui import ui

from services.dashboard.domain import bounces as told
from services.dashboard.web.bring import transfer
from services.dashboard.web.forms import SESSION
from services.dashboard.web.resources import Resources
from services.dashboard.web.surveys import objections_file
from services.dashboard.web.surveys.asks import asks
from services.dashboard.web.surveys.bounces import bounces
from services.dashboard.web.surveys.editor import survey
from services.dashboard.web.surveys.objections import objections
from services.dashboard.web.surveys.sending_domain import sending_domain
from shared.api.asks import SuppressionsAdded
from shared.api.bounces import Bounce
from shared.api.sending_domain import SendingDomain
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import shown
from tests.support.survey_answers import ASK, GROUP, HEAD, SUPPRESSION, SURVEY, SURVEY_ID, example_of, first_example

BOUNCE = example_of(Bounce) | {"corrected_at": None}
UNMATCHED = BOUNCE | dict.fromkeys(("ask_id", "account_id", "stakeholder_id", "account_name", "name", "email")) | {
    "bounce_id": "01985b3c-7d0e-7b6a-9f1e-2d3c4b5a6979",
    "effect": "unmatched",
    "recipient_domain": "acme.example",
}  # fmt: skip
DOMAIN = first_example(SendingDomain)
GOOD = {
    "ok": True,
    "checks": [DOMAIN["checks"][0] | {"state": "ok", "fix": "", "record": None}],
    "note": DOMAIN["note"],
}
ADDED = example_of(SuppressionsAdded)
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/bounces": {"items": [BOUNCE, UNMATCHED]},
    "/v1/sending-domain": DOMAIN,
    "/v1/suppressions": {"items": [SUPPRESSION]},
    "/v1/surveys": {"items": [HEAD]},
    f"/v1/surveys/{SURVEY_ID}": SURVEY,
    "/v1/programmes": {"items": []},
    "/v1/asks": {"items": [ASK]},
    "/v1/asks/summary": {"groups": [GROUP]},
}


async def test_mails_that_came_back_say_whose_they_were_and_what_they_led_to(
    resources: Resources, services: FakeServices
) -> None:
    services.answers |= ANSWERS
    async with shown(resources, services, bounces, {}) as page:
        assert page.complaints == {}
        lines = page.text.split("\n")
    assert lines.count("Correct the address") == 1, "there is nobody to correct of a mail that is not ours"
    for sentence in ("the address takes no mail (5.1.1)", told.EFFECTS["bounced"], "somebody at acme.example"):
        assert sentence in lines


async def test_a_corrected_address_is_not_to_be_corrected_again(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS | {"/v1/bounces": {"items": [example_of(Bounce)]}}
    async with shown(resources, services, bounces, {}) as page:
        lines = page.text.split("\n")
    assert " ✓ corrected " in lines
    assert "Correct the address" not in lines


@pytest.mark.parametrize(("effect", "asked"), [("unmatched", ["unmatched"]), ("anything", [])])
async def test_what_mails_led_to_is_chosen_by_the_address(
    resources: Resources, services: FakeServices, effect: str, asked: list[str]
) -> None:
    services.answers |= ANSWERS | {"/v1/bounces": {"items": []}}
    async with shown(resources, services, bounces, {}, effect=effect) as page:
        assert "No mail came back." in page.text.split("\n")
        [query] = [request.url.params for request in services.asked if request.url.path == "/v1/bounces"]
    assert query.get_list("effect") == asked


async def test_the_sending_domain_says_what_to_do_and_gives_the_record(
    resources: Resources, services: FakeServices
) -> None:
    services.answers |= ANSWERS
    async with shown(resources, services, sending_domain, {}) as page:
        lines = page.text.split("\n")
        values = [element.props.get("value") for element in page.visit.client.elements.values()]
        await page.visit.refresh()
        assert page.questions.count("/v1/sending-domain") == 1, "the DNS is asked again by the button alone"
    assert "✕ supplier.example: DMARC: to be mended" in lines
    assert "What to do: publish one; p=none turns nothing away." in lines
    assert {"_dmarc.supplier.example", "v=DMARC1; p=none"} <= set(filter(None, values))
    assert DOMAIN["note"] in lines


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (GOOD, "✓ Nothing is to be mended."),
        ({"ok": False, "checks": [], "note": None}, "No mail server or no sending domain is set, so no mail is sent."),
    ],
)
async def test_the_sending_domain_says_how_it_stands(
    resources: Resources, services: FakeServices, answer: dict[str, Any], sentence: str
) -> None:
    services.answers |= ANSWERS | {"/v1/sending-domain": answer}
    async with shown(resources, services, sending_domain, {}) as page:
        assert sentence in page.text.split("\n")


async def test_a_file_of_objections_is_sent_as_it_is(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS | {"/v1/suppressions": ADDED | {"items": [SUPPRESSION]}}
    async with shown(resources, services, objections, {}) as page:
        with page.visit.client:
            added = await objections_file._send(page.visit, b"email\nada@acme.example\n")
            place = ui.element("div")
            objections_file._show(place, added)
        assert "2 addresses are new on the list, 1 were there already." in page.text.split("\n")
    [sent] = [request for request in services.asked if request.method == "POST" and "suppressions" in request.url.path]
    assert (sent.content, sent.headers["content-type"]) == (b"email\nada@acme.example\n", "text/csv")


@pytest.mark.parametrize(
    ("name", "query", "path"),
    [
        ("asks", "state=skipped&survey_id=srv_1", "/v1/asks"),
        ("objections", "", "/v1/suppressions"),
        ("accounts", "", "/v1/exports/accounts.csv"),
    ],
)
async def test_what_is_listed_can_be_downloaded(
    resources: Resources, services: FakeServices, name: str, query: str, path: str
) -> None:
    password = await resources.desk.first_admin()
    token = await resources.signing_in.sign_in("admin", password or "", "here")
    app = FastAPI()
    app.include_router(transfer.router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here", cookies={SESSION: token}) as client:
        answer = await client.get(f"/exports/{name}.csv?{query}")
    assert answer.status_code == 200
    assert f'filename="{name}.csv"' in answer.headers["content-disposition"]
    [asked] = [request.url for request in services.asked if request.url.path == path]
    expected = {} if name == "accounts" else parse_qs(query) | {"format": ["csv"]}
    assert parse_qs(asked.query.decode()) == expected


async def test_asks_are_downloaded_as_they_are_chosen(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS
    async with shown(resources, services, asks, {}, state="sent", account="acme") as page:
        targets = [element.props.get("href") for element in page.visit.client.elements.values()]
    assert "/exports/asks.csv?state=sent&account=acme" in targets


async def test_a_survey_that_is_published_is_sent_to_oneself(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS | {f"/v1/surveys/{SURVEY_ID}/versions": {"items": []}}
    services.answers |= {"/v1/survey-templates": {name: [] for name in ("templates", "presets", "questions")}}
    services.answers["/v1/survey-templates"] |= {"wordings": [], "drafts": []}
    async with shown(resources, services, survey, {"survey_id": SURVEY_ID}) as page:
        assert "Send me a test" in page.text.split("\n")
