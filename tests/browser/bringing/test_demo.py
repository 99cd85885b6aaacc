"""The demo on the pages: marked, looked at before it is removed, removed by one button, and then the empty page leads
on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.bringing.test_bad_input import admit
from tests.browser.dashboard.site import Site, loaded, open_page, page_of_admin, site
from tests.support.environment import Environment

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
async def where(fresh_module_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder: Path = tmp_path_factory.mktemp("demo")
    async with site(fresh_module_environment, folder) as running:
        yield running


@pytest.fixture
async def page(browser: Browser, where: Site) -> AsyncIterator[Page]:
    async with page_of_admin(browser, where) as page:
        yield page


async def test_the_demo_is_removed_by_one_button_and_the_empty_page_leads_on(
    page: Page, where: Site, browser: Browser
) -> None:
    leader = await admit(page, browser, where, "lea@supplier.example", "Leader")
    await open_page(leader, where, "/accounts")
    await expect(leader.get_by_role("note", name="Demo data")).to_be_visible()
    await expect(leader.get_by_role("button", name="Remove the demo …")).to_have_count(0)
    await leader.context.close()

    await open_page(page, where, "/")
    await page.get_by_role("button", name="Remove the demo …").click()
    dialog = page.get_by_role("dialog", name="Remove the data of the demo?")
    await expect(dialog).to_contain_text("21: ")
    await expect(dialog).to_contain_text("Demo: relationship")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("note", name="Demo data")).to_be_visible()

    await page.get_by_role("button", name="Remove the demo …").click()
    await dialog.get_by_role("button", name="Remove them for good").click()
    await expect(dialog.get_by_role("status")).to_contain_text("of 21 accounts")
    await expect(dialog).to_have_count(0, timeout=120_000)  # it stays until every service has removed its part
    await expect(page.get_by_role("region", name="Begin here")).to_be_visible(timeout=120_000)
    await loaded(page)
    await expect(page.get_by_role("note", name="Demo data")).to_have_count(0)
    assert (await where.installation.get("collector", "/v1/accounts"))["items"] == []
    assert (await where.installation.get("outreach", "/v1/surveys"))["items"] == []
