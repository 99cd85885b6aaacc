"""Accounts and people on the pages: brought as files, made, completed, changed in two tabs, removed, erased, brought
out."""

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.bringing.files import counted, rows_of, upload
from tests.browser.bringing.test_bad_input import admit
from tests.browser.dashboard.site import Site, loaded, open_page
from tests.support.polling import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ACCOUNTS = (
    "Account ID,Name,Owner Email,Tier,Renewal Date,Customer Since,Time Zone\n"
    "harbour,Harbour Freight,kim@supplier.example,Key,2027-03-31,2019-04-01,Europe/Lisbon\n"
    "quay,Quay Works,nobody,Small,2027-06-30,,\n"
)
PEOPLE = (
    "Account,Email,Name,Role,Mail Permission\n"
    "harbour,ida@harbour.example,Ida Roe,Decision Maker,yes\n"
    "harbour,,Nobody,User,\n"
)


async def record_of(where: Site, path: str) -> dict[str, object]:
    """A record of the directory."""
    found: dict[str, object] = await where.installation.get("collector", path)
    return found


async def account_known(where: Site, account_id: str) -> None:
    """Wait until the scorer knows an account: until then there is no page of it."""

    async def known() -> bool:
        return (await where.installation.scorer.get(f"/v1/accounts/{account_id}")).is_success

    await eventually(known, timeout=30)


async def edit(page: Page, title: str) -> Locator:
    """The form of the record whose page is open."""
    await page.get_by_role("button", name="Edit", exact=True).click()
    dialog = page.get_by_role("dialog", name=title)
    await expect(dialog.get_by_label("Name", exact=True)).to_be_visible()
    return dialog


async def test_a_file_of_accounts_and_one_of_people_are_looked_at_and_taken(page: Page, where: Site) -> None:
    await open_page(page, where, "/accounts")
    await page.get_by_role("link", name="Bring a file of accounts").click()
    await upload(page, "accounts.csv", ACCOUNTS, "Accounts")
    preview = page.get_by_role("region", name="The first rows", exact=True)
    rows = await rows_of(preview, 2)
    assert [row[:3] for row in rows] == [["Line 2", "● taken", "harbour"], ["Line 3", "▼ not taken", ""]]
    await expect(preview).to_contain_text("E-mail of the owner")
    await page.get_by_role("button", name="Bring accounts").click()
    await expect(page.get_by_text("It has ended.")).to_be_visible()
    assert await counted(page) == {"Read": "2", "Taken": "1", "Passed over": "0", "Not taken": "1"}
    await expect(page.get_by_text("Files of accounts and people cannot be undone")).to_be_visible()
    record = await record_of(where, "/v1/accounts/harbour")
    assert (record["tier"], record["time_zone"], record["customer_since"]) == ("key", "Europe/Lisbon", "2019-04-01")

    await open_page(page, where, "/bring?kind=stakeholders")
    await upload(page, "people.csv", PEOPLE, "People")
    await page.get_by_role("button", name="Bring people").click()
    await expect(page.get_by_text("It has ended.")).to_be_visible()
    assert (await counted(page))["Taken"] == "1"
    ida = await record_of(where, "/v1/accounts/harbour/stakeholders/ida@harbour.example")
    assert (ida["name"], ida["type"], ida["mail_permission"]) == ("Ida Roe", "decision_maker", "granted")


