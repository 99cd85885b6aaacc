"""Work of admins in the settings: webhooks, rules, notifications, dead letters, keys, and rights."""

import re

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from services.dashboard import SCHEMA
from services.dashboard.gateways.vault import Vault
from services.dashboard.store.keys import live_key
from services.dashboard.store.users import password_of
from shared.db.engine import Database
from shared.kafka.producer import Publisher
from shared.records import Record
from shared.topics import RESPONSES
from tests.browser.dashboard.site import Look, Site, loaded, open_page, password_by_link, sign_in
from tests.support.http import bearer
from tests.support.polling import eventually
from tests.support.receiver import FAIL, Receiver, receiving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
READ_ONLY_POSTS = {"/v1/rules/dry-run", "/v1/rules/{rule}/dry-run", "/v1/names"}
SIGNED_POSTS = {"/v1/callbacks/{endpoint_id}", "/v1/bounces/postmark", "/v1/bounces/sendgrid"}
"""Calls that a CRM or a mail service signs or shows a secret of its own with; they need no key."""


async def the_secret(page: Page) -> str:
    """The secret that a dialog shows once."""
    secret = (await page.locator("code.secret").inner_text()).strip()
    await page.get_by_role("button", name="I have saved it").click()
    await expect(page.locator("code.secret")).to_have_count(0)
    return secret


async def test_an_endpoint_is_added_tested_given_a_new_secret_and_sent_what_it_missed(page: Page, where: Site) -> None:
    async with receiving() as crm:
        secret = await _add_endpoint(page, where, crm)
        await page.get_by_role("link", name=crm.url).click()
        await page.get_by_role("button", name="Send a test").click()
        await _got(crm, 1)
        assert crm.requests[0].verified(secret)

        await page.get_by_role("button", name="New secret").click()
        await page.get_by_role("button", name="Make it").click()
        rotated = await the_secret(page)
        assert rotated != secret
        await page.get_by_role("button", name="Send again").first.click()
        await _got(crm, 2)
        assert crm.requests[1].verified(rotated)
        assert crm.requests[1].verified(secret), "the old secret signs for one more day"
        assert crm.requests[1].webhook_id == crm.requests[0].webhook_id

        await page.get_by_role("link", name="webhook.test").click()
        await expect(
            page.get_by_role("region", name="What is sent").get_by_text('"type": "webhook.test"')
        ).to_be_visible()
        await expect(page.get_by_role("region", name="Tries").get_by_text("● 200").first).to_be_visible()
        await page.get_by_role("link", name="Its page").click()

        await page.get_by_role("button", name="Hold messages").click()
        await expect(page.get_by_text("▼ disabled: by hand")).to_be_visible()
        await where.post_answer("clearvoice", "held@clearvoice.example", 3, "Nobody rings back.")
        await expect(page.get_by_text("▼ held").first).to_be_visible()
        await page.get_by_role("button", name="Send messages again").click()
        await expect(page.get_by_text("● sending")).to_be_visible()
        await page.get_by_role("button", name="Send a period again").click()
        await page.get_by_label("From (at most 14 days ago)").fill("2026-01-01T00:00")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_text("14 days").last).to_be_visible()  # the error; the dialog stays open
        since = await page.evaluate("new Date(Date.now() - 86400000).toISOString().slice(0, 16)")
        await page.get_by_label("From (at most 14 days ago)").fill(since)
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_text(re.compile(r"\d messages? will be sent again"))).to_be_visible()
        await _got(crm, 3)

        await page.get_by_role("button", name="Delete").click()
        await page.get_by_role("button", name="Delete it").click()
        await expect(page.get_by_role("heading", name="Endpoints")).to_be_visible()
        await expect(page.get_by_role("link", name=crm.url)).to_have_count(0)


async def test_a_failing_endpoint_says_why(page: Page, where: Site) -> None:
    async with receiving(default=FAIL) as crm:
        await _add_endpoint(page, where, crm)
        await page.get_by_role("link", name=crm.url).click()
        await page.get_by_role("button", name="Send a test").click()
        await expect(page.get_by_role("region", name="Deliveries").get_by_text("▼").first).to_be_visible()
        await page.get_by_role("link", name="webhook.test").click()
        await expect(page.get_by_role("region", name="Tries").locator("code.answer").first).to_have_text("no")


async def _add_endpoint(page: Page, where: Site, crm: Receiver) -> str:
    await open_page(page, where, "/settings")
    await page.get_by_role("button", name="Add an endpoint").click()
    dialog = page.get_by_role("dialog", name="Add an endpoint")
    await dialog.get_by_label("Address").fill(crm.url)
    await dialog.get_by_label("follow_up.opened").check()
    await dialog.get_by_role("button", name="Add it").click()
    return await the_secret(page)


