"""Work on the pages: ask why, open follow-ups, promise, snooze, and see the result."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.site import Look, Site, loaded, open_page, password_by_link, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
GAPS = re.compile("Never asked in 12 months: |No account lacks a decision-maker")


async def test_every_figure_leads_to_the_answers_behind_it(page: Page, where: Site) -> None:
    await open_page(page, where, "/accounts/brightsite")
    score = page.get_by_role("region", name="Score", exact=True)
    row = score.get_by_role("row").filter(has=page.get_by_role("link", name="Users"))
    nps, voices = await row.locator("td").nth(1).inner_text(), await row.locator("td").nth(3).inner_text()
    await row.get_by_role("link", name="Users").click()
    await expect(page.get_by_role("heading", level=1, name=f"Why {nps}")).to_be_visible()
    await loaded(page)
    counted = page.get_by_role("region", name="Answers that count", exact=True).first
    await expect(counted.get_by_role("table").locator("tbody tr")).to_have_count(int(voices))
    await page.locator("summary", has_text="another survey").click()
    await expect(page.get_by_role("region", name="Another survey").get_by_role("link").first).to_be_visible()

    await open_page(page, where, "/accounts/brightsite")
    await page.get_by_role("link", name=re.compile("^CSAT")).first.click()
    await expect(page.get_by_role("heading", level=1, name=re.compile(r"^Why \d\.\d of 5$"))).to_be_visible()


async def test_a_point_of_the_trend_is_explained_as_of_then(page: Page, where: Site) -> None:
    await open_page(page, where, "/accounts/ironbridge")
    trend = page.get_by_role("region", name="Trend", exact=True)
    await trend.get_by_text("As a table").click()
    row = trend.get_by_role("row").nth(6)
    nps = await row.locator("td").nth(1).inner_text()
    await row.get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1, name=f"Why {nps}")).to_be_visible()
    await expect(page.get_by_text("as of")).to_be_visible()


async def test_a_follow_up_is_opened_by_hand_promised_and_put_away(page: Page, where: Site) -> None:
    await open_page(page, where, "/accounts/nordform")
    await page.get_by_role("button", name="Open a follow-up").click()
    dialog = page.get_by_role("dialog", name="Open a follow-up")
    await dialog.get_by_role("button", name="Open it").click()
    await expect(page.get_by_text("Say what it is about.")).to_be_visible()
    await dialog.get_by_label("What it is about").fill("Asked at the fair for a second site")
    await dialog.get_by_role("button", name="Open it").click()
    await expect(page.get_by_text("Opened by hand, not by a rule.")).to_be_visible()
    await expect(page.get_by_text("Asked at the fair for a second site").first).to_be_visible()

    await page.get_by_role("button", name="Promise").click()
    dialog = page.get_by_role("dialog", name="What was promised")
    await dialog.get_by_label("What was promised").fill("A plan for the second site")
    await dialog.get_by_label("By when").fill(f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT%H:%M}")
    await dialog.get_by_role("button", name="Save promise").click()
    await expect(page.get_by_text("A plan for the second site, by")).to_be_visible()

    await page.get_by_role("button", name="Snooze").click()
    dialog = page.get_by_role("dialog", name="Snooze")
    await dialog.get_by_label("How long").select_option("7")
    await dialog.get_by_role("button", name="Snooze").click()
    await expect(page.get_by_text("Snoozed · due")).to_be_visible()
    await open_page(page, where, "/follow-ups?view=list&kind=manual")
    await expect(page.get_by_role("row").filter(has_text="Nordform")).to_contain_text("Snoozed")


async def test_a_follow_up_says_why_it_is_there_and_what_the_person_said_next(page: Page, where: Site) -> None:
    alerting = where.installation.alerting
    query = {"state": "open", "kind": "detractor"}
    task = (await alerting.get("/v1/follow-ups", params=query)).json()["items"][0]
    await open_page(page, where, f"/follow-ups/{task['follow_up_id']}")
    why = page.get_by_role("region", name="Why it is here", exact=True)
    await expect(why.get_by_text(task["reasons"][0])).to_be_visible()
    await why.get_by_text("The facts and the rules behind it").click()
    await expect(why.get_by_role("region", name="Rules that matched").get_by_role("row").nth(1)).to_be_visible()

    await alerting.post(f"/v1/follow-ups/{task['follow_up_id']}/close", json={"what_was_done": "A named contact"})
    await expect(page.get_by_text("has not come yet")).to_be_visible()
    await where.post_answer(task["account_id"], task["stakeholder_id"], 9, "That helped.")
    await expect(page.get_by_text("↑ better than before: 9")).to_be_visible()
    await open_page(page, where, "/follow-ups?view=loop&by=kind")
    closed = page.get_by_role("region", name="By kind").get_by_role("row").filter(has_text="Detractor")
    figures = (await alerting.get("/v1/follow-ups/summary", params={"group_by": "kind"})).json()["groups"]
    found = next(group for group in figures if group["group"]["kind"] == "detractor")
    assert found["recovered_count"] >= 1
    said = ", ".join(str(found[f"{result}_count"]) for result in ("recovered", "unchanged", "worse"))
    await expect(closed.locator("td").last).to_have_text(said)


async def test_what_is_no_longer_so_is_listed_and_closed_at_once(page: Page, where: Site) -> None:
    alerting = where.installation.alerting
    (task,) = (await alerting.get("/v1/follow-ups", params={"reason_holds": "false"})).json()["items"]
    await open_page(page, where, f"/follow-ups/{task['follow_up_id']}")
    await expect(page.get_by_text("No longer applies since")).to_be_visible()
    await expect(page.get_by_role("button", name="Close: improved without action")).to_be_visible()
    await open_page(page, where, "/follow-ups?view=list&so=no")
    await page.get_by_role("button", name="Close 1 follow-up").click()
    await page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    await expect(page.get_by_text("No follow-ups match these filters.")).to_be_visible()
    closed = (await alerting.get(f"/v1/follow-ups/{task['follow_up_id']}")).json()
    assert (closed["outcome"], closed["closed_by"]) == ("improved", "person")


async def test_filters_of_follow_ups_stand_in_the_address(page: Page, where: Site) -> None:
    await open_page(page, where, "/follow-ups?view=list")
    await page.get_by_label("Kind").select_option("promoter_to_passive")
    await expect(page).to_have_url(re.compile(r"view=list.*kind=promoter_to_passive"))
    await loaded(page)
    kinds = await page.get_by_role("region", name="Follow-ups").locator("tbody td:first-child").all_inner_texts()
    assert set(kinds) == {"Promoter became passive"}


async def test_the_portfolio_says_who_is_silent_what_is_at_risk_and_what_drives_the_score(
    page: Page, where: Site
) -> None:
    await open_page(page, where, "/?by=tier")
    silent = page.get_by_role("region", name="Silent before their renewal", exact=True)
    await expect(silent.get_by_role("link", name="Keystone FM")).to_be_visible()
    risk = page.get_by_role("region", name="Revenue at risk", exact=True)
    await expect(risk.locator("a.figure .value")).to_have_text(re.compile(r"^€[\d,]+$"))
    await page.get_by_role("link", name="Premium").click()
    await expect(page).to_have_url(re.compile(r"/accounts\?tier=premium$"))
    await loaded(page)
    tiers = page.locator(".ag-center-cols-container [col-id=tier]")
    await expect(tiers.first).to_have_text("Premium")
    assert set(await tiers.all_inner_texts()) == {"Premium"}
    await open_page(page, where, "/reach")
    drivers = page.get_by_role("region", name="What drives the score", exact=True)
    await drivers.get_by_text("As a table").click()
    await expect(drivers.get_by_role("row").filter(has_text="Value for money")).to_be_visible()
    await expect(page.get_by_role("region", name="Coverage gaps").get_by_text(GAPS)).to_be_visible()


async def test_answers_are_found_by_the_words_of_their_comment(page: Page, where: Site) -> None:
    await open_page(page, where, "/?by=tier")
    await page.get_by_role("link", name="What they answered and wrote").click()
    await expect(page).to_have_url(re.compile(r"/answers\?survey_type=nps&window=90d$"))
    await page.get_by_label("Words in the comment").fill("invoices")
    await page.get_by_role("button", name="Show").click()
    await expect(page).to_have_url(re.compile(r"q=invoices"))
    await loaded(page)
    said = page.get_by_role("region", name="Answers").locator("tbody td:nth-child(5)")
    await expect(said.first).to_contain_text("Invoices")
    assert all("nvoices" in text for text in await said.all_inner_texts())


async def test_ones_own_follow_ups_come_first(page: Page, browser: Browser, where: Site) -> None:
    await open_page(page, where, "/settings/people")
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("E-mail").fill("priya.nair@supplier.example")
    await page.get_by_label("Name", exact=True).fill("Priya Nair")
    await page.get_by_role("dialog").get_by_role("combobox").select_option("leader")
    await page.get_by_role("button", name="Add person").click()
    password = await password_by_link(page, browser)
    context = await Look().context(browser)
    own = await context.new_page()
    await sign_in(own, where, "priya.nair@supplier.example", password)
    await open_page(own, where, "/follow-ups?view=list")
    owners = await own.get_by_role("region", name="Follow-ups").locator("tbody td:nth-child(5)").all_inner_texts()
    mine = owners.count("Priya Nair")
    assert 0 < mine < len(owners)
    assert set(owners[:mine]) == {"Priya Nair"}
    await context.close()
