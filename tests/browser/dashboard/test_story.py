"""The main uses of the pages: see who fell, read why, close the loop, print the review, follow it live."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.site import Look, Site, loaded, open_page, password_by_link, sign_in
from tests.support.polling import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
FELL = "ironbridge"


async def test_from_the_fall_to_the_closed_loop(page: Page, where: Site) -> None:
    await (
        page.get_by_role("region", name="Fell", exact=True)
        .get_by_role("link", name="Ironbridge Castings")
        .first.click()
    )
    await expect(page.get_by_role("heading", level=1, name="Ironbridge Castings")).to_be_visible()
    await loaded(page)
    await expect(page.get_by_role("region", name="What they said").locator("blockquote").first).not_to_be_empty()

    await page.get_by_role("region", name="Follow-ups").get_by_role("link", name="Detractor").first.click()
    await expect(page.get_by_text("Empathy first").first).to_be_visible()
    await page.get_by_role("button", name="Take it on").click()
    await expect(page.get_by_text("Acknowledged · due")).to_be_visible()
    await page.get_by_role("button", name="Close", exact=True).click()
    dialog = page.get_by_role("dialog", name="Close the loop")
    await dialog.get_by_label("Root cause").fill("late deliveries")
    await dialog.get_by_label("What was done").fill("A second driver on the night route.")
    await dialog.get_by_label("The customer was told").check()
    await dialog.get_by_role("button", name="Close it").click()
    await expect(page.get_by_text("A second driver on the night route.").first).to_be_visible()
    await expect(page.get_by_text("Admin: closed it").first).to_be_visible()
    await expect(page.get_by_role("button", name="Reopen")).to_be_visible()

    await open_page(page, where, f"/accounts/{FELL}/review?audience=client")
    done = page.get_by_role("region", name="What was said, and what was done about it")
    await expect(
        done.or_(page.locator("main li")).get_by_text("A second driver on the night route.").first
    ).to_be_visible()


async def test_a_stale_page_does_not_undo_what_somebody_else_did(page: Page, where: Site) -> None:
    alerting = where.installation.alerting
    task = (await alerting.get("/v1/follow-ups", params={"state": "open", "kind": "promoter_to_passive"})).json()[
        "items"
    ][0]
    await open_page(page, where, f"/follow-ups/{task['follow_up_id']}")
    await page.get_by_role("button", name="Comment").click()
    await alerting.post(f"/v1/follow-ups/{task['follow_up_id']}/start")
    await expect(page.get_by_text("In progress · due")).to_be_visible()
    await page.get_by_role("textbox", name="Comment").fill("I was reading the old one")
    await page.get_by_role("button", name="Add comment").click()
    await expect(page.get_by_text("I was reading the old one").last).to_be_visible()


async def test_the_review_prints(page: Page, where: Site) -> None:
    await open_page(page, where, f"/accounts/{FELL}/review?audience=client")
    await expect(page.get_by_role("heading", name="Ironbridge Castings: business review")).to_be_visible()
    await expect(page.get_by_role("heading", name="You said, we did")).to_be_visible()
    pdf = await page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 10_000


async def test_paper_is_white_and_has_tables_also_where_the_screen_is_dark_and_narrow(page: Page, where: Site) -> None:
    await page.set_viewport_size({"width": 680, "height": 900})  # A4 within its margins
    await open_page(page, where, f"/accounts/{FELL}/review?audience=client")
    heads = page.locator("thead").first
    assert await heads.evaluate("element => element.offsetWidth") <= 1  # a narrow screen shows lines instead
    await page.emulate_media(media="print", color_scheme="dark")
    assert await heads.evaluate("element => element.offsetWidth") > 100
    for place in ("body", "main .card"):
        paper = await page.locator(place).first.evaluate("element => getComputedStyle(element).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
    await expect(page.get_by_role("button", name="Print")).to_be_hidden()


async def test_a_new_answer_moves_the_figures_without_a_reload(page: Page, where: Site) -> None:
    await open_page(page, where, "/accounts/clearvoice?window=30d")
    score = page.get_by_role("region", name="Score", exact=True)
    before = await score.inner_text()
    await where.post_answer("clearvoice", "somebody.new@clearvoice.example", 0, "<b>Nobody</b> called back.")
    await expect(score).not_to_have_text(before)
    said = page.get_by_role("region", name="What they said").locator("blockquote").first
    await expect(said).to_have_text("<b>Nobody</b> called back.")


async def test_what_people_write_is_never_markup(page: Page, where: Site) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>{{7*7}}"
    await where.post_answer("clearvoice", "mallory@clearvoice.example", 1, evil)
    await eventually(lambda: where.knows("clearvoice", "mallory@clearvoice.example"), timeout=30)
    await open_page(page, where, "/accounts/clearvoice/people/mallory@clearvoice.example")
    await expect(page.get_by_text(evil)).to_be_visible()
    assert await page.title() == "mallory@clearvoice.example – Tellback"
    assert await page.locator("main img").count() == 0


async def test_the_choice_of_accounts_stands_in_the_address(page: Page, where: Site) -> None:
    await open_page(page, where, "/accounts?class=at_risk")
    rows = page.locator(".ag-center-cols-container [role=row]")
    await expect(rows.filter(has_text="Ironbridge Castings")).to_be_visible()
    await expect(rows.filter(has_text="Northwind Freight")).to_have_count(0)
    await expect(rows.locator(".spark svg").first).to_be_visible()
    await page.get_by_label("Class").select_option("")
    await expect(rows.filter(has_text="Northwind Freight")).to_be_visible()
    await page.get_by_label("Search").fill("north")
    await expect(rows).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"/accounts\?q=north$"))
    await page.get_by_label("Window").select_option("365d")
    await expect(page).to_have_url(re.compile(r"/accounts\?q=north&window=365d$"))
    await page.get_by_label("Search").fill("")
    await page.get_by_role("columnheader", name="NPS").click()
    await expect(page).to_have_url(re.compile(r"sort=nps"))
    await page.reload()
    await expect(page.locator("[col-id=nps][aria-sort=ascending]")).to_be_visible()
    await expect(page.get_by_label("Window")).to_have_value("365d")


async def test_the_number_of_detractors_leads_to_just_these_people(page: Page, where: Site) -> None:
    score = page.get_by_role("region", name="Score", exact=True)
    words = await score.get_by_role("link", name="detractors").inner_text()
    await score.get_by_role("link", name="detractors").click()
    await expect(page.get_by_role("heading", level=1, name="Detractors")).to_be_visible()
    number = re.findall(r"\d+", words)[0]
    await expect(page.get_by_text(f"{number} people", exact=True)).to_be_visible()


async def test_an_account_manager_sees_and_reaches_own_accounts_only(page: Page, browser: Browser, where: Site) -> None:
    await open_page(page, where, "/settings/people")
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("E-mail").fill("tom.okafor@supplier.example")
    await page.get_by_label("Name", exact=True).fill("Tom Okafor")
    await page.get_by_role("button", name="Add person").click()
    password = await password_by_link(page, browser)

    context = await Look().context(browser)
    own = await context.new_page()
    await sign_in(own, where, "tom.okafor@supplier.example", password, opens="My day")
    await open_page(own, where, "/accounts")
    rows = own.locator(".ag-center-cols-container [role=row]")
    await expect(rows.filter(has_text="Cloudpeak IT")).to_be_visible()
    owners = await own.locator(".ag-center-cols-container [col-id=owner]").all_inner_texts()
    assert set(owners) == {"Tom Okafor"}
    answer = await own.goto(f"{where.url}/accounts/northwind")
    assert answer is not None
    assert answer.status == 404
    await expect(own.get_by_role("heading", level=1, name="There is no such account")).to_be_visible()
    await expect(own.locator("main .notice.bad, main section")).to_have_count(0)
    await expect(own.get_by_text("Mara Lindqvist")).to_have_count(0)
    await own.goto(f"{where.url}/settings/keys")
    await expect(own.get_by_text("This page is not for the role account manager.")).to_be_visible()
    await context.close()
