"""Every page, wide and narrow, light and dark: a screenshot, nothing cut off, no serious finding of axe-core."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from nicegui import Client
from playwright.async_api import Browser, Page, expect

from services.dashboard.web import login, passwords
from services.dashboard.web import site as _pages  # noqa: F401 - its import registers every page
from tests.browser.bringing.files import upload
from tests.browser.dashboard.asking import MARA, links_for, programme_for, published_survey
from tests.browser.dashboard.looking import LOOKS, errors_of, faults
from tests.browser.dashboard.site import Site, loaded, open_page, page_of_admin, sign_in
from tests.support.polling import eventually
from tests.support.receiver import receiving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
LOGIN = "/login"
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
    "waves": "/surveys/waves",
    "loop-backs": "/surveys/loop-backs",
    "reviews": "/surveys/reviews",
    "review-share": "/accounts/northwind/review/share",
    "objections": "/surveys/objections",
    "bounces": "/surveys/bounces",
    "sending-domain": "/surveys/sending-domain",
    "programmes": "/surveys/programmes",
    "programme-new": "/surveys/programmes/new",
    "password": "/password",
    "bring": "/bring",
    "bring-api": "/bring/api",
}


@pytest.fixture(scope="module")
async def addresses(browser: Browser, where: Site) -> AsyncIterator[dict[str, str]]:
    """Name → address of all pages, with what they are about."""
    async with page_of_admin(browser, where) as page, furnished(where) as more:
        yield PAGES | more | await brought(page, where) | {"set-password": await password_link(page, where)}


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_fits_and_is_accessible(
    browser: Browser, where: Site, addresses: dict[str, str], look: str
) -> None:
    context = await LOOKS[look].context(browser)
    page = await context.new_page()
    errors = errors_of(page)
    await page.goto(f"{where.url}{LOGIN}")
    found = {"login": [*await faults(page, "login", look), *errors]}
    await sign_in(page, where)
    for name, path in addresses.items():
        errors.clear()
        await open_page(page, where, path)
        found[name] = [*await faults(page, name, look), *errors]
    await context.close()
    assert {name: some for name, some in found.items() if some} == {}


async def test_every_route_is_among_the_pages(addresses: dict[str, str]) -> None:
    assert unseen([LOGIN, *addresses.values()]) == []


def unseen(addresses: Iterable[str]) -> list[str]:
    """The routes of pages to which none of the addresses leads."""
    paths = [address.partition("?")[0] for address in addresses]
    routes = list(Client.page_routes.values())
    for route in (*login.router.routes, *passwords.router.routes):
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            routes.append(route.path)
    missing = []
    for template in routes:
        pattern = re.compile(re.sub(r"{[a-z_]+}", "[^/]+", template))
        if not any(pattern.fullmatch(path) for path in paths):
            missing.append(template)
    return missing


async def brought(page: Page, where: Site) -> dict[str, str]:
    """Files that wait to be taken, one of them asks first; files that were read, one of which nothing was taken of and
    one that was undone; and an erased person; the addresses of their pages."""
    heads = b"account_id,stakeholder_id,survey_type,score,answered_at\n"
    content = heads + b"ironbridge,ada,nps,eleven,2026-11-03\n"
    good = heads + b"tidewater,tess,nps,9,2026-11-03\ntidewater,tim,nps,11,2026-11-03\n"
    asking = heads + b"tidewater,tess,nps,9,03/11/2026\n"
    collector = where.installation.collector
    person = "/v1/accounts/ironbridge/stakeholders/leaves@ironbridge.example"
    assert (await collector.put(person, json={"name": "Leaves"})).is_success
    erased = await collector.delete(f"{person}/data")
    assert erased.is_success, erased.text
    read = await imported(where, content)
    undone = await imported(where, good)
    answer = await collector.post(f"/v1/imports/{undone}/undo")
    assert answer.is_success, answer.text
    # An erasure forgets every file that waits, so these come last.
    return {
        "draft": await draft_of(page, where, content),
        "draft-asking": await draft_of(page, where, asking),
        "import": f"/bring/imports/{read}",
        "import-undone": f"/bring/imports/{undone}",
        "erasure": f"/erasures/{erased.json()['id']}",
    }


async def imported(where: Site, content: bytes) -> str:
    """The id of a file that was read to its end."""
    collector = where.installation.collector
    sent = await collector.post("/v1/imports", data={"kind": "responses"}, files={"file": ("answers.csv", content)})
    assert sent.is_success, sent.text
    path = f"/v1/imports/{sent.json()['import_id']}"

    async def ended() -> bool:
        return bool((await collector.get(path)).json()["state"] == "done")

    await eventually(ended, timeout=60)
    return str(sent.json()["import_id"])


async def draft_of(page: Page, where: Site, content: bytes) -> str:
    """The path of a file that waits to be taken."""
    await open_page(page, where, "/bring")
    await upload(page, "answers.csv", content)
    await expect(page.get_by_role("heading", level=1, name="What the file would become")).to_be_visible()
    return page.url.removeprefix(where.url)


async def password_link(page: Page, where: Site) -> str:
    """The address where somebody sets their password, by a link that nobody uses."""
    await open_page(page, where, "/settings/people")
    await page.get_by_role("button", name="Password link").first.click()
    return (await page.locator("code.secret").inner_text()).strip().removeprefix(where.url)


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
    """A survey with links, an objection, a mail that came back, a wave, two targets and a shared review; the addresses
    of their pages."""
    outreach = where.installation.outreach
    survey_id = await published_survey(where, "relationship", name="Relationship")
    await links_for(where, survey_id, filter={"account_id": "ironbridge"}, override_quarantine="for the pictures")
    await outreach.post("/v1/suppressions", json={"addresses": ["no@ironbridge.example"]})
    await one_came_back(where)
    for owner, target in {"ines.falk@supplier.example": 0.6, "tom.okafor@supplier.example": 0.5}.items():
        body = {"owner": owner, "target": target}
        assert (await outreach.put("/v1/response-targets", json=body)).is_success
    programme_id = await programme_for(where, survey_id, "Half-yearly")
    for step in ("dry-run", "start"):
        done = await outreach.post(f"/v1/programmes/{programme_id}/{step}")
        assert done.is_success, done.text
    recipient = {"stakeholder_id": MARA["stakeholder_id"]}
    body = {"account_id": "northwind", "survey_id": survey_id, "held_on": "2026-11-20", "recipients": [recipient]}
    review = await outreach.post("/v1/business-reviews", json=body)
    assert review.is_success, review.text
    return {
        "survey": f"/surveys/{survey_id}/edit",
        "programme": f"/surveys/programmes/{programme_id}",
        "programme-edit": f"/surveys/programmes/{programme_id}/edit",
        "wave": await wave_of(where, survey_id),
        "shared-review": f"/surveys/reviews/{review.json()['review_id']}",
    }


async def one_came_back(where: Site) -> None:
    """Tell that the mailbox of somebody whom the demo asked was full."""

    async def mailed() -> bool:
        return bool(where.relay.mails)

    await eventually(mailed, timeout=60)
    mail = where.relay.mails[0]
    back = {"message_id": str(mail["Message-ID"]), "recipient": str(mail["To"]), "kind": "soft"}
    back["at"] = datetime.now(UTC).isoformat()
    assert (await where.installation.outreach.post("/v1/bounces", json=back)).is_success


async def wave_of(where: Site, survey_id: str) -> str:
    """The page of a wave that comes next week, of the two people of an account that nobody has asked before."""
    account = {
        "name": "Tidewater",
        "tier": "small",
        "owner": {"name": "Ines Falk", "email": "ines.falk@supplier.example"},
    }
    assert (await where.installation.collector.put("/v1/accounts/tidewater", json=account)).is_success
    for stakeholder_id, role in {"tess": "decision_maker", "tim": "user"}.items():
        person = {"name": stakeholder_id.capitalize(), "email": f"{stakeholder_id}@tidewater.example", "type": role}
        path = f"/v1/accounts/tidewater/stakeholders/{stakeholder_id}"
        assert (await where.installation.collector.put(path, json=person)).is_success
    outreach = where.installation.outreach
    when = {"type": "once", "on": (datetime.now(UTC).date() + timedelta(days=9)).isoformat()}
    programme_id = await programme_for(where, survey_id, "Next week", who={"account_id": "tidewater"}, when=when)
    found: list[dict[str, Any]] = []

    async def people_are_known() -> bool:
        done = await outreach.post(f"/v1/programmes/{programme_id}/dry-run")
        return bool(done.json()["would_ask"])

    async def planned() -> bool:
        waves = (await outreach.get("/v1/waves")).json()["items"]
        found.extend(wave for wave in waves if wave["programme_id"] == programme_id)
        return bool(found)

    await eventually(people_are_known, timeout=60)
    assert (await outreach.post(f"/v1/programmes/{programme_id}/start")).is_success
    await eventually(planned, timeout=60)
    return f"/surveys/waves/{programme_id}/{found[0]['day']}"


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
