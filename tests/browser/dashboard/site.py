"""A whole installation with demo data and its dashboard, for a real browser."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.support.dashboard import dashboard_of, ran
from tests.support.environment import Environment
from tests.support.installation import Installation, installed
from tests.support.relay import RelayOfTests, relay

WAIT_MS = 30_000
CHOSEN = "a word that nobody guesses 7"
PICTURES = Path(os.environ.get("TELLBACK_TEST_PICTURES", "build/pictures"))
expect.set_options(timeout=WAIT_MS)


@dataclass(frozen=True, slots=True)
class Site:
    """The installation with its dashboard, the first admin's password, and the relay that gets its mails."""

    installation: Installation
    url: str
    password: str
    relay: RelayOfTests

    async def post_answer(self, account_id: str, email: str, score: int, comment: str) -> None:
        """Post an answer of a person."""
        body = {"account_id": account_id, "email": email, "survey_type": "nps", "score": score, "comment": comment}
        answer = await self.installation.collector.post("/v1/responses", json=body)
        assert answer.status_code == 202, answer.text

    async def knows(self, account_id: str, stakeholder_id: str) -> bool:
        """Whether the scorer knows the person: until then there is no page of them."""
        path = f"/v1/accounts/{account_id}/stakeholders/{stakeholder_id}"
        return (await self.installation.scorer.get(path)).is_success


@contextlib.asynccontextmanager
async def site(environment: Environment, folder: Path, *, demo: bool = True) -> AsyncIterator[Site]:
    """The installation with the dashboard ready, and the demo played."""
    async with relay() as house:
        by_mail = {
            "TELLBACK_OUTREACH_SMTP_HOST": "127.0.0.1",
            "TELLBACK_OUTREACH_SMTP_PORT": str(house.port),
            "TELLBACK_OUTREACH_SMTP_SECURITY": "none",
            "TELLBACK_OUTREACH_SENDER_DOMAINS": "supplier.example",
        }
        async with (
            installed(environment, folder, by_mail) as installation,
            dashboard_of(installation, folder) as dashboard,
        ):
            if demo:
                await ran(("demo",), folder / "demo.log", dashboard.variables)
            yield Site(installation, dashboard.url, dashboard.password, house)


@dataclass(frozen=True, slots=True)
class Look:
    """A device: the width in pixels and its colour scheme."""

    width: int = 1280
    colours: str = "light"

    async def context(self, browser: Browser) -> BrowserContext:
        """A fresh browser context."""
        return await browser.new_context(
            viewport={"width": self.width, "height": 900},
            color_scheme=self.colours,  # type: ignore[arg-type]
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )


async def sign_in(
    page: Page, where: Site, name: str = "admin", password: str | None = None, opens: str = "Portfolio"
) -> None:
    """Sign in on the login page; account managers come to their own day."""
    await page.goto(f"{where.url}/login")
    await page.get_by_label("Name or e-mail").fill(name)
    await page.get_by_label("Password").fill(password or where.password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1, name=opens)).to_be_visible()


async def password_by_link(page: Page, browser: Browser) -> str:
    """Set a password by the link in the dialog, in a context of its own, like the person."""
    link = (await page.locator("code.secret").inner_text()).strip()
    context = await Look().context(browser)
    own = await context.new_page()
    await own.goto(link)
    await own.get_by_label("New password").fill(CHOSEN)
    await own.get_by_role("button", name="Set it").click()
    await expect(own.get_by_role("heading", name="Sign in")).to_be_visible()
    await context.close()
    return CHOSEN


async def admitted(page: Page, browser: Browser, where: Site, email: str, role: str) -> str:
    """Let somebody in on the page of an admin; the password that they have set by their link."""
    await open_page(page, where, "/settings/people")
    await page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    await dialog.get_by_label("E-mail; an account manager sees").fill(email)
    await dialog.get_by_label("Name", exact=True).fill(role)
    await dialog.get_by_label("Role").select_option(label=role)
    await dialog.get_by_role("button", name="Add person").click()
    return await password_by_link(page, browser)


async def open_page(page: Page, where: Site, path: str) -> None:
    """Open a page and wait until all its parts are loaded."""
    answer = await page.goto(f"{where.url}{path}")
    assert answer is not None
    assert answer.ok, f"{path}: {answer.status}"
    await expect(page.locator("h1").first).to_be_visible()
    await loaded(page)


async def loaded(page: Page) -> None:
    """Wait until no part of the page is loading."""
    await expect(page.locator("main .loading")).to_have_count(0)


@contextlib.asynccontextmanager
async def page_of_admin(browser: Browser, where: Site) -> AsyncIterator[Page]:
    """A page on which the admin is signed in; a script that fails or is blocked fails the test."""
    context = await Look().context(browser)
    page = await context.new_page()
    page.set_default_timeout(WAIT_MS)
    complaints: list[str] = []

    def heard(told: ConsoleMessage) -> None:
        if "Content Security Policy" in told.text:
            complaints.append(told.text)

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", heard)
    await sign_in(page, where)
    yield page
    await context.close()
    assert complaints == []
