"""What an account manager sees after signing in, and pictures with their tables."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.looking import LOOKS, faults
from tests.browser.dashboard.site import Look, Site, loaded, open_page, password_by_link, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
JONAS = "jonas.weber@supplier.example"


async def test_an_account_manager_begins_with_their_own_day(page: Page, browser: Browser, where: Site) -> None:
    await open_page(page, where, "/settings/people")
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("E-mail").fill(JONAS)
    await page.get_by_label("Name", exact=True).fill("Jonas Weber")
    await page.get_by_role("button", name="Add person").click()
    password = await password_by_link(page, browser)
    alerting = where.installation.alerting
    mine = {"owner": JONAS, "state": "open", "limit": "1"}
    task = (await alerting.get("/v1/follow-ups", params=mine)).json()["items"][0]
    promise = {"what": "A date for the audit", "by": (datetime.now(UTC) + timedelta(days=3)).isoformat()}
    assert (await alerting.post(f"/v1/follow-ups/{task['follow_up_id']}/promise", json=promise)).is_success

    for name, look in LOOKS.items():
        context = await look.context(browser)
        own = await context.new_page()
        await sign_in(own, where, JONAS, password, opens="My day")
        await loaded(own)
        assert await own.title() == "My day – Tellback"
        await expect(own.get_by_role("region", name="My promises", exact=True)).to_contain_text("A date for the audit")
        moved = own.get_by_role("region", name="My accounts that moved", exact=True)
        await expect(moved.get_by_role("img", name=re.compile("NPS by month")).first).to_be_visible()
        assert await faults(own, "my-day-of-a-manager", name) == []
        await context.close()


async def test_a_page_of_what_does_not_exist_is_one_message(page: Page, where: Site) -> None:
    for path, subject in {
        "/accounts/nobody": "account",
        "/accounts/nobody/explain": "account",
        "/accounts/nobody/review": "account",
        "/accounts/northwind/people/nobody": "person",
        "/follow-ups/nothing": "follow-up",
        "/surveys/nothing/edit": "survey",
        "/surveys/reviews/nothing": "business review",
        "/settings/rules/nothing": "rule",
        "/settings/webhooks/nothing": "webhook endpoint",
        "/settings/deliveries/nothing": "delivery",
    }.items():
        answer = await page.goto(f"{where.url}{path}")
        assert answer is not None
        assert answer.status == 404, path
        assert await page.title() == "Not found – Tellback"
        await expect(page.get_by_role("heading", level=1, name=f"There is no such {subject}")).to_be_visible()
        await expect(page.locator("main .notice, main section")).to_have_count(0)


async def test_every_tab_has_a_name_and_the_icon(page: Page, where: Site) -> None:
    for path, title in {"/": "Portfolio", "/accounts/northwind": "Northwind Freight", "/reach": "Reach"}.items():
        await open_page(page, where, path)
        assert await page.title() == f"{title} – Tellback"
        assert str(await page.locator("link[rel~=icon]").get_attribute("href")).startswith("data:image/svg+xml")


@pytest.mark.parametrize("width", [1280, 390])
async def test_pictures_have_their_tables_behind_them(page: Page, where: Site, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    for path, region, rows in (
        ("/benchmarks", "By industry", 6),
        ("/benchmarks", "Response rate against its yardsticks", 5),
        ("/reach", "What drives the score", 4),
    ):
        await open_page(page, where, path)
        part = page.get_by_role("region", name=region, exact=True).first
        await expect(part.locator(".chart svg")).to_be_visible()
        await part.get_by_text("As a table").click()
        await expect(part.locator("tbody tr")).to_have_count(rows)


async def test_a_view_is_shared_by_its_address(browser: Browser, page: Page, where: Site) -> None:
    await open_page(page, where, "/people")
    await page.get_by_label("Latest answer").select_option("detractor")
    await expect(page.get_by_role("heading", level=1, name="Detractors")).to_be_visible()
    await page.get_by_label("Order").select_option("-answered_at")
    await expect(page).to_have_url(re.compile(r"category=detractor&sort=-answered_at$"))
    await loaded(page)
    shown = await page.locator("main tbody").inner_text()
    context = await Look().context(browser)
    other = await context.new_page()
    await sign_in(other, where)
    await open_page(other, where, page.url.removeprefix(where.url))
    await expect(other.locator("main tbody")).to_have_text(re.compile(re.escape(shown.split()[0])))
    await expect(other.get_by_label("Order")).to_have_value("-answered_at")
    assert await other.locator("main tbody").inner_text() == shown
    await context.close()