async def test_an_account_is_made_changed_and_removed(page: Page, where: Site) -> None:
    await open_page(page, where, "/accounts")
    await page.get_by_role("button", name="Add an account").click()
    dialog = page.get_by_role("dialog", name="Add an account")
    await dialog.get_by_role("button", name="Add it").click()
    await expect(page.get_by_text("Say its id.")).to_be_visible()
    await dialog.get_by_label("Its id").fill("dock")
    await dialog.get_by_label("Name", exact=True).fill("Dock & Sons")
    await dialog.get_by_label("E-mail of the owner").fill("kim@supplier.example")
    await dialog.get_by_role("button", name="Add it").click()
    await expect(page.get_by_role("heading", level=1, name="Dock & Sons")).to_be_visible()

    form = await edit(page, "The account dock")
    await form.get_by_label("Tier").select_option(label="Premium")
    await form.get_by_label("Revenue a year").fill("120000")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_contain_text("needs amount and currency")
    await form.get_by_label("Its currency").fill("EUR")
    await form.get_by_label("Sponsor on our side").fill("Sam Oh")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_be_hidden()
    await expect(page.get_by_text("Sam Oh")).to_be_visible()
    record = await record_of(where, "/v1/accounts/dock")
    assert record["annual_revenue"] == {"amount": 120000, "currency": "EUR"}
    assert record["owner"] == {"name": None, "email": "kim@supplier.example"}, "what was not changed stays"

    await open_page(page, where, "/accounts")
    await page.get_by_role("button", name="Add an account").click()
    await dialog.get_by_label("Its id").fill("dock")
    await dialog.get_by_role("button", name="Add it").click()
    await expect(page.get_by_text("There is an account with this id already")).to_be_visible()
    await dialog.get_by_role("button", name="Cancel").click()

    await open_page(page, where, "/accounts/dock")
    await page.get_by_role("button", name="Remove", exact=True).click()
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_text("Removed from the directory").first).to_be_visible()
    assert (await where.installation.collector.get("/v1/accounts/dock")).status_code == 404


async def test_an_account_that_only_answered_invites_to_complete_it(page: Page, where: Site) -> None:
    await where.post_answer("pier", "pat@pier.example", 9, "Good.")
    await account_known(where, "pier")
    await open_page(page, where, "/accounts/pier")
    await page.get_by_role("button", name="Complete it").click()
    form = page.get_by_role("dialog", name="The account pier")
    await form.get_by_label("Name", exact=True).fill("Pier Ltd")
    await form.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1, name="Pier Ltd")).to_be_visible()
    await expect(page.get_by_role("button", name="Complete it")).to_have_count(0)


async def test_two_tabs_on_one_account_lose_nothing(page: Page, where: Site) -> None:
    put = await where.installation.collector.put("/v1/accounts/twotabs", json={"name": "Two Tabs", "region": "EMEA"})
    assert put.is_success, put.text
    await account_known(where, "twotabs")
    second = await page.context.new_page()
    for tab in (page, second):
        await open_page(tab, where, "/accounts/twotabs")
    mine, theirs = await edit(page, "The account twotabs"), await edit(second, "The account twotabs")
    await mine.get_by_label("Name", exact=True).fill("Two Tabs Ltd")
    await theirs.get_by_label("Region").fill("DACH")
    await theirs.get_by_role("button", name="Save").click()
    await expect(theirs).to_be_hidden()
    await mine.get_by_role("button", name="Save").click()
    await expect(mine).to_contain_text("Somebody else has changed this record meanwhile: Region is now DACH.")
    await expect(mine.get_by_label("Name", exact=True)).to_have_value("Two Tabs Ltd")
    await mine.get_by_role("button", name="Save").click()
    await expect(mine).to_be_hidden()
    record = await record_of(where, "/v1/accounts/twotabs")
    assert (record["name"], record["region"]) == ("Two Tabs Ltd", "DACH")
    await second.close()