async def _got(crm: Receiver, number: int) -> None:
    async def there() -> bool:
        return len(crm.requests) >= number

    await eventually(there, timeout=30)


async def test_a_rule_is_tried_on_the_past_changed_and_brought_back(page: Page, where: Site) -> None:
    await open_page(page, where, "/settings/rules/detractor_4_6")
    await page.get_by_role("button", name="Try on the past").click()
    opened = page.get_by_role("region", name="What would have been opened").locator("tbody tr")
    await expect(opened.first).to_be_visible()
    before = await opened.count()
    form = page.get_by_role("region", name="Change it")
    await form.get_by_label("Score at least").fill("5")
    await form.get_by_label("Due in").fill("3")
    await form.get_by_role("group", name="Told as well").get_by_label("The leader").check()
    await page.get_by_role("button", name="Try on the past").click()
    await expect(page.get_by_text("as it is in force").last).to_be_visible()
    await expect(opened).not_to_have_count(before)

    await page.get_by_role("button", name="Save as version 2").click()
    versions = page.get_by_role("region", name="Versions", exact=True)
    await expect(versions.get_by_text("due, informs, conditions")).to_be_visible()
    await expect(versions.get_by_text("Admin").first).to_be_visible()
    rule = (await where.installation.alerting.get("/v1/rules/detractor_4_6")).json()
    assert (rule["version"], rule["due"]["amount"], rule["conditions"]["score"]["min"]) == (2, 3, 5)

    await versions.get_by_role("button", name="Restore").click()
    await page.get_by_role("button", name="Restore it").click()
    await expect(page.get_by_role("button", name="Save as version 4")).to_be_visible()
    rule = (await where.installation.alerting.get("/v1/rules/detractor_4_6")).json()
    assert (rule["due"]["amount"], rule["conditions"]["score"]["min"], rule["informs"]) == (1, 4, [])


async def test_a_rule_that_cannot_be_is_refused_in_words(page: Page, where: Site) -> None:
    await open_page(page, where, "/settings/rules/low_csat_1")
    form = page.get_by_role("region", name="Change it")
    await form.get_by_label("One more: fact").fill("shoe_size")
    await form.get_by_label("Value").fill("44")
    await page.get_by_role("button", name="Save as version 2").click()
    await expect(page.get_by_text("a field that does not exist")).to_be_visible()
    await expect(form.get_by_label("One more: fact")).to_have_value("shoe_size")


async def test_a_room_is_told_and_told_no_more(page: Page, where: Site) -> None:
    async with receiving() as room:
        await open_page(page, where, "/settings/notifications")
        await page.get_by_role("button", name="Notify a room in Slack").click()
        dialog = page.get_by_role("dialog", name="Notify a room in Slack")
        await dialog.get_by_label("Incoming webhook").fill(f"{room.url}/secret-part")
        await dialog.get_by_label("Praise of promoters").check()
        await dialog.get_by_label("Follow-ups of which severity").select_option("high")
        await dialog.get_by_role("button", name="Add it").click()
        row = page.get_by_role("region", name="Notifications").locator("tbody tr")
        await expect(row.get_by_text("New follow-ups, Escalations, Praise of promoters")).to_be_visible()
        await expect(row.get_by_text("High and worse")).to_be_visible()
        await expect(page.get_by_text("secret-part")).to_have_count(0)
        await row.get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("No notifications yet.")).to_be_visible()


