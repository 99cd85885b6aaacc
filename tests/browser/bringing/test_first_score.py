"""From the first sign-in to the first score: a file of another tool, looked at, taken, mended, undone; one answer by
API."""

import json
import shlex
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.bringing.files import bring, counted, rows_of, said, upload
from tests.browser.dashboard.site import Site, loaded, open_page
from tests.support.polling import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SURVEYMONKEY = (
    "Respondent ID,Collector ID,Start Date,End Date,Email Address,Company,"
    "How likely is it that you would recommend us?,What could we do better?\n"
    ",,,,,,Response,Open-Ended Response\n"
    "118001,4711,11/03/2026 09:10:00 AM,11/03/2026 09:12:30 AM,ann@acme.example,Acme,9,Faster answers\n"
    "118002,4711,11/04/2026 09:10:00 AM,11/04/2026 09:12:30 AM,bob@acme.example,Acme,10,\n"
    '118003,4711,11/05/2026 09:10:00 AM,11/05/2026 09:12:30 AM,cy@northwind.example,Northwind,3,"Nobody calls, ever"\n'
    "118004,4711,11/06/2026 09:10:00 AM,11/06/2026 09:12:30 AM,di@northwind.example,Northwind,eleven,=Fine\n"
)


async def read_surveymonkey(page: Page, order: str) -> None:
    """Say on the page of a draft what a SurveyMonkey file does not tell by itself."""
    await expect(page.get_by_text("The dates can be read in two ways: say which.")).to_be_visible()
    await page.get_by_label("How dates are written").select_option(label=order)
    await expect(page.get_by_text("The dates can be read in two ways: say which.")).to_have_count(0)
    await page.get_by_label("Comment").select_option(value="What could we do better?")
    await expect(page.get_by_role("columnheader", name="Comment")).to_be_visible()


