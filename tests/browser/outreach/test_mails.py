"""Mails as a browser shows them: narrow and wide, light and dark, in every language and from right to left."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from services.outreach.domain.languages import COMPLETE
from services.outreach.domain.weekly import Week
from services.outreach.gateways.letters import Invitation, letter_of
from services.outreach.gateways.notes import Note, Part, Words, letter_of_note
from shared.mail import Mailbox
from tests.support.letters import every_kind, from_right_to_left, invitation, survey_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
WIDTHS = (320, 480, 800)
BAD = ("serious", "critical")
COLOURS = ("#ffee00", "#101010", "#8a8a8a")
"""Of companies: too light for a light page, too dark for a dark one, and between."""
GROUND = ":root { background: Canvas }"
"""What the mail stands on in either scheme, since axe-core takes a ground that is not set for white."""
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_mails_can_be_read_at_every_width(browser: Browser, scheme: Literal["light", "dark"]) -> None:
    mails = [mail for language in COMPLETE for mail in every_kind(language).values()]
    mails += [invitation(survey=replace(survey_of(), colour=colour)) for colour in COLOURS]
    mails += [from_right_to_left(), invitation(account_name=LONG, to=Mailbox("ann@acme.example", LONG))]
    context = await browser.new_context(color_scheme=scheme)
    page = await context.new_page()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    for mail in mails:
        await page.set_content(html_of(mail))
        await page.add_style_tag(content=GROUND)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 700})
            assert not await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), mail.language
        assert await faults(page) == []
    assert loaded == [], "a mail loads nothing"
    await context.close()


async def test_numbers_are_large_enough_to_be_touched_and_zero_is_where_reading_begins(browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 320, "height": 700})
    for mail, begins_left in ((invitation(), True), (from_right_to_left(), False)):
        await page.set_content(html_of(mail))
        boxes = [await link.bounding_box() for link in await page.locator(".score a").all()]
        places = [box["x"] for box in boxes if box is not None]
        assert len(places) == 11
        assert (places == sorted(places)) is begins_left
        assert all(box["width"] >= 20 and box["height"] >= 40 for box in boxes if box is not None)
    await page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_leaders_mail_can_be_read_at_every_width(
    browser: Browser, scheme: Literal["light", "dark"], tmp_path: Path
) -> None:
    context = await browser.new_context(color_scheme=scheme)
    page = await context.new_page()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    html = letter_of_note(weekly_note()).html
    assert html is not None
    assert len(html.encode()) < 30_000
    await page.set_content(html)
    await page.add_style_tag(content=GROUND)
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 700})
        assert not await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        await page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)
    assert await faults(page) == []
    assert loaded == [], "a mail loads nothing"
    await context.close()


def weekly_note() -> Note:
    """The mail of a week in which much happened, with names as long as they get."""
    many = Counter({f"{LONG} {number}": 3 for number in range(20)})
    week = Week(32, 28, 61, False, many, many, tuple(many), tuple(many), many, many)
    parts = []
    for section in week.sections():
        label, path = section.page
        parts.append(Part(section.title, section.lines, (label, f"https://tellback.supplier.example{path}")))
    leader = Mailbox("ida@supplier.example")
    words = Words(
        "Customers last week", [week.headline()], parts=parts, small=["Because."], small_links=[("Stop", "#")]
    )
    return Note(leader, leader, words, "<1@supplier.example>", datetime(2026, 6, 15, 7, tzinfo=UTC))


def html_of(mail: Invitation) -> str:
    html = letter_of(mail).html
    assert html is not None
    return html


async def faults(page: Page) -> list[str]:
    """Serious findings of axe-core, among them contrasts."""
    result = await Axe().run(page)
    wrong = []
    for violation in result.response["violations"]:
        if violation["impact"] in BAD:
            wrong.append(f"{violation['id']}: {violation['nodes'][0]['html'][:160]}")
    return wrong