async def test_a_dead_letter_is_looked_at_replayed_and_dropped(page: Page, where: Site) -> None:
    environment = where.installation.environment
    publisher = Publisher(environment.kafka, environment.topic_prefix, send_seconds=20)
    await publisher.start()
    await publisher.send_many([Record.raw(RESPONSES, "acme", b"acme", b"{this is no answer", [])])
    await publisher.stop()
    await open_page(page, where, "/settings/dead-letters")
    scorer = page.get_by_role("region", name="Scorer", exact=True)
    await _reload_until(page, scorer.get_by_role("button", name="Replay"))
    await scorer.get_by_role("button", name="Show").first.click()
    await expect(page.get_by_text("{this is no answer")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await scorer.get_by_role("button", name="Replay").first.click()
    # The record may be parked again before the page is loaded: the replayed one shows when it was replayed.
    await expect(scorer.locator("tbody tr").filter(has_not_text="not yet").first).to_be_visible()
    await scorer.get_by_role("button", name="Drop").first.click()
    await page.get_by_role("button", name="Drop it").click()
    await open_page(page, where, "/settings/people")
    await expect(page.get_by_text("Replayed dead letter").first).to_be_visible()
    await expect(page.get_by_text("Dropped dead letter").first).to_be_visible()


async def _reload_until(page: Page, wanted: "object") -> None:
    async def there() -> bool:
        if await wanted.count():  # type: ignore[attr-defined]
            return True
        await page.reload()
        await loaded(page)
        return False

    await eventually(there, timeout=60)


async def test_a_key_is_made_for_one_owner_used_and_revoked(page: Page, where: Site) -> None:
    await open_page(page, where, "/settings/keys")
    await page.get_by_role("button", name="Create a key").click()
    dialog = page.get_by_role("dialog", name="Create a key")
    await dialog.get_by_label("What it is for").fill("report of Tom")
    await dialog.get_by_label("What it may do").select_option("read")
    await dialog.get_by_label("Only the accounts of this owner").fill("tom.okafor@supplier.example")
    await dialog.get_by_role("button", name="Create key").click()
    key = await the_secret(page)
    async with httpx.AsyncClient(base_url=where.installation.url("scorer"), trust_env=False) as tom:
        found = (await tom.get("/v1/accounts", headers=bearer(key))).json()["items"]
        assert {account["owner"]["email"] for account in found} == {"tom.okafor@supplier.example"}
        row = page.locator("tbody tr").filter(has_text="report of Tom")
        await row.get_by_role("button", name="Revoke").click()
        await page.get_by_role("button", name="Revoke it").click()
        await expect(row.get_by_text("○ revoked")).to_be_visible()

        async def refused() -> bool:
            return (await tom.get("/v1/accounts", headers=bearer(key))).status_code == 401

        await eventually(refused, timeout=30)


async def test_the_questions_of_maturity_lead_to_next_steps(page: Page, where: Site) -> None:
    await open_page(page, where, "/maturity")
    questions = page.get_by_role("region", name="The questions")
    first = questions.get_by_role("combobox").first
    await first.select_option("0")
    await page.get_by_role("button", name="See the result").click()
    await expect(page.get_by_text("Saved; the result is above")).to_be_visible()
    await expect(page.get_by_role("region", name="Next steps").locator("li").first).to_be_visible()
    await expect(page.get_by_role("region", name="Where you stand").get_by_text("of 100")).to_be_visible()


async def test_a_viewer_reads_and_cannot_act_neither_by_button_nor_by_call(
    page: Page, browser: Browser, where: Site
) -> None:
    await open_page(page, where, "/settings/people")
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("E-mail").fill("val@supplier.example")
    await page.get_by_label("Name", exact=True).fill("Vera")
    await page.get_by_role("dialog").get_by_role("combobox").select_option("viewer")
    await page.get_by_role("button", name="Add person").click()
    password = await password_by_link(page, browser)

    context = await Look().context(browser)
    own = await context.new_page()
    await sign_in(own, where, "val@supplier.example", password)
    task = (await where.installation.alerting.get("/v1/follow-ups", params={"limit": 1})).json()["items"][0]
    await open_page(own, where, f"/follow-ups/{task['follow_up_id']}")
    await expect(own.get_by_text("Your role reads follow-ups")).to_be_visible()
    await expect(own.locator("main").get_by_role("button")).to_have_count(0)
    await open_page(own, where, "/maturity")
    await expect(own.locator("main").get_by_role("button")).to_have_count(0)
    for path in ("/settings", "/settings/rules", "/settings/keys", "/settings/people", "/settings/dead-letters"):
        await own.goto(f"{where.url}{path}")
        await expect(own.get_by_text("This page is not for the role viewer.")).to_be_visible()
    await context.close()

    key = await _key_of(where, "val@supplier.example")
    for service in where.installation.clients:
        assert await _taken(where.installation.url(service), key) <= READ_ONLY_POSTS | SIGNED_POSTS


async def _taken(url: str, key: str) -> set[str]:
    """Calls with a side effect that do not answer 403 to this key."""
    taken = set()
    async with httpx.AsyncClient(base_url=url, headers=bearer(key), trust_env=False) as client:
        for path, operations in (await client.get("/openapi.json")).json()["paths"].items():
            for method in operations.keys() - {"get", "parameters"}:
                answer = await client.request(method, re.sub(r"{\w+}", "x", path), json={})
                if answer.status_code != 403:
                    taken.add(path)
    return taken


async def _key_of(where: Site, email: str) -> str:
    """The API key with which the dashboard asks for a person."""
    variables = where.installation.environment.variables()
    database = Database(variables["TELLBACK_DATABASE_URL"], SCHEMA, pool_size=1)
    try:
        async with database.read() as tx:
            found = await password_of(tx, email)
            assert found
            sealed = await live_key(tx, found[0].user_id)
            assert sealed
    finally:
        await database.close()
    opened = Vault((variables["TELLBACK_SECRET_KEY"],)).open(sealed.sealed, str(found[0].user_id))
    assert opened
    return opened
