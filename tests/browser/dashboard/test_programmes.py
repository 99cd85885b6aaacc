"""A programme is begun from one that is ready, looked at, started, seen in the calendar and paused; objections
and the sending domain are looked after."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.asking import programme_for, published_survey
from tests.browser.dashboard.site import Look, Site, loaded, open_page, password_by_link, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PROGRAMMES = "/surveys/programmes"


async def test_a_programme_is_begun_looked_at_started_seen_in_the_calendar_and_paused(page: Page, where: Site) -> None:
    await published_survey(where, "ces", name="For programmes")
    await open_page(page, where, f"{PROGRAMMES}/new")
    await page.get_by_role("button", name="Begin with One wave").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Begin a programme")
    await dialog.get_by_label("Name, for you only").fill("Winter wave")
    await dialog.get_by_role("combobox", name="Survey", exact=True).select_option(label="For programmes")
    await dialog.get_by_role("button", name="Write the draft").click()
    await expect(page.get_by_text("Choose a day of the week in which it asks.")).to_be_visible()
    day = datetime.now(UTC).date() + timedelta(days=60)
    await dialog.get_by_label("A day of the week in which it asks").fill(day.isoformat())
    await dialog.get_by_label("Sender’s e-mail").fill("lea@supplier.example")
    await dialog.get_by_role("button", name="Write the draft").click()

    await expect(page.get_by_role("heading", level=1, name="Winter wave")).to_be_visible()
    await loaded(page)
    await expect(page.get_by_role("button", name="Start", exact=True)).to_have_count(0)
    await page.get_by_role("button", name="See what it would do").click()
    forecast = page.get_by_role("region", name="What it would do", exact=True)
    await expect(forecast.get_by_text(re.compile(r"It would ask \d+ people at \d+ accounts"))).to_be_visible()
    await expect(forecast.get_by_role("region", name="By owner")).to_be_visible()
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Start it").click()
    await expect(page.get_by_text("● running", exact=False).first).to_be_visible()

    await page.get_by_role("link", name="All programmes").click()
    waves = page.get_by_role("region", name="Coming waves").last
    await expect(waves.get_by_role("link", name="Winter wave")).to_be_visible()
    await page.get_by_role("link", name="Winter wave").first.click()
    await page.get_by_role("button", name="Pause").click()
    await page.get_by_role("dialog").get_by_role("button", name="Pause it").click()
    await expect(page.get_by_text("It rests: paused by hand.")).to_be_visible()
    await open_page(page, where, PROGRAMMES)
    await expect(page.get_by_role("row", name=re.compile("Winter wave")).get_by_text("◐ paused")).to_be_visible()


async def test_a_programme_is_changed_by_its_form_and_says_what_is_wrong(page: Page, where: Site) -> None:
    survey_id = await published_survey(where, "ces", name="To be changed")
    programme_id = await programme_for(where, survey_id, "To be changed")
    await open_page(page, where, f"{PROGRAMMES}/{programme_id}/edit")
    await page.get_by_role("combobox", name="It asks", exact=True).select_option("event")
    await page.get_by_label("What happens").select_option("issue_resolved")
    await page.get_by_label("Days after it").fill("2")
    await page.get_by_label("Tier").select_option("key")
    await page.get_by_label("Second reminder after so many days").fill("99")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("Reminders")
    await page.get_by_label("Second reminder after so many days").fill("")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("2 days after a problem was solved").first).to_be_visible()
    await expect(page.get_by_text("Tier: Key")).to_be_visible()
    await expect(page.get_by_text("7 days after the invitation", exact=True)).to_be_visible()


async def test_a_change_that_somebody_overtook_is_kept_and_saved_over_it(page: Page, where: Site) -> None:
    survey_id = await published_survey(where, "ces", name="Of two")
    programme_id = await programme_for(where, survey_id, "Of two")
    await open_page(page, where, f"{PROGRAMMES}/{programme_id}/edit")
    await page.get_by_label("Name, for you only").fill("Mine")
    theirs = await where.installation.outreach.patch(f"/v1/programmes/{programme_id}", json={"open_days": 21})
    assert theirs.is_success
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed this programme meanwhile")
    await expect(page.get_by_label("Name, for you only")).to_have_value("Mine")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1, name="Mine")).to_be_visible()


async def test_a_test_mail_is_sent_to_oneself(page: Page, where: Site) -> None:
    survey_id = await published_survey(where, "ces", name="To look at in a mail")
    programme_id = await programme_for(where, survey_id, "With a test")
    await open_page(page, where, f"{PROGRAMMES}/{programme_id}")
    await page.get_by_role("button", name="Send me a test").click()
    dialog = page.get_by_role("dialog", name="Send To look at in a mail to yourself")
    await dialog.get_by_label("To an address of your own domain").fill("lea@supplier.example")
    await dialog.get_by_label("Language").select_option("de")
    await dialog.get_by_role("button", name="Send it").click()
    await expect(page.get_by_text("Sent: look into your mailbox")).to_be_visible()
    assert "lea@supplier.example" in where.relay.recipients
    assert any(str(mail["Subject"]).startswith("[Test]") for mail in where.relay.mails)


async def test_a_viewer_reads_programmes_without_dead_buttons(page: Page, browser: Browser, where: Site) -> None:
    survey_id = await published_survey(where, "ces", name="To be read")
    programme_id = await programme_for(where, survey_id, "To be read")
    await open_page(page, where, "/settings/people")
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("E-mail").fill("vera@supplier.example")
    await page.get_by_label("Name", exact=True).fill("Vera")
    await page.get_by_role("dialog").get_by_role("combobox").select_option("viewer")
    await page.get_by_role("button", name="Add person").click()
    password = await password_by_link(page, browser)
    context = await Look().context(browser)
    own = await context.new_page()
    await sign_in(own, where, "vera@supplier.example", password)
    for path in (PROGRAMMES, f"{PROGRAMMES}/{programme_id}"):
        await open_page(own, where, path)
        await expect(own.locator("main").get_by_role("button").filter(has_not_text="Show")).to_have_count(0)
    for path in (f"{PROGRAMMES}/new", f"{PROGRAMMES}/{programme_id}/edit"):
        await own.goto(f"{where.url}{path}")
        await expect(own.get_by_text("This page is not for the role viewer")).to_be_visible()
    await context.close()


async def test_a_list_of_objections_is_brought_and_downloaded(page: Page, where: Site) -> None:
    await open_page(page, where, "/surveys/objections")
    await page.get_by_role("button", name="Bring a file").click()
    dialog = page.get_by_role("dialog", name="Bring a file of objections")
    content = b"email;name\r\nold.one@northwind.example;Old\r\nnobody;None\r\n"
    await dialog.get_by_label("File: CSV or text").set_input_files(
        {"name": "unsubscribed.csv", "mimeType": "text/csv", "buffer": content}
    )
    await expect(dialog.get_by_text("1 address is new on the list")).to_be_visible()
    await expect(dialog.get_by_role("row", name=re.compile("^Line 3"))).to_be_visible()
    await dialog.get_by_role("button", name="Done").click()
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download as CSV").click()
    text = (await (await downloading.value).path()).read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == "suppression_id,source,created_at,created_by"
    assert "northwind" not in text, "addresses are not kept"


async def test_the_sending_domain_says_what_the_dns_says(page: Page, where: Site) -> None:
    await open_page(page, where, "/surveys/sending-domain")
    found = page.get_by_role("region", name="What was found", exact=True)
    await expect(found.get_by_role("heading", name=re.compile("supplier.example: DMARC"))).to_be_visible()
    await expect(found.get_by_role("textbox", name="For the IT of the people whom you ask")).to_have_value(
        re.compile("supplier.example")
    )
    await found.get_by_role("button", name="Look again").click()
    await expect(found.get_by_role("heading", name=re.compile("supplier.example: DMARC"))).to_be_visible()