async def test_from_the_sign_in_to_the_first_score(page: Page, where: Site, tmp_path: Path) -> None:
    begin = page.get_by_role("region", name="Begin here")
    await expect(begin).to_contain_text("Post one by API")
    await begin.get_by_role("link", name="Bring a file").click()
    await expect(page.get_by_text("CSV up to 512 MB, packed or not; Excel (.xlsx) up to 50 MB")).to_be_visible()
    await upload(page, "survey.csv", SURVEYMONKEY)

    await expect(page.get_by_text("SurveyMonkey", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Bring answers")).to_be_disabled()
    await read_surveymonkey(page, "11/03/2026 09:12:30 AM is 3 November 2026")
    preview = page.get_by_role("region", name="The first rows", exact=True)
    assert await rows_of(preview, 4) == [
        ["Line 3", "● taken", "Acme", "ann@acme.example", "nps", "9"],
        ["Line 4", "● taken", "Acme", "bob@acme.example", "nps", "10"],
        ["Line 5", "● taken", "Northwind", "cy@northwind.example", "nps", "3"],
        ["Line 6", "▼ not taken", "", "", "", ""],
    ]
    await expect(preview).to_contain_text("Nobody calls, ever")
    assert (await where.installation.get("scorer", "/v1/responses"))["items"] == [], "nothing is taken yet"
    await page.get_by_role("button", name="Bring answers").click()

    await expect(page.get_by_role("heading", level=1, name="What became of the file")).to_be_visible()
    await expect(page.get_by_text("All rows are read, and those that were taken count in the figures.")).to_be_visible()
    assert await counted(page) == {"Read": "4", "Taken": "3", "Passed over": "0", "Not taken": "1"}
    await expect(page.get_by_role("row", name="New 3")).to_be_visible()
    await expect(page.get_by_role("row", name="Line 6 ▼ not taken Score write a whole number")).to_be_visible()
    report = page.url

    await page.get_by_role("link", name="Portfolio").click()
    await expect(page.get_by_role("region", name="Score", exact=True)).to_contain_text("+33")
    await expect(page.get_by_role("region", name="Begin here")).to_have_count(0)

    await mend(page, where, report, tmp_path)
    await undo(page, where, report)


async def mend(page: Page, where: Site, report: str, tmp_path: Path) -> None:
    """Bring the row that was not taken once more, mended."""
    await page.goto(report)
    async with page.expect_download() as waited:
        await page.get_by_role("link", name="Download the rows to mend").click()
    mended = tmp_path / "to-mend.csv"
    await (await waited.value).save_as(mended)
    lines = mended.read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["Respondent ID", "", "118004"]
    assert lines[0].endswith(",Why it was not taken")
    assert "eleven,=Fine," in lines[2]
    mended.write_text(mended.read_text(encoding="utf-8-sig").replace("eleven", "7"))

    await open_page(page, where, "/bring")
    await bring(page, mended)
    await read_surveymonkey(page, "11/06/2026 09:12:30 AM is 6 November 2026")
    await page.get_by_role("button", name="Bring answers").click()
    await expect(page.get_by_text("All rows are read, and those that were taken count in the figures.")).to_be_visible()
    assert await counted(page) == {"Read": "1", "Taken": "1", "Passed over": "0", "Not taken": "0"}
    await page.get_by_role("link", name="Portfolio").click()
    await expect(page.get_by_role("region", name="Score", exact=True)).to_contain_text("+25")


async def undo(page: Page, where: Site, report: str) -> None:
    """Take back the first file; what the second one has brought stays."""
    await page.goto(report)
    await page.get_by_role("button", name="Undo this file").click()
    dialog = page.get_by_role("dialog", name="Undo this file?")
    await expect(dialog).to_contain_text("3 answers, 0 changes")
    await dialog.get_by_role("button", name="Undo it").click()
    await expect(page.get_by_text("It was undone: what it had brought counts no longer.")).to_be_visible()

    async def one_is_left() -> bool:
        left = (await where.installation.get("scorer", "/v1/responses"))["items"]
        return [response["stakeholder_id"] for response in left] == ["di@northwind.example"]

    await eventually(one_is_left, timeout=30)


async def test_the_same_file_again_doubles_nothing_and_says_so(page: Page, where: Site) -> None:
    content = "Account,Email,Score,Date\ntwin,tia@twin.example,9,2026-11-03\n"
    for _ in range(2):
        await open_page(page, where, "/bring")
        await upload(page, "same.csv", content)
        await page.get_by_role("button", name="Bring answers").click()
        await expect(page.get_by_text("those that were taken count in the figures.")).to_be_visible()
    await expect(page.get_by_text("The very same file was brought before, so nothing doubles")).to_be_visible()
    await expect(page.get_by_role("row", name="Known already, nothing new 1")).to_be_visible()
    answers = await where.installation.get("scorer", "/v1/responses", account_id="twin")
    assert len(answers["items"]) == 1


async def test_one_answer_is_posted_with_a_key_made_on_the_page(page: Page, where: Site) -> None:
    await open_page(page, where, "/bring/api")
    await page.get_by_role("button", name="Make a key for it").click()
    dialog = page.get_by_role("dialog", name="The request with its key")
    words = shlex.split(await dialog.locator("pre").inner_text())
    await dialog.get_by_role("button", name="I have copied it").click()
    address = next(word for word in words if word.startswith("http"))
    headers = dict(word.split(": ", 1) for word in words if ": " in word and not word.startswith("{"))
    async with httpx.AsyncClient(trust_env=False) as program:
        posted = await program.post(address, headers=headers, json=json.loads(words[-1]))
        assert posted.status_code == 202, posted.text
        read = await program.get(f"{where.installation.url('scorer')}/v1/responses", headers=headers)
        assert read.status_code == 403, "the key reads nothing"
    await expect(page.get_by_text("answered 9 (NPS)")).to_be_visible()
    await loaded(page)
    assert await said(page) == ""
