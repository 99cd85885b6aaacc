"""The snippet in a real browser, on a page of another origin: answers given offline arrive later, once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.async_api import BrowserContext, ConsoleMessage, Page

from services.collector.app import build
from shared.events.envelope import Event, decode
from shared.events.responses import ResponseAmended, ResponseRecorded
from shared.topics import RESPONSES
from tests.support.browser import chromium
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.http import api_key, bearer, serving
from tests.support.polling import eventually

pytestmark = pytest.mark.browser


@dataclass
class Site:
    """A customer's page and the collector that it posts to."""

    environment: Environment
    collector: str
    url: str
    context: BrowserContext
    page: Page
    html: dict[str, str]
    complaints: list[str]

    async def key(self, **wanted: Any) -> dict[str, Any]:
        """A publishable key for the page."""
        manager = bearer(await api_key(self.environment, ("manage", "ingest")))
        body = {"name": "page", "publishable": True, "origins": [self.url]} | wanted
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self.collector}/v1/keys", json=body, headers=manager)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def open(self, key: str) -> None:
        """Open the page with the snippet."""
        self.html["body"] = (
            f'<!doctype html><title>Acme</title><script src="{self.collector}/v1/client.js" data-key="{key}"></script>'
            '<script>tellback.setAccount("acme"); tellback.setUser({id: "ann", email: "ann@acme.example"});</script>'
        )
        await self.page.goto(self.url)

    async def respond(self, answer: str) -> Any:
        """Give an answer; returns the collector's answer, or the code of its error."""
        return await self.page.evaluate(f"() => tellback.respond({answer}).sent.catch((error) => error.code)")

    async def give(self, answer: str) -> str:
        """Give an answer without waiting for the collector."""
        return str(await self.page.evaluate(f"() => tellback.respond({answer}).response_id"))

    async def pending(self) -> int:
        return int(await self.page.evaluate("() => tellback.pending()"))

    async def present(self) -> list[Event]:
        """The events on the topic now."""
        records = await topic_records(self.environment.kafka, self.environment.topic_prefix + RESPONSES.name)
        return [decode(record.headers, record.value) for record in records]

    async def events(self, count: int) -> list[Event]:
        """The events on the topic once there are so many."""

        async def there() -> list[Event]:
            found = await self.present()
            return found if len(found) >= count else []

        found = await eventually(there, timeout=30)
        assert len(found) == count
        return found


@pytest.fixture
async def site(environment: Environment) -> AsyncIterator[Site]:
    html: dict[str, str] = {}
    pages = FastAPI()

    @pages.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return html["body"]

    async with serving(build(environment.common)) as collector, serving(pages) as url, chromium() as browser:
        context = await browser.new_context()
        tab = await context.new_page()
        complaints: list[str] = []

        def said(message: ConsoleMessage) -> None:
            complaints.append(message.text)

        tab.on("console", said)
        yield Site(environment, collector, url, context, tab, html, complaints)
        await context.close()


def recorded(event: Event) -> ResponseRecorded:
    assert isinstance(event.data, ResponseRecorded)
    return event.data


async def test_an_answer_arrives_and_its_comment_later(site: Site) -> None:
    await site.open((await site.key())["key"])
    taken = await site.respond('{score: 9, touchpoint: "delivery"}')
    assert taken["status"] == "accepted", taken
    data = recorded((await site.events(1))[0])
    assert (data.account_id, data.stakeholder_id, data.score, data.channel) == ("acme", "ann", 9, "web")
    assert data.response_id == taken["response_id"]

    await site.page.reload()
    changed = await site.page.evaluate(
        f'() => tellback.amend("{data.response_id}", {{comment: "Always on time."}}).sent'
    )
    assert changed["status"] == "accepted"
    [amended] = [event.data for event in await site.events(2) if isinstance(event.data, ResponseAmended)]
    assert (amended.response_id, amended.changes) == (data.response_id, {"comment": "Always on time."})


async def test_what_is_given_offline_survives_a_reload_and_is_sent_when_the_connection_is_back(site: Site) -> None:
    await site.open((await site.key())["key"])
    await site.context.set_offline(True)
    given = [await site.give("{score: 3}"), await site.give("{score: 8}")]
    await site.page.evaluate("() => tellback.flush()")
    assert await site.pending() == 2
    await site.context.set_offline(False)
    await site.page.reload()

    async def arrived() -> bool:
        # A post that the reload interrupted may arrive twice, under the same id.
        found = [recorded(event).response_id for event in await site.present()]
        assert list(dict.fromkeys(found)) == given
        return True

    await eventually(arrived, timeout=30)

    async def empty() -> bool:
        return await site.pending() == 0

    await eventually(empty)


async def test_an_answer_that_was_lost_is_sent_again_under_the_same_id(site: Site) -> None:
    await site.open((await site.key())["key"])
    lost: list[int] = []

    async def lose(route: Any) -> None:
        """The collector has it, and the page never hears of it."""
        if lost or route.request.method != "POST":
            await route.continue_()
            return
        lost.append((await route.fetch()).status)
        await route.abort()

    await site.page.route("**/v1/responses", lose)
    taken = await site.respond("{score: 6}")
    first, second = [recorded(event) for event in await site.events(2)]
    assert lost == [202]
    assert first.response_id == second.response_id == taken["response_id"]
    assert (first.answered_at, first.sent) == (second.answered_at, second.sent)


async def test_a_clock_that_runs_ahead_costs_no_answer(site: Site) -> None:
    key = (await site.key())["key"]
    await site.page.add_init_script("Date.prototype.toISOString = () => '2099-01-01T00:00:00.000Z'")
    await site.open(key)
    taken = await site.respond("{score: 7}")
    assert taken["status"] == "accepted", taken
    assert recorded((await site.events(1))[0]).answered_at.year < 2099


async def test_a_page_of_another_origin_is_refused_by_the_browser(site: Site) -> None:
    made = await site.key(origins=["https://other.example"])
    await site.open(made["key"])
    await site.give("{score: 9}")
    await eventually(lambda: [text for text in site.complaints if "CORS" in text])
    assert await site.pending() == 1


async def test_what_will_never_be_taken_is_told_and_does_not_wait(site: Site) -> None:
    made = await site.key(require_signature=True)
    await site.open(made["key"])
    assert await site.respond("{score: 9}") == "signature_invalid"
    assert await site.pending() == 0
    await site.page.evaluate("() => tellback.setSignature('not it')")
    assert await site.respond("{score: 11}") in ("invalid_request", "signature_invalid")