async def test_a_person_is_added_changed_and_erased_with_a_receipt(page: Page, where: Site) -> None:
    account, ann = "/accounts/wharf", "/v1/accounts/wharf/stakeholders/ann@wharf.example"
    assert (await where.installation.collector.put("/v1/accounts/wharf", json={"name": "Wharf"})).is_success
    await account_known(where, "wharf")
    await open_page(page, where, account)
    await page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    await dialog.get_by_label("E-mail", exact=True).fill("ann@wharf.example")
    await dialog.get_by_label("Name", exact=True).fill("Ann Lee")
    await dialog.get_by_role("button", name="Add them").click()
    await page.get_by_role("link", name="Ann Lee").click()
    form = await edit(page, "ann@wharf.example")
    await form.get_by_label("Role").select_option(label="Decision-maker")
    await form.get_by_label("May be asked by mail").select_option(label="Yes")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_be_hidden()
    await expect(page.get_by_text("Decision-maker at")).to_be_visible()
    assert (await record_of(where, ann))["mail_permission"] == "granted"

    await where.post_answer("wharf", "ann@wharf.example", 2, "Never again.")
    await expect(page.get_by_text("Never again.").first).to_be_visible()
    await page.get_by_role("button", name="Erase", exact=True).click()
    sure = page.get_by_role("dialog", name="Erase Ann Lee for good?")
    await expect(sure).to_contain_text("1 answer out of every figure")
    await sure.get_by_role("button", name="Erase for good").click()
    await expect(page.get_by_role("heading", level=1, name="Somebody was erased")).to_be_visible()
    await expect(page.get_by_text("No copy is left in Kafka’s log from")).to_be_visible()
    await expect(page.get_by_role("row", name="The scorer")).to_contain_text("1 answer")
    assert (await where.installation.collector.get(ann)).status_code == 404
    await open_page(page, where, account)
    await expect(page.get_by_text("Ann Lee")).to_have_count(0)


async def test_all_accounts_come_out_as_a_file(page: Page, where: Site, tmp_path: Path) -> None:
    assert (await where.installation.collector.put("/v1/accounts/export", json={"name": "=Export"})).is_success
    await account_known(where, "export")
    await open_page(page, where, "/accounts")
    async with page.expect_download() as waited:
        await page.get_by_role("link", name="Download all as CSV").click()
    await (await waited.value).save_as(tmp_path / "accounts.csv")
    rows = list(csv.DictReader((tmp_path / "accounts.csv").read_text().splitlines()))
    assert "'=Export" in [row["name"] for row in rows]


async def test_the_people_of_an_account_come_out_as_a_file(page: Page, where: Site, tmp_path: Path) -> None:
    await where.installation.collector.put("/v1/accounts/trip", json={"name": "Trip"})
    path = "/v1/accounts/trip/stakeholders/eve@trip.example"
    person: dict[str, Any] = {
        "name": "=Eve Ott",
        "email": "eve@trip.example",
        "type": "user",
        "job_title": "+1 Planner",
    }
    person |= {"mail_permission": "refused", "time_zone": "Europe/Oslo", "attributes": {"desk": "7"}}
    assert (await where.installation.collector.put(path, json=person)).is_success
    await eventually(lambda: where.knows("trip", "eve@trip.example"), timeout=30)
    await open_page(page, where, "/accounts/trip")
    async with page.expect_download() as waited:
        await page.get_by_role("link", name="Its people as CSV").click()
    await (await waited.value).save_as(tmp_path / "people.csv")
    assert "'=Eve Ott" in (tmp_path / "people.csv").read_text()


async def test_who_may_not_change_the_directory_sees_no_buttons_for_it(
    page: Page, where: Site, browser: Browser
) -> None:
    assert (await where.installation.collector.put("/v1/accounts/seen", json={"name": "Seen"})).is_success
    await account_known(where, "seen")
    viewer = await admit(page, browser, where, "vic@supplier.example", "Viewer")
    await open_page(viewer, where, "/accounts/seen")
    await loaded(viewer)
    for name in ("Edit", "Remove", "Add a person"):
        await expect(viewer.get_by_role("button", name=name, exact=True)).to_have_count(0)
    await open_page(viewer, where, "/accounts")
    await expect(viewer.get_by_role("button", name="Add an account")).to_have_count(0)
    await open_page(viewer, where, "/erasures/0199c0de-7a10-7b6c-8c5f-1f0e2d3c4b5a")
    await expect(viewer.get_by_text("This page is not for the role viewer.")).to_be_visible()
    await viewer.context.close()
