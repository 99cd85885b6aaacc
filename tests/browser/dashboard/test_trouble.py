"""Outages and ended sessions: told in words, beside the figures loaded before, and over by themselves."""

import httpx
import pytest
import websockets
from playwright.async_api import Page, expect
from websockets.exceptions import InvalidStatus

from services.dashboard.domain import wording
from tests.browser.dashboard.site import Site, open_page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def test_a_service_that_is_away_is_named_and_the_figures_stay(page: Page, where: Site) -> None:
    await open_page(page, where, "/")
    score = page.get_by_role("region", name="Score", exact=True)
    found = await where.installation.get("scorer", "/v1/portfolio/score", window="90d", method="latest")
    shown = wording.points(found["groups"][0]["nps"])
    await expect(score.locator(".figure.big .value")).to_have_text(shown)
    where.installation.kill("scorer")
    await expect(score.get_by_text("The scorer is not reachable: figures from")).to_be_visible()
    assert await score.locator(".figure.big .value").inner_text() == shown
    work = await page.context.new_page()
    await open_page(work, where, "/follow-ups?view=list&account_id=ironbridge")
    await expect(work.get_by_role("region", name="Follow-ups").get_by_text("ironbridge").first).to_be_visible()
    where.installation.start("scorer")
    await where.installation.ready("scorer")
    await expect(score.get_by_text("not reachable")).to_be_hidden()
    await expect(work.get_by_text("Ironbridge Castings").first).to_be_visible()
    await work.close()


async def test_a_session_that_was_ended_leads_back_to_the_login(page: Page, where: Site) -> None:
    other = await page.context.new_page()
    await open_page(other, where, "/people")
    await page.locator("details.me summary").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await where.post_answer("clearvoice", "one.more@clearvoice.example", 9, "Fine.")
    await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_nobody_listens_on_the_live_connection_without_signing_in(where: Site) -> None:
    live = f"{where.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(InvalidStatus):
        async with websockets.connect(live):
            pass
    async with httpx.AsyncClient(trust_env=False) as client:
        polling = await client.get(f"{where.url}/_nicegui_ws/socket.io/?EIO=4&transport=polling")
        page = await client.get(f"{where.url}/accounts?class=at_risk")
    assert polling.status_code == 403
    assert page.headers["location"] == "/login?next=%2Faccounts%3Fclass%3Dat_risk"


async def test_another_site_cannot_use_the_live_connection_of_who_is_signed_in(page: Page, where: Site) -> None:
    cookie = next(cookie for cookie in await page.context.cookies() if cookie["name"] == "tellback_session")
    headers = {"cookie": f"tellback_session={cookie['value']}"}
    live = f"{where.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(InvalidStatus):
        async with websockets.connect(live, additional_headers=headers, origin="https://evil.example"):  # type: ignore[arg-type]
            pass
    async with websockets.connect(live, additional_headers=headers, origin=where.url) as own:  # type: ignore[arg-type]
        assert str(await own.recv()).startswith("0")
