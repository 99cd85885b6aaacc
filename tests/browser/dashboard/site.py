"""A whole installation with demo data and the dashboard in front, looked at by a real browser."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.async_api import Browser, BrowserContext, Page, expect

from services.cli.embedded.process import free_port
from tests.support.environment import Environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback

WAIT_MS = 30_000
CHOSEN = "a word that nobody guesses 7"
PICTURES = Path(os.environ.get("TELLBACK_TEST_PICTURES", "build/pictures"))
expect.set_options(timeout=WAIT_MS)


@dataclass(frozen=True, slots=True)
class Site:
    """Where the dashboard is, and who may sign in first."""

    installation: Installation
    url: str
    password: str

    async def post_answer(self, account_id: str, email: str, score: int, comment: str) -> None:
        """Somebody answers."""
        body = {"account_id": account_id, "email": email, "survey_type": "nps", "score": score, "comment": comment}
        answer = await self.installation.collector.post("/v1/responses", json=body)
        assert answer.status_code == 202, answer.text


async def _ran(argv: tuple[str, ...], log: Path, variables: dict[str, str]) -> None:
    child = start(argv, log, variables)

    async def ended() -> bool:
        return child.poll() is not None

    await eventually(ended, timeout=100)
    assert child.returncode == 0, log.read_text(errors="replace")[-3000:]


@contextlib.asynccontextmanager
async def site(environment: Environment, folder: Path) -> AsyncIterator[Site]:
    """The installation, the demo played into it, the dashboard ready."""
    async with installed(environment, folder) as installation:
        urls = {name: installation.url(name) for name in installation.clients}
        port = free_port()
        variables = environment.variables() | {
            "TELLBACK_API_KEY": installation.key,
            "TELLBACK_LOG_FORMAT": "json",
            "TELLBACK_DASHBOARD_API_KEY_FILE": str(folder / "data" / "dashboard_key"),
            "TELLBACK_DASHBOARD_REFRESH_SECONDS": "0.5",
            **{f"TELLBACK_DASHBOARD_{name.upper()}_URL": url for name, url in urls.items()},
            **{f"TELLBACK_{name.upper()}_URL": url for name, url in urls.items()},
        }
        await _ran(tellback("dashboard", "setup", "--data", str(folder / "data")), folder / "setup.log", variables)
        await _ran(tellback("demo"), folder / "demo.log", variables)
        argv = tellback("serve", "dashboard", "--port", str(port), "--pause", "0")
        child = start(argv, folder / "dashboard.log", variables)
        url = f"http://127.0.0.1:{port}"
        try:
            await eventually(lambda: _answers(f"{url}/health/ready"), timeout=60)
            yield Site(installation, url, (folder / "data" / "first_admin").read_text().strip())
        finally:
            end(child)


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks: the width in pixels and the colours of their device."""

    width: int = 1280
    colours: str = "light"

    async def context(self, browser: Browser) -> BrowserContext:
        """A fresh browser window."""
        return await browser.new_context(
            viewport={"width": self.width, "height": 900},
            color_scheme=self.colours,  # type: ignore[arg-type]
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )


async def sign_in(page: Page, where: Site, name: str = "admin", password: str | None = None) -> None:
    """Sign in on the login page."""
    await page.goto(f"{where.url}/login")
    await page.get_by_label("Name or e-mail").fill(name)
    await page.get_by_label("Password").fill(password or where.password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1, name="Portfolio")).to_be_visible()


async def password_by_link(page: Page, browser: Browser) -> str:
    """Set a password by the link that the dialog shows, in a window of its own, as the person would."""
    link = (await page.locator("code.secret").inner_text()).strip()
    context = await Look().context(browser)
    own = await context.new_page()
    await own.goto(link)
    await own.get_by_label("New password").fill(CHOSEN)
    await own.get_by_role("button", name="Set it").click()
    await expect(own.get_by_role("heading", name="Sign in")).to_be_visible()
    await context.close()
    return CHOSEN


async def open_page(page: Page, where: Site, path: str) -> None:
    """Open a page and wait until everything on it is there."""
    await page.goto(f"{where.url}{path}")
    await expect(page.locator("h1").first).to_be_visible()
    await loaded(page)


async def loaded(page: Page) -> None:
    """Wait until no part of the page is loading."""
    await expect(page.locator("main .loading")).to_have_count(0)
