"""A mail comes back: the page of bounces shows it, its address is corrected, and the invitation goes once more."""

import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect

from tests.browser.dashboard.asking import links_for, programme_for, published_survey
from tests.browser.dashboard.site import Site, open_page
from tests.support.polling import eventually

HELD_SECONDS = 420
"""A mail that was looked at before everything was read is looked at again after five minutes."""
WRONG, RIGHT = "wanda@bouncing.example", "wanda.wilk@bouncing.example"
AT_ALL_HOURS = {"days": list(range(7)), "first_days": [], "opens": 0, "closes": 24}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(2 * HELD_SECONDS + 200)]


async def test_c11_a_mail_that_came_back_is_seen_its_address_corrected_and_it_goes_again(
    page: Page, where: Site
) -> None:
    await wanda_is_known(where)
    await wanda_is_asked(where)
    await mailed(where, WRONG)
    [message_id] = [str(mail["Message-ID"]) for mail in where.relay.mails if WRONG in str(mail["To"])]
    back = {"message_id": message_id, "recipient": WRONG, "kind": "hard", "at": datetime.now(UTC).isoformat()}
    assert (await where.installation.outreach.post("/v1/bounces", json=back)).is_success

    await open_page(page, where, "/surveys/bounces?effect=bounced")
    await expect(page.get_by_role("row", name=re.compile("Wanda"))).to_contain_text("the address takes no mail")
    await page.get_by_role("button", name="Correct the address of Wanda").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("E-mail").fill(RIGHT)
    await dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name=re.compile("Wanda"))
    await expect(row).to_contain_text(RIGHT)
    await expect(row).to_contain_text("✓ corrected")
    await expect(row.get_by_role("button")).to_have_count(0)
    await mailed(where, RIGHT)
    assert (where.relay.recipients.count(WRONG), where.relay.recipients.count(RIGHT)) == (1, 1)


async def wanda_is_known(where: Site) -> None:
    """The account and its one person, once outreach knows them and whom others have asked."""
    collector = where.installation.collector
    assert (await collector.put("/v1/accounts/bouncing", json={"name": "Bouncing Ltd", "tier": "small"})).is_success
    path = f"/v1/accounts/bouncing/stakeholders/{WRONG}"
    assert (await collector.put(path, json={"name": "Wanda", "email": WRONG, "type": "user"})).is_success
    survey_id = await published_survey(where, "ces", name="To see who is known")
    await links_for(where, survey_id, people=[{"account_id": "nobody-there", "stakeholder_id": "nobody"}])

    async def known() -> bool:
        programme_id = await programme_for(where, survey_id, "Who is known", who={"account_id": "bouncing"})
        found = await where.installation.outreach.post(f"/v1/programmes/{programme_id}/dry-run")
        return bool(found.json()["would_ask"])

    await eventually(known, timeout=60)


async def wanda_is_asked(where: Site) -> None:
    """By hand, through a programme that writes at all hours."""
    outreach = where.installation.outreach
    survey_id = await published_survey(where, "csat", name="That comes back")
    programme_id = await programme_for(where, survey_id, "Comes back", hours=AT_ALL_HOURS, reminders=[])
    for step in ("dry-run", "start"):
        assert (await outreach.post(f"/v1/programmes/{programme_id}/{step}")).is_success
    people = [{"account_id": "bouncing", "email": WRONG}]
    asked = await outreach.post("/v1/asks", json={"programme_id": programme_id, "people": people})
    assert asked.status_code == 201, asked.text


async def mailed(where: Site, email: str) -> None:
    """Wait for the mail to an address."""

    async def there() -> bool:
        held = await where.installation.outreach.get("/v1/asks", params={"account_id": "bouncing"})
        assert email in where.relay.recipients, held.text
        return True

    await eventually(there, timeout=HELD_SECONDS)
