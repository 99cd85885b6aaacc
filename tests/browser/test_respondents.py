"""The pages of respondents in a real browser: without script, by keyboard alone, narrow and wide, light, dark, from
right to left, in forced colours."""

import base64
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from services.outreach.domain.shipped import draft_texts
from services.outreach.domain.surveys import Survey
from shared.clock import SystemClock
from tests.support.environment import Environment
from tests.support.http import serving
from tests.support.respondents import Respondents, relationship, respondents

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PICTURES = Path(os.environ.get("TELLBACK_TEST_PICTURES", "build/pictures"))
WAIT_MS = 15_000
ADDRESS = "ada@acme.example"
BRANDED = {"#ffd400": 3, "#0b0b3b": 4}
"""Colour to the version of the survey that has it: one is unreadable on white, one on black."""
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BAD = ("serious", "critical")
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Look:
    """How a browser shows pages."""

    width: int
    scheme: Scheme = "light"
    forced: bool = False

    async def context(self, browser: Browser, *, script: bool = True) -> BrowserContext:
        """A context of this look."""
        colours: Literal["active", "none"] = "none"
        if self.forced:
            colours = "active"
        return await browser.new_context(
            viewport={"width": self.width, "height": 800},
            color_scheme=self.scheme,
            forced_colors=colours,
            java_script_enabled=script,
            locale="en-GB",
        )


