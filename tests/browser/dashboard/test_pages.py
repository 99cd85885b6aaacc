"""Every page, wide and narrow, light and dark: a screenshot, nothing cut off, no serious finding of axe-core."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.asking import MARA, links_for, published_survey
from tests.browser.dashboard.site import PICTURES, Look, Site, loaded, open_page, sign_in
from tests.support.polling import eventually
from tests.support.receiver import receiving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PAGES = {
    "portfolio": "/",
    "my-day": "/my-day",
    "reach": "/reach",
    "accounts": "/accounts",
    "account": "/accounts/ironbridge",
    "person": "/accounts/northwind/people/mara.lindqvist@northwind.example",
    "people": "/people?category=detractor",
    "answers": "/answers?survey_type=nps&window=90d",
    "follow-ups": "/follow-ups",
    "follow-ups-list": "/follow-ups?view=list",
    "benchmarks": "/benchmarks",
    "why": "/accounts/ironbridge/explain?window=365d",
    "follow-ups-loop": "/follow-ups?view=loop",
    "review": "/accounts/ironbridge/review",
    "review-client": "/accounts/ironbridge/review?audience=client",
    "follow-ups-closed": "/follow-ups?view=closed",
    "webhooks": "/settings",
    "maturity": "/maturity",
    "rules": "/settings/rules",
    "rule": "/settings/rules/detractor_0_3",
    "notifications": "/settings/notifications",
    "dead-letters": "/settings/dead-letters",
    "keys": "/settings/keys",
    "people-signing-in": "/settings/people",
    "surveys": "/surveys",
    "survey-new": "/surveys/new",
    "survey-links": "/surveys/links",
    "survey-asks": "/surveys/asks",
    "reviews": "/surveys/reviews",
    "review-share": "/accounts/northwind/review/share",
    "objections": "/surveys/objections",
}
LOOKS = {
    "wide-light": Look(1280, "light"), "narrow-dark": Look(390, "dark"),
    "wide-dark": Look(1280, "dark"), "narrow-light": Look(390, "light"),
}  # fmt: skip
BAD = ("serious", "critical")


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_fits_and_is_accessible(browser: Browser, where: Site, look: str) -> None:
    context = await LOOKS[look].context(browser)
    page = await context.new_page()
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.goto(f"{where.url}/login")
    found = {"login": await faults(page, "login", look)}
    await sign_in(page, where)
    async with furnished(where) as more:
        for name, path in (PAGES | more).items():
            await open_page(page, where, path)
            found[name] = await faults(page, name, look)
    await context.close()
    assert {name: some for name, some in found.items() if some} == {}


@asynccontextmanager
async def furnished(where: Site) -> AsyncIterator[dict[str, str]]:
    """Data that the demo lacks, for the block: an endpoint with a message, a chat room with notifications, answers
    about maturity. Yields the addresses of pages about single items."""
    alerting = where.installation.alerting
    async with receiving() as crm:
        endpoint = (await alerting.post("/v1/webhook-endpoints", json={"url": crm.url})).json()
        room = {"channel": "slack", "url": crm.url, "topics": ["follow_ups", "praise"], "description": "Sales"}
        told = (await alerting.post("/v1/notifications", json=room)).json()
        sent = (await alerting.post(f"/v1/webhook-endpoints/{endpoint['id']}/test")).json()
        answers = {"answers": {"loop": 1, "cadence": 2}}
        assert (await where.installation.benchmark.post("/v1/maturity", json=answers)).is_success

        async def arrived() -> bool:
            return bool(crm.requests)

        await eventually(arrived, timeout=30)
        task = (await alerting.get("/v1/follow-ups", params={"limit": 1})).json()["items"][0]
        yield {
            "follow-up": f"/follow-ups/{task['follow_up_id']}",
            "endpoint": f"/settings/webhooks/{endpoint['id']}",
            "delivery": f"/settings/deliveries/{sent['id']}",
        } | await asked(where)
        await alerting.delete(f"/v1/notifications/{told['id']}")
        await alerting.delete(f"/v1/webhook-endpoints/{endpoint['id']}")


async def asked(where: Site) -> dict[str, str]:
    """A survey with links, an objection and a shared review; the addresses of their pages."""
    outreach = where.installation.outreach
    survey_id = await published_survey(where, "relationship", name="Relationship")
    await links_for(where, survey_id, filter={"account_id": "ironbridge"}, override_quarantine="for the pictures")
    await outreach.post("/v1/suppressions", json={"addresses": ["no@ironbridge.example"]})
    recipient = {"stakeholder_id": MARA["stakeholder_id"]}
    body = {"account_id": "northwind", "survey_id": survey_id, "held_on": "2026-11-20", "recipients": [recipient]}
    review = await outreach.post("/v1/business-reviews", json=body)
    assert review.is_success, review.text
    return {
        "survey": f"/surveys/{survey_id}/edit",
        "shared-review": f"/surveys/reviews/{review.json()['review_id']}",
    }


async def faults(page: Page, name: str, look: str) -> list[str]:
    """The faults of a page: findings of axe-core, content wider than the window, parts that could not be loaded."""
    await page.screenshot(path=str(PICTURES / f"{name}-{look}.png"), full_page=True)
    result = await Axe().run(page)
    wrong = [
        f"{violation['id']}: {violation['help']}: {violation['nodes'][0]['html'][:160]}"
        for violation in result.response["violations"]
        if violation["impact"] in BAD
    ]
    if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        wrong.append("wider than the window")
    wrong += [await notice.inner_text() for notice in await page.locator("main .notice.bad:visible").all()]
    return wrong


async def test_one_gets_around_by_keyboard(page: Page, where: Site) -> None:
    await open_page(page, where, "/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Accounts")).to_be_visible()
    await loaded(page)
    await page.locator("details.me summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_hidden()


async def test_numbers_and_dates_are_written_as_the_reader_writes_them(browser: Browser, where: Site) -> None:
    context = await browser.new_context(locale="de-DE", timezone_id="Europe/Berlin")
    page = await context.new_page()
    await sign_in(page, where)
    risk = page.get_by_role("region", name="Revenue at risk", exact=True)
    await expect(risk.locator("a.figure .value")).to_have_text(re.compile(r"^[\d.]+\s€$"))
    await open_page(page, where, "/reach")
    mean = page.get_by_role("region", name="What drives the score", exact=True).locator("tbody td:nth-child(3)").first
    await expect(mean).to_have_text(re.compile(r"^\d,\d$"))
    await mean.evaluate("cell => (cell.textContent = '12\u202f345 answers, 4.\u20605 of 5; version 1.2')")
    await expect(mean).to_have_text("12.345 answers, 4,5 of 5; version 1.2")
    await context.close()


async def test_the_choice_of_colours_is_kept(page: Page, where: Site) -> None:
    await page.locator("details.me summary").click()
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("body.body--dark")).to_be_visible()
    await open_page(page, where, "/people")
    await expect(page.locator("body.body--dark")).to_be_visible()
