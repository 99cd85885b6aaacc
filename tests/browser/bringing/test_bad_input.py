"""What people do to uploads: large files, files of another kind, uploads that break off, two at once, without the
right."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.bringing.files import said, upload
from tests.browser.dashboard.looking import LOOKS, faults
from tests.browser.dashboard.site import Look, Site, admitted, loaded, open_page, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ROWS = "Account,Email,Score,Date\nshared,sue@shared.example,9,2026-11-03\nshared,tom@shared.example,2,2026-11-04\n"
DONE = "those that were taken count in the figures."
MANY = 30_000
"""Rows that keep the installation busy while one looks at the page."""


async def admit(page: Page, browser: Browser, where: Site, email: str, role: str) -> Page:
    """A page on which somebody with this role is signed in."""
    password = await admitted(page, browser, where, email, role)
    own = await (await Look().context(browser)).new_page()
    opens = "Portfolio"
    if role == "Account manager":
        opens = "My day"
    await sign_in(own, where, email, password, opens)
    return own


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("answers.csv", b"%PDF-1.7 answers", "The file is a PDF, and no table"),
        ("answers.csv", b"PK\x03\x04 no workbook", "The workbook cannot be read"),
        ("answers.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save"),
        ("answers.csv", b"", "The file is empty"),
        ("answers.csv", b"Account,Email,Score\n", "The file has a header and no rows"),
    ],
)
async def test_a_file_that_is_no_table_is_refused_where_it_was_chosen(
    page: Page, where: Site, name: str, content: bytes, why: str
) -> None:
    await open_page(page, where, "/bring")
    await upload(page, name, content)
    await expect(page.locator("[data-said]")).to_contain_text(why)
    await expect(page.get_by_role("button", name="See what it would become")).to_be_enabled()
    assert urlsplit(page.url).path == "/bring"


async def test_a_large_file_shows_how_far_it_is(page: Page, where: Site, browser: Browser) -> None:
    rows = ["Account,Email,Score,Date"]
    for number in range(MANY):
        rows.append(f"many{number % 200},p{number % 40}@many{number % 200}.example,{number % 11},2026-11-03")
    await open_page(page, where, "/bring")
    await upload(page, "large.csv", "\n".join(rows))
    await page.get_by_role("button", name="Bring answers").click()
    await expect(page.get_by_role("heading", level=1, name="What became of the file")).to_be_visible()
    for look in ("wide-light", "narrow-dark"):
        context = await LOOKS[look].context(browser)
        own = await context.new_page()
        await sign_in(own, where)
        await own.goto(page.url)
        await loaded(own)
        state = own.get_by_role("region", name="How far it is").get_by_role("status")
        await expect(state).to_have_text(re.compile("read so far|on their way into the figures"))
        assert await faults(own, "import-under-way", look) == []
        await context.close()
    await expect(page.get_by_text(DONE)).to_be_visible(timeout=120_000)
    await expect(page.get_by_text("Counted: 100 %")).to_be_visible()


async def test_a_text_with_the_name_of_a_workbook_is_read_as_what_it_is(page: Page, where: Site) -> None:
    await open_page(page, where, "/bring")
    await upload(page, "answers.xlsx", ROWS)
    await expect(page.get_by_role("region", name="The first rows", exact=True)).to_contain_text("sue@shared.example")


async def test_no_file_and_one_that_is_too_large_are_told_before_anything_is_sent(page: Page, where: Site) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/bring/upload" in request.url else None)
    await open_page(page, where, "/bring")
    await page.get_by_role("button", name="See what it would become").click()
    await expect(page.locator("[data-said]")).to_have_text("Choose a file first.")
    await page.locator("form[data-bring]").evaluate("form => { form.dataset.mostWorkbook = 10 }")
    await upload(page, "answers.xlsx", ROWS)
    await expect(page.locator("[data-said]")).to_contain_text("The file is too large")
    assert sent == []


async def test_an_upload_that_breaks_off_says_so_and_can_be_tried_again(page: Page, where: Site) -> None:
    await open_page(page, where, "/bring")
    await page.route("**/bring/upload*", lambda route: route.abort())
    await upload(page, "answers.csv", ROWS)
    await expect(page.locator("[data-said]")).to_have_text("The upload broke off, and nothing was taken. Try again.")
    await page.unroute("**/bring/upload*")
    await page.get_by_role("button", name="See what it would become").click()
    await expect(page.get_by_role("heading", level=1, name="What the file would become")).to_be_visible()


async def test_half_a_file_becomes_no_draft_and_hurts_nobody_else(page: Page, where: Site) -> None:
    await open_page(page, where, "/bring")
    token = await page.locator("form[data-bring]").get_attribute("data-token")
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in await page.context.cookies())
    address = urlsplit(where.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST /bring/upload?kind=responses&name=half.csv HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookies}\r\n"
        f"x-tellback-form: {token}\r\nContent-Length: 1000000\r\n\r\n"
    )
    writer.write(head.encode() + ROWS.encode())
    await writer.drain()
    writer.close()
    await upload(page, "whole.csv", ROWS)
    await expect(page.get_by_text("whole.csv")).to_be_visible()
    await open_page(page, where, "/bring")
    await expect(page.get_by_text("half.csv")).to_have_count(0)


async def test_two_people_who_bring_the_same_file_double_nothing(page: Page, where: Site, browser: Browser) -> None:
    leader = await admit(page, browser, where, "lea@supplier.example", "Leader")
    for desk in (page, leader):
        await open_page(desk, where, "/bring")
        await upload(desk, "shared.csv", ROWS)
        await expect(desk.get_by_role("button", name="Bring answers")).to_be_enabled()
    await asyncio.gather(*(desk.get_by_role("button", name="Bring answers").click() for desk in (page, leader)))
    for desk in (page, leader):
        await expect(desk.get_by_text(DONE)).to_be_visible()
    answers = await where.installation.get("scorer", "/v1/responses", account_id="shared")
    assert len(answers["items"]) == 2
    await leader.context.close()


async def test_a_draft_that_is_begun_in_another_tab_is_told_kindly(page: Page, where: Site) -> None:
    await open_page(page, where, "/bring")
    await upload(page, "twice.csv", ROWS.replace("shared", "tabs"))
    await expect(page.get_by_role("button", name="Bring answers")).to_be_enabled()
    second = await page.context.new_page()
    await second.goto(page.url)
    await expect(second.get_by_role("button", name="Bring answers")).to_be_enabled()
    await page.get_by_role("button", name="Bring answers").click()
    await expect(page.get_by_text(DONE)).to_be_visible()
    await second.get_by_role("button", name="Bring answers").click()
    await expect(second.get_by_text("This file was begun, put away or is older than a day.").first).to_be_visible()
    await second.close()


@pytest.mark.parametrize("role", ["Viewer", "Account manager"])
async def test_who_may_not_bring_files_is_offered_none_and_sends_none(
    page: Page, where: Site, browser: Browser, role: str
) -> None:
    own = await admit(page, browser, where, f"{role.split(maxsplit=1)[0].lower()}@supplier.example", role)
    await expect(own.get_by_role("link", name="Bring your answers")).to_have_count(0)
    for path in ("/bring", "/bring/api", "/bring/imports/0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a"):
        await open_page(own, where, path)
        await expect(own.get_by_text("This page is not for the role")).to_be_visible()
    for sent in (
        await own.request.post(f"{where.url}/bring/upload?kind=responses&name=a.csv", data=ROWS),
        await own.request.get(f"{where.url}/bring/imports/0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a/bad-rows.csv"),
    ):
        assert sent.status == 403, await sent.text()
    await own.context.close()


async def test_a_stranger_and_another_site_send_nothing(page: Page, where: Site, browser: Browser) -> None:
    path = f"{where.url}/bring/upload?kind=responses&name=a.csv"
    stranger = await (await Look().context(browser)).new_page()
    assert (await stranger.request.post(path, data=ROWS)).status == 401
    without_token = await page.request.post(path, data=ROWS)
    assert without_token.status == 403
    assert "open it again" in await without_token.text()
    assert await said(stranger) == ""
    await stranger.context.close()