LOOKS = {
    "wide-light": Look(1280), "wide-dark": Look(1280, "dark"), "phone-light": Look(390),
    "phone-dark": Look(390, "dark"), "small-light": Look(320), "phone-forced": Look(390, forced=True),
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """The pages on a real server."""

    respondents: Respondents
    url: str

    async def link(self, **columns: Any) -> str:
        """The address of the page of a new ask."""
        digest = self.respondents.tokens.address_hash(ADDRESS).digest
        return self.url + self.respondents.link(await self.respondents.ask(address_hash=digest, **columns))

    @property
    def stop_link(self) -> str:
        """The address of the page on which Ada objects."""
        return self.url + self.respondents.stop_link(ADDRESS)

    async def answers(self) -> list[dict[str, object]]:
        """What was told of answers: the body of the response, and of its amendments."""
        return [call["body"] for call in await self.respondents.calls() if "/v1/responses" in call["path"]]


@pytest.fixture(scope="module")
async def module_pages(module_database_only: Environment) -> AsyncIterator[Site]:
    async with (
        respondents(module_database_only, SystemClock()) as found,
        serving(found.app, lifespan="off") as url,
    ):
        await found.publish(with_arabic(), version=2)
        upload = {"content": base64.b64encode(PNG).decode()}
        logo = (await found.client.post("/v1/survey-logos", json=upload, headers=found.key)).json()["logo"]
        for colour, version in BRANDED.items():
            await found.publish(branded(colour, logo), version=version)
        yield Site(found, url)


@pytest.fixture
async def pages(module_pages: Site) -> AsyncIterator[Site]:
    yield module_pages
    await module_pages.respondents.forget()


def with_arabic() -> Survey:
    """The survey with the shipped question in Arabic."""
    survey = relationship()
    return replace(survey, texts={**survey.texts, "ar": draft_texts("ar")})


def branded(colour: str, logo: str) -> Survey:
    """The survey with a colour, a logo, and a call for detractors."""
    offered = replace(relationship(), booking_url="https://calls.example/all", booking_for=("detractor",))
    return replace(offered, colour=colour, logo=logo)


@asynccontextmanager
async def opened(browser: Browser, look: Look, *, script: bool = True) -> AsyncIterator[Page]:
    """A page; whatever the browser complains of fails the test."""
    context = await look.context(browser, script=script)
    page = await context.new_page()
    page.set_default_timeout(WAIT_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: complaints.append(told.text) if "Content Security Policy" in told.text else None)
    yield page
    assert await context.cookies() == []
    await context.close()
    assert complaints == []


async def faults(page: Page, name: str) -> list[str]:
    """Findings of axe-core, content wider than the window, targets smaller than 24 pixels."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=True)
    wrong = list(_found(await Axe().run(page)))
    if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        wrong.append("wider than the window")
    small = await page.evaluate(
        "[...document.querySelectorAll('button, summary, .scale label, .option, .links a')]"
        ".filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect())"
        ".filter(r => r.height < 24 || r.width < 24).length"
    )
    if small:
        wrong.append(f"{small} targets are too small")
    return wrong


def _found(result: Any) -> Iterator[str]:
    for violation in result.response["violations"]:
        if violation["impact"] in BAD:
            yield f"{violation['id']}: {violation['nodes'][0]['html'][:160]}"


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_fits_and_is_accessible(browser: Browser, pages: Site, look: str) -> None:
    found: dict[str, list[str]] = {}
    link = await pages.link()
    async with opened(browser, LOOKS[look]) as page:

        async def look_at(name: str) -> None:
            found[name] = await faults(page, f"respondents-{name}-{look}")

        await page.goto(link)
        await look_at("question")
        await page.goto(f"{link}?s=9")
        await look_at("chosen")
        await page.goto(f"{link}?lang=de")
        await look_at("german")
        await page.goto(f"{await pages.link(survey_version=2)}?lang=ar")
        await look_at("arabic")
        await page.goto(link)
        await page.get_by_role("radio", name="4, of 0 to 10", exact=True).check()
        await page.get_by_role("button", name="Next").click()
        await look_at("reason")
        await page.get_by_role("button", name="Next").click()
        await look_at("details")
        await page.get_by_role("button", name="That is all").click()
        await look_at("thanks")
        await page.goto(link)
        await page.locator("details").first.locator("summary").click()
        await look_at("again")
        await page.goto(await pages.link(closes_at=SystemClock().now()))
        await look_at("expired")
        await page.goto(pages.stop_link)
        await look_at("stop")
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("colour", ["#ffd400", "#0b0b3b"])
async def test_a_page_in_the_colours_of_the_company_can_be_read(
    browser: Browser, pages: Site, look: str, colour: str
) -> None:
    found: dict[str, list[str]] = {}
    async with opened(browser, LOOKS[look]) as page:
        link = await pages.link(survey_version=BRANDED[colour])
        for name, query in (("branded", "s=9"), ("branded-german", "s=3&lang=de"), ("branded-again", "")):
            await page.goto(f"{link}?{query}")
            found[name] = await faults(page, f"respondents-{name}-{colour[1:]}-{look}")
            if name == "branded-german":
                await page.locator("button.main").click()
                await page.locator("button[name=finished]").click()
                await expect(page.get_by_role("link", name="Einen Termin für ein Gespräch wählen")).to_be_visible()
                await expect(page.get_by_role("img", name="Supplier")).to_be_visible()
                found["thanks"] = await faults(page, f"respondents-branded-thanks-{colour[1:]}-{look}")
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


async def test_everything_works_without_script(browser: Browser, pages: Site) -> None:
    async with opened(browser, Look(390), script=False) as page:
        await page.goto(await pages.link())
        await page.get_by_role("radio", name="9, of 0 to 10", exact=True).check()
        await page.locator("details.languages summary").click()
        await page.get_by_role("button", name="Deutsch").click()
        await expect(page.get_by_role("radio", name="9,")).to_be_checked()
        await page.get_by_role("textbox").fill("Immer pünktlich.")
        await page.locator("button.main").click()
        await page.locator("input[name=call][value=no]").check()
        await page.locator("button[name=finished]").click()
        await expect(page.locator("h1")).to_contain_text("Vielen Dank")
        [response] = await pages.answers()  # "no" says nothing that the collector does not take for granted
        assert (response["score"], response["language"], response["comment"]) == (9, "de", "Immer pünktlich.")
        await page.goto(pages.stop_link)
        await page.get_by_role("button", name="Stop all these mails").click()
        await expect(page.get_by_role("status")).to_contain_text("Done.")


async def test_one_answers_by_keyboard_and_an_arrow_sends_nothing(browser: Browser, pages: Site) -> None:
    async with opened(browser, Look(1280)) as page:
        link = await pages.link()
        await page.goto(link)
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("radio", name="0, of 0 to 10", exact=True)).to_be_focused()
        await page.keyboard.press("Space")
        for _ in range(7):
            await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("radio", name="7, of 0 to 10", exact=True)).to_be_checked()
        assert page.url == link
        assert await pages.answers() == []
        outline = await page.evaluate(
            "getComputedStyle(document.querySelector('.scale input:checked + span')).outlineStyle"
        )
        assert outline == "solid", "the focus is visible"
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("textbox", name="What is missing for a 9?")).to_be_visible()
        await page.keyboard.press("Tab")
        await page.keyboard.type("Faster replies.")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="That is all")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("Thank you!")
        _, amended = await pages.answers()
        assert amended["comment"] == "Faster replies."


async def test_zero_is_on_the_right_where_one_writes_from_right_to_left(browser: Browser, pages: Site) -> None:
    async with opened(browser, Look(1280)) as page:
        await page.goto(f"{await pages.link(survey_version=2)}?lang=ar")
        first, last = page.locator(".scale label").first, page.locator(".scale label").last
        zero, ten = await first.bounding_box(), await last.bounding_box()
        assert zero is not None
        assert ten is not None
        assert zero["x"] > ten["x"]


async def test_a_missing_number_is_named_beside_the_question(browser: Browser, pages: Site) -> None:
    async with opened(browser, Look(390)) as page:
        await page.goto(await pages.link())
        await page.locator("form").evaluate("form => form.noValidate = true")
        await page.get_by_role("button", name="Next").click()
        await expect(page.locator("fieldset .problem")).to_have_text("Please choose a number.")
        described = await page.locator("fieldset").get_attribute("aria-describedby")
        assert described == "score-problem score-ends"
