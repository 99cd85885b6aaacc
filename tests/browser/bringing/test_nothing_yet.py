"""Every page of an installation that knows nothing yet: it fits, says what is missing, and claims nothing else."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.looking import LOOKS, faults
from tests.browser.dashboard.site import Site, open_page, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SAID = {
    "/": "Begin here",
    "/reach": "Nobody was asked in this window.",
    "/accounts": "No account is known yet: add one, or bring a file",
    "/accounts?tier=key": "No accounts match these filters",
    "/people": "Nobody is known yet.",
    "/people?category=promoter": "No people match these filters.",
    "/answers": "Nobody has answered yet.",
    "/answers?survey_type=csat": "No answers match these filters.",
    "/follow-ups": "There is no follow-up here yet.",
    "/follow-ups?view=list&severity=high": "No follow-ups match these filters.",
    "/follow-ups?view=loop": "No account is without an owner.",
    "/my-day": "Nothing is due.",
    "/maturity": "Nobody has answered the questions yet.",
    "/benchmarks": "No answers count in this window.",
    "/bring": "Every file that is brought is listed here, with what became of its rows.",
    "/surveys": "There is no survey yet.",
    "/surveys/programmes": "There is no programme yet.",
    "/surveys/programmes/new": "No survey is published yet.",
    "/surveys/waves": "Nobody is to be asked within a fortnight.",
    "/surveys/loop-backs": "Nobody was told anything yet.",
    "/surveys/bounces": "No mail came back.",
    "/surveys/sending-domain": "Something is to be mended before receivers believe your mails.",
    "/surveys/links": "A survey is published before anybody can be asked.",
    "/surveys/asks": "Nobody was to be asked.",
    "/surveys/reviews": "No account waits for a review.",
    "/surveys/objections": "Nobody has objected.",
    "/settings": "No webhook endpoints yet.",
    "/settings/dead-letters": "Nothing: every record was handled.",
    "/settings/notifications": "No notifications yet.",
}
"""Address → a sentence on its page."""


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_every_page_says_what_is_missing(browser: Browser, where: Site, look: str) -> None:
    context = await LOOKS[look].context(browser)
    page = await context.new_page()
    await sign_in(page, where)
    found = {}
    for address, sentence in SAID.items():
        await open_page(page, where, address)
        await expect(page.locator("main").get_by_text(sentence).first).to_be_visible()
        found[address] = await faults(page, f"empty{_name_of(address)}", look)
    await context.close()
    assert {address: some for address, some in found.items() if some} == {}


async def test_a_filter_that_is_taken_away_leaves_no_word_of_filters(page: Page, where: Site) -> None:
    await open_page(page, where, "/accounts?tier=key")
    await expect(page.locator(".ag").get_by_text("No accounts match these filters")).to_be_visible()
    await page.get_by_label("Tier").select_option("")
    await expect(page.locator(".ag").get_by_text("No account is known yet")).to_be_visible()
    await expect(page.get_by_text("No accounts match these filters")).to_have_count(0)


def _name_of(address: str) -> str:
    """The address as a part of a file's name."""
    return re.sub(r"[^a-z]+", "-", address)
