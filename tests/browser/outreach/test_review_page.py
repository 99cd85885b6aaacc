"""The page of a business review in a real browser: what counts as opened, and whether everybody can read it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, expect

from services.outreach.app import build
from services.outreach.domain.templates import template_survey
from services.outreach.domain.tokens import Purpose, Tokens
from tests.support.environment import Environment
from tests.support.http import serving
from tests.support.polling import eventually
from tests.support.respondents import SURVEY_ID, put_ask, put_survey, schema

pytestmark = pytest.mark.browser
BAD = ("serious", "critical")
PACK = {
    "account_name": "Northwind Trading Company",
    "from": "2026-03-03T00:00:00Z",
    "to": "2026-06-01T12:00:00Z",
    "scores": [
        {"stakeholder_type": kind, "nps_then": -5, "nps_now": 20, "people_then": 9, "people_now": 10}
        | {"promoter_count": 5, "passive_count": 2, "detractor_count": 3}
        for kind in (None, "decision_maker", "influencer")
    ],
    "became_promoters": 2,
    "became_detractors": 1,
    "open_points": 2,
    "warnings": [],
}
SAID = {"response_id": "r1", "comment": "Late in May, and nobody called. " * 12, "on": "2026-05-20"}
DEED = {
    "what_was_done": "Second driver on the night route.",
    "closed_on": "2026-05-24",
    "promised": "No delivery after 7 a.m.",
    "promised_by": "2026-07-01",
}


@dataclass(frozen=True)
class Review:
    """The page of one recipient on a real server."""

    environment: Environment
    ask_id: UUID
    url: str

    async def ask(self) -> dict[str, Any]:
        """The recipient's ask."""
        async with schema(self.environment) as connection:
            (ask,) = await connection.fetch("select * from asks where ask_id = $1", self.ask_id)
            return dict(ask)


@pytest.fixture
async def review(environment: Environment) -> AsyncIterator[Review]:
    now, review_id, ask_id = datetime.now(UTC), uuid4(), uuid4()
    survey = template_survey("review")
    legal = {"legal_name": "Supplier Ltd", "postal_address": "1 Quay Street", "imprint_url": "https://s.example/i"}
    survey = replace(survey, us="Supplier", legal=replace(survey.legal, privacy_url="https://s.example/p", **legal))
    async with schema(environment) as connection:
        await put_survey(connection, now, survey)
        await connection.execute(
            "insert into business_reviews (review_id, account_id, survey_id, survey_version, held_on, intro, pack,"
            " created_at, created_by, closes_at) values ($1, 'acme', $2, 1, $3, 'Thank you.', $4, $5, 'test', $6)",
            review_id, SURVEY_ID, date(2026, 6, 1), json.dumps(PACK), now, now + timedelta(days=45),
        )  # fmt: skip
        for entry, (kind, content) in enumerate((("said", SAID), ("done", DEED))):
            await connection.execute(
                "insert into review_excerpts (review_id, entry, kind, account_id, content)"
                " values ($1, $2, $3, 'acme', $4)",
                review_id, entry, kind, json.dumps(content),
            )  # fmt: skip
        await put_ask(connection, now, ask_id=ask_id, review_id=review_id, origin="review", channel="review")
    token = Tokens([environment.common.secret_key.get_secret_value()]).made(Purpose.REVIEW, ask_id.bytes)
    async with serving(build(environment.common)) as base:
        yield Review(environment, ask_id, f"{base}/r/{token}")


async def test_c34_a_load_with_scripts_says_nothing_and_the_first_movement_says_it(
    browser: Browser, review: Review
) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    complaints: list[str] = []

    def note_complaint(message: ConsoleMessage) -> None:
        # Browsers ask for this one by themselves, and there is none.
        if urlsplit(message.location["url"]).path != "/favicon.ico":
            complaints.append(message.text)

    page.on("console", note_complaint)
    await page.goto(review.url, wait_until="networkidle")
    told: list[str] = []
    page.on("request", lambda request: told.append(request.method))
    await page.evaluate(
        "() => { scrollTo(0, 2000); for (const kind of ['pointermove', 'keydown', 'wheel', 'scroll'])"
        " window.dispatchEvent(new Event(kind)); }"
    )
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert told == []
    assert (await review.ask())["opened_at"] is None
    await page.mouse.move(100, 100)
    await page.mouse.move(120, 140)
    await page.keyboard.press("Tab")

    async def opened() -> bool:
        return (await review.ask())["opened_at"] is not None

    await eventually(opened, timeout=20)
    assert told == ["POST"]
    assert complaints == []
    await context.close()


async def test_the_question_is_answered_without_scripts(browser: Browser, review: Review) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(review.url)
    await page.locator("input[name=score][value='9']").check()
    await page.locator("input[name='q.service'][value='4']").check()
    await page.get_by_role("button", name="Next").click()
    assert "/s/" in page.url
    ask = await review.ask()
    assert ask["answered_at"] is not None
    assert json.loads(ask["answer"])["values"] == {"service": 4}
    await page.goto(review.url)
    await expect(page.get_by_role("link", name="Add to or change your answer")).to_be_visible()
    await context.close()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_read_the_page(browser: Browser, review: Review, width: int, scheme: Any) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for language in ("en", "de"):
        assert await faults(context, f"{review.url}?lang={language}") == []
    await context.close()


async def faults(context: BrowserContext, url: str) -> list[str]:
    """Findings of axe-core, and content wider than the window."""
    page = await context.new_page()
    await page.goto(url)
    result = await Axe().run(page)
    wrong = []
    for violation in result.response["violations"]:
        if violation["impact"] in BAD:
            wrong.append(f"{violation['id']}: {violation['nodes'][0]['html'][:160]}")
    if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        wrong.append("wider than the window")
    await page.close()
    return wrong
