"""What somebody sees who comes to no page, has the wrong password or a link that was used: it fits, is accessible, and
leads on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.looking import LOOKS, faults
from tests.browser.dashboard.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

WRONG = "The name or the password is wrong."
USED = "This link has been used, or is too old. Ask an admin for another one."


@asynccontextmanager
async def stranger(browser: Browser, look: str) -> AsyncIterator[Page]:
    """A page of somebody who is not signed in."""
    context = await LOOKS[look].context(browser)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("look", LOOKS)
async def test_a_wrong_password_is_said_where_it_is_written_again(browser: Browser, where: Site, look: str) -> None:
    async with stranger(browser, look) as page:
        await page.goto(f"{where.url}/login")
        await page.get_by_label("Name or e-mail").fill(f"nobody-{look}")
        await page.get_by_label("Password").fill("a guess")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_have_text(WRONG)
        assert await faults(page, "login-wrong", look) == [WRONG], "nothing but what it says itself"


@pytest.mark.parametrize("look", LOOKS)
async def test_a_link_that_was_used_says_whom_to_ask(browser: Browser, where: Site, look: str) -> None:
    async with stranger(browser, look) as page:
        answer = await page.goto(f"{where.url}/set-password?link=used")
        assert answer is not None
        assert answer.status == 410
        assert await faults(page, "set-password-used", look) == [USED], "nothing but what it says itself"


@pytest.mark.parametrize("look", LOOKS)
async def test_an_address_without_a_page_leads_to_one(browser: Browser, where: Site, look: str) -> None:
    async with stranger(browser, look) as page:
        await sign_in(page, where)
        for name, path in {"no-page": "/nothing/here", "no-account": "/accounts/nobody"}.items():
            answer = await page.goto(f"{where.url}{path}")
            assert answer is not None
            assert answer.status == 404
            assert await faults(page, name, look) == []
            await page.locator("main a:not(.skip)").first.click()
            await expect(page.get_by_role("heading", level=1, name="Portfolio")).to_be_visible()
