"""A survey is begun from a template, worded, published and brought to somebody by a link."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.asking import LEGAL, MARA, links_for, published_survey
from tests.browser.dashboard.site import Look, Site, loaded, open_page, password_by_link, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PERSON = f"/accounts/{MARA['account_id']}/people/{MARA['stakeholder_id']}"
SAVED = re.compile("^Saved")


async def test_a_survey_is_made_from_a_template_worded_published_and_sent_by_a_link(page: Page, where: Site) -> None:
    await open_page(page, where, "/surveys/new")
    await page.get_by_role("button", name="Begin with Relationship NPS", exact=True).click()
    dialog = page.get_by_role("dialog", name="Begin a survey")
    await dialog.get_by_label("German").check()
    await dialog.get_by_role("button", name="Begin").click()
    await page.wait_for_url("**/edit")
    await loaded(page)
    form = page.get_by_role("region", name="Questions and texts")
    await form.get_by_label("Name, for you only").fill("Autumn")
    await form.get_by_label("The question with the score · German").fill("Wie sehr empfehlen Sie {us}?")
    for label, value in (
        ("Your name in the questions, {us}", "Supplier"),
        ("Legal name", LEGAL["legal_name"]),
        ("Postal address", LEGAL["postal_address"]),
        ("Imprint", LEGAL["imprint_url"]),
        ("Privacy notice", LEGAL["privacy_url"]),
    ):
        await form.get_by_label(label).fill(value)
    await form.get_by_label("Product, {product}").focus()
    await expect(form.get_by_text(SAVED)).to_be_visible()

    await page.get_by_role("combobox", name="Language", exact=True).select_option("de")
    preview = page.frame_locator("iframe")
    await expect(preview.get_by_text("Wie sehr empfehlen Sie Supplier?")).to_be_visible()

    await page.get_by_role("button", name="Publish").click()
    await page.get_by_role("button", name="Publish it").click()
    await expect(page.get_by_text("● version 1", exact=False).first).to_be_visible()

    await open_page(page, where, "/accounts/ironbridge")
    await _reading_done(where)
    await page.get_by_role("button", name="Make a link").click()
    dialog = page.get_by_role("dialog", name="Make a link")
    await dialog.get_by_label("Survey").select_option(label="Autumn")
    await dialog.get_by_role("button", name="Make it").click()
    links = page.get_by_role("dialog", name="Personal links")
    await expect(links.locator(".linkrow").first).to_be_visible()
    rows = await links.locator(".linkrow").count()
    made = await links.get_by_role("button", name="Copy the link").count()
    refused = await links.get_by_text("Not asked:").count()
    assert made + refused == rows, "each person has a link, or why there is none"


async def _reading_done(where: Site) -> None:
    survey_id = await published_survey(where, "project", name="To begin with")
    nobody = [{"account_id": "nobody-there", "stakeholder_id": "nobody"}]
    assert await links_for(where, survey_id, people=nobody)


async def test_questions_are_added_moved_and_removed_and_the_checks_follow(page: Page, where: Site) -> None:
    survey_id = await published_survey(where, "relationship", name="To be edited")
    await open_page(page, where, f"/surveys/{survey_id}/edit")
    form = page.get_by_role("region", name="Questions and texts")
    questions = form.locator("fieldset > legend").filter(has_text=re.compile(r"^\d\."))
    before = await questions.count()
    await form.get_by_role("button", name="Add a question").click()
    await page.get_by_role("dialog").get_by_role("button", name="Add it").click()
    own = page.get_by_role("dialog", name="A question of your own")
    await own.get_by_label("Kind").select_option("choice")
    await own.get_by_label("The question in English").fill("Compared with others?")
    await own.get_by_label("Options to choose from").fill("Better\nSame")
    await own.get_by_role("button", name="Add it").click()
    await expect(questions).to_have_count(before + 1)
    await expect(form.get_by_label("Option “better” · English").last).to_have_value("Better")
    await expect(form.get_by_text("to do before publishing").or_(form.get_by_text("to look at"))).to_be_visible()
    await form.get_by_role("button", name="↑ Earlier").last.click()
    await expect(questions.nth(before - 1)).to_contain_text("One of several")
    await expect(form.get_by_text(SAVED)).to_be_visible()

    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_role("dialog").locator(":focus")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await form.get_by_role("button", name=re.compile("Remove: .*One of several")).first.click()
    await expect(questions).to_have_count(before)


async def test_an_edit_that_somebody_overtook_is_kept_and_can_be_saved_over_it(page: Page, where: Site) -> None:
    outreach = where.installation.outreach
    survey_id = await published_survey(where, "ces", name="Effort")
    await open_page(page, where, f"/surveys/{survey_id}/edit")
    form = page.get_by_role("region", name="Questions and texts")
    assert (await outreach.patch(f"/v1/surveys/{survey_id}", json={"name": "Theirs"})).is_success
    await form.get_by_label("The question with the score · English").fill("Mine: how easy was it?")
    await form.get_by_label("Product, {product}").focus()
    await expect(form.get_by_text("Somebody else has changed this survey meanwhile")).to_be_visible()
    await expect(form.get_by_label("The question with the score · English")).to_have_value("Mine: how easy was it?")
    await form.get_by_role("button", name="Keep mine").click()
    await expect(form.get_by_text(SAVED)).to_be_visible()
    draft = (await outreach.get(f"/v1/surveys/{survey_id}")).json()["draft"]
    assert draft["texts"]["en"]["score"]["text"] == "Mine: how easy was it?"


async def test_a_link_is_copied_passed_over_a_rest_and_withdrawn(page: Page, where: Site) -> None:
    survey_id = await published_survey(where, "relationship", name="For Mara")
    await links_for(where, survey_id, people=[MARA], override_quarantine="the first of two")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await open_page(page, where, PERSON)
    await page.get_by_role("button", name="Make a link").click()
    dialog = page.get_by_role("dialog", name="Make a link")
    await dialog.get_by_label("Survey").select_option(label="For Mara")
    await dialog.get_by_role("button", name="Make it").click()
    links = page.get_by_role("dialog", name="Personal links")
    await expect(links.get_by_text("Not asked:")).to_be_visible()
    await links.get_by_role("button", name="Make it all the same").click()
    why = page.get_by_role("dialog", name="Ask all the same")
    await why.get_by_label("Why").fill("she asked for it")
    await why.get_by_role("button", name="Make the link").click()
    await links.get_by_role("button", name="Copy the link").click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == await links.locator("input").input_value()
    assert copied.startswith(where.installation.url("outreach"))
    await links.get_by_role("button", name="QR code").click()
    await expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    await page.get_by_role("dialog", name="QR code").get_by_role("button", name="Done").click()
    await links.get_by_role("button", name="Done").click()

    asked = page.get_by_role("region", name="Asked by Tellback", exact=True)
    await expect(asked.get_by_text("● Open").first).to_be_visible()
    await asked.get_by_role("button", name="Withdraw").first.click()
    await page.get_by_role("dialog").get_by_label("Why").fill("by mistake")
    await page.get_by_role("dialog").get_by_role("button", name="Withdraw it").click()
    await expect(asked.get_by_text("○ Withdrawn").first).to_be_visible()


async def test_links_for_many_are_a_file(page: Page, where: Site) -> None:
    survey_id = await published_survey(where, "relationship", name="For many")
    await open_page(page, where, f"/surveys/links?survey_id={survey_id}&account_id=clearvoice")
    await page.get_by_role("button", name="Make the links").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make them").click()
    result = page.locator(".result")
    await expect(result.get_by_text(re.compile(r"of \d+ (person|people) got a link"))).to_be_visible()
    async with page.expect_download() as downloading:
        await result.get_by_role("button", name="Download").click()
    text = (await (await downloading.value).path()).read_text(encoding="utf-8")
    assert text.splitlines()[0].startswith("account_id,stakeholder_id,name,email,language,url")
    assert "clearvoice" in text


async def test_a_review_is_shared_by_links(page: Page, where: Site) -> None:
    await published_survey(where, "review", name="After a review")
    await open_page(page, where, "/accounts/northwind/review/share")
    recipients = page.get_by_role("group", name="Who gets a link")
    for tick in await recipients.get_by_role("checkbox").all():
        await tick.set_checked(False)
    await recipients.get_by_role("checkbox").first.check()
    await page.get_by_label("Your words above it").fill("Thank you for the talk.")
    await page.get_by_role("button", name="Make the review and its links").click()
    await expect(page.get_by_text("Thank you for the talk.")).to_be_visible()
    await expect(page.get_by_role("button", name="Copy the link")).to_have_count(1)
    await expect(page.get_by_text("○ not opened yet")).to_be_visible()


async def test_a_review_is_looked_at_before_it_is_made(page: Page, where: Site) -> None:
    await published_survey(where, "review", name="To look at")
    await open_page(page, where, "/accounts/northwind/review/share")
    await page.get_by_role("group", name="Who gets a link").get_by_role("checkbox").first.check()
    await page.get_by_label("Your words above it").fill("Before you read on.")
    await page.get_by_role("button", name="See what they will see").click()
    copy = page.frame_locator("iframe[title='The page of the review']")
    await expect(copy.get_by_text("Before you read on.")).to_be_visible()
    await expect(copy.get_by_role("heading", name="And now your view")).to_be_visible()
    await expect(page.get_by_role("button", name="Copy the link")).to_have_count(0)


async def test_a_survey_is_archived_and_brought_back(page: Page, where: Site) -> None:
    survey_id = await published_survey(where, "ces", name="To be archived")
    await open_page(page, where, f"/surveys/{survey_id}/edit")
    await page.get_by_role("button", name="Archive", exact=True).click()
    await page.get_by_role("button", name="Archive it").click()
    await expect(page.get_by_role("link", name="Make links")).to_have_count(0)
    await open_page(page, where, "/surveys")
    await page.get_by_text("Archived", exact=True).click()
    await page.get_by_role("link", name="To be archived").click()
    await page.get_by_role("button", name="Bring it back").click()
    await expect(page.get_by_role("link", name="Make links")).to_be_visible()


async def test_a_colour_is_seen_in_the_preview_and_the_words_as_plain_text(page: Page, where: Site) -> None:
    survey_id = await published_survey(where, "ces", name="In colour")
    await open_page(page, where, f"/surveys/{survey_id}/edit")
    form = page.get_by_role("region", name="Questions and texts")
    await form.get_by_label("Colour of links and buttons").fill("#7a0046")
    await form.get_by_label("Product, {product}").focus()
    await expect(form.get_by_text(SAVED)).to_be_visible()
    await expect(page.frame_locator("iframe").locator("button.main")).to_have_css("background-color", "rgb(122, 0, 70)")
    await page.get_by_role("combobox", name="As", exact=True).select_option("text")
    await expect(page.frame_locator("iframe").locator("pre")).to_contain_text("1 = Very difficult")


async def test_an_objection_is_kept_and_lifted(page: Page, where: Site) -> None:
    await open_page(page, where, "/surveys/objections")
    lifts = page.get_by_role("button", name="Lift", exact=True)
    before = await lifts.count()
    await page.get_by_role("button", name="Add addresses").click()
    dialog = page.get_by_role("dialog", name="Add addresses")
    await dialog.get_by_label("E-mail addresses").fill("nobody.asks@clearvoice.example")
    await dialog.get_by_role("button", name="Never ask them").click()
    await expect(lifts).to_have_count(before + 1)
    await lifts.first.click()
    await page.get_by_role("button", name="Lift it").click()
    await expect(lifts).to_have_count(before)


async def test_a_viewer_sees_surveys_and_asks_and_no_button(page: Page, browser: Browser, where: Site) -> None:
    survey_id = await published_survey(where, "relationship", name="To be seen")
    await open_page(page, where, "/settings/people")
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("E-mail").fill("sven@supplier.example")
    await page.get_by_label("Name", exact=True).fill("Sven")
    await page.get_by_role("dialog").get_by_role("combobox").select_option("viewer")
    await page.get_by_role("button", name="Add person").click()
    password = await password_by_link(page, browser)
    context = await Look().context(browser)
    own = await context.new_page()
    await sign_in(own, where, "sven@supplier.example", password)
    for path in ("/surveys", f"/surveys/{survey_id}/edit"):
        await open_page(own, where, path)
        await expect(own.locator("main").get_by_role("button")).to_have_count(0)
    await open_page(own, where, "/surveys")
    await expect(own.get_by_role("navigation", name="Surveys").get_by_role("link")).to_have_count(6)
    for path in ("/surveys/objections", "/surveys/new", "/surveys/links"):
        await own.goto(f"{where.url}{path}")
        await expect(own.get_by_text("This page is not for the role viewer")).to_be_visible()
    await context.close()
