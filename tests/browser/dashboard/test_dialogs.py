"""What opens over a page: it fits, is accessible, takes the focus, and Escape closes it."""

from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard.asking import programme_for, published_survey
from tests.browser.dashboard.looking import LOOKS, errors_of, faults
from tests.browser.dashboard.site import Site, open_page, sign_in
from tests.support.polling import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
TWINS = "/v1/accounts/towerkeep/stakeholders"


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a dialog opens: the page, and the buttons that are pressed one after the other."""

    path: str
    buttons: tuple[str, ...]


OPENINGS = {
    "remove-demo": Opening("/", ("Remove the demo …",)),
    "target": Opening("/reach", ("Target of Ines Falk",)),
    "account-add": Opening("/accounts", ("Add an account",)),
    "account-edit": Opening("/accounts/ironbridge", ("Edit",)),
    "account-remove": Opening("/accounts/ironbridge", ("Remove",)),
    "person-add": Opening("/accounts/ironbridge", ("Add a person",)),
    "follow-up-open": Opening("/accounts/ironbridge", ("Open a follow-up",)),
    "link-make": Opening("/accounts/ironbridge", ("Make a link",)),
    "loop-back": Opening("/accounts/ironbridge", ("Tell them what changed",)),
    "doubles": Opening("/accounts/towerkeep", ("Likely doubles",)),
    "merge": Opening("/accounts/towerkeep", ("Likely doubles", "See what it does")),
    "survey-begin": Opening("/surveys/new", ("Begin with Relationship NPS",)),
    "programme-begin": Opening("/surveys/programmes/new", ("Begin with One wave",)),
    "history": Opening("/surveys/asks", ("History",)),
    "links-many": Opening("/surveys/links", ("Make the links",)),
    "objections-add": Opening("/surveys/objections", ("Add addresses",)),
    "objections-bring": Opening("/surveys/objections", ("Bring a file",)),
    "endpoint-add": Opening("/settings", ("Add an endpoint",)),
    "notify-mail": Opening("/settings/notifications", ("Notify by mail",)),
    "notify-slack": Opening("/settings/notifications", ("Notify a room in Slack",)),
    "key-create": Opening("/settings/keys", ("Create a key",)),
    "key-revoke": Opening("/settings/keys", ("Revoke",)),
    "person-sign-in": Opening("/settings/people", ("Add a person",)),
    "role": Opening("/settings/people", ("Role",)),
}


@pytest.fixture(scope="module")
async def openings(where: Site) -> dict[str, Opening]:
    """All dialogs, with those of a follow-up, of a programme and of a survey."""
    survey_id = await published_survey(where, "relationship", name="Opened")
    programme_id = await programme_for(where, survey_id, "Opened")
    assert (await where.installation.outreach.post(f"/v1/programmes/{programme_id}/dry-run")).is_success
    found = await where.installation.get("alerting", "/v1/follow-ups", account_id="ironbridge", state="open", limit=1)
    task = f"/follow-ups/{found['items'][0]['follow_up_id']}"
    await twins_are_known(where)
    return OPENINGS | {
        "follow-up-close": Opening(task, ("Close",)),
        "follow-up-promise": Opening(task, ("Promise",)),
        "follow-up-assign": Opening(task, ("Assign",)),
        "follow-up-snooze": Opening(task, ("Snooze",)),
        "follow-up-comment": Opening(task, ("Comment",)),
        "programme-start": Opening(f"/surveys/programmes/{programme_id}", ("Start",)),
        "mail-test": Opening(f"/surveys/programmes/{programme_id}", ("Send me a test",)),
        "publish": Opening(f"/surveys/{survey_id}/edit", ("Publish",)),
        "question-add": Opening(f"/surveys/{survey_id}/edit", ("Add a question",)),
        "wording-add": Opening(f"/surveys/{survey_id}/edit", ("Another wording",)),
    }


async def twins_are_known(where: Site) -> None:
    """Two records that are likely one person."""
    for stakeholder_id in ("T-1", "nora.twin@towerkeep.example"):
        put = await where.installation.collector.put(f"{TWINS}/{stakeholder_id}", json={"name": "Nora Twin"})
        assert put.is_success, put.text

    async def found() -> bool:
        answer = await where.installation.collector.get("/v1/accounts/towerkeep/doubles")
        return bool(answer.json()["items"])

    await eventually(found, timeout=30)


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_every_dialog_fits_and_is_accessible(
    browser: Browser, where: Site, openings: dict[str, Opening], look: str
) -> None:
    context = await LOOKS[look].context(browser)
    page = await context.new_page()
    errors = errors_of(page)
    await sign_in(page, where)
    found = {}
    for name, opening in openings.items():
        errors.clear()
        await open_page(page, where, opening.path)
        found[name] = [*await faults_of(page, name, opening, look), *errors]
    await context.close()
    assert {name: some for name, some in found.items() if some} == {}


async def faults_of(page: Page, name: str, opening: Opening, look: str) -> list[str]:
    """Open the dialog, look at it, and close it again."""
    dialogs = page.get_by_role("dialog")
    await page.get_by_role("button", name=opening.buttons[0]).first.click()
    for button in opening.buttons[1:]:
        title = await dialogs.get_by_role("heading", level=2).inner_text()
        await dialogs.get_by_role("button", name=button).click()
        await expect(dialogs.get_by_role("heading", name=title)).to_have_count(0)
    await expect(dialogs).to_have_count(1)
    await expect(dialogs.get_by_role("heading", level=2)).to_be_visible()
    found = await faults(page, f"dialog-{name}", look, whole=False)
    if not await page.evaluate("document.activeElement.closest('[role=dialog]') !== null"):
        found.append("the focus is not in the dialog")
    await page.keyboard.press("Escape")
    await expect(dialogs).to_have_count(0)
    return found
