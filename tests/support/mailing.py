"""Mails of programmes in a test's hands: planned, sent to a real relay, with a clock that the test moves."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI

from services.outreach.domain.audience import Deployment
from services.outreach.domain.documents import survey_document
from services.outreach.domain.hours import Zones
from services.outreach.domain.relay import RelaySettings
from services.outreach.domain.templates import template_survey
from services.outreach.domain.weekly import Week
from services.outreach.gateways.relay import Relay
from services.outreach.handlers.caps import DailyCaps
from services.outreach.handlers.loop_backs import LoopBackMails
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.mailing import Mailing
from services.outreach.handlers.notices import Noticing
from services.outreach.handlers.owner_lists import OwnerLists
from services.outreach.handlers.pause_notices import PauseNotices
from services.outreach.handlers.planner import ProgrammePlanner
from services.outreach.handlers.versions import Versions
from services.outreach.handlers.weekly_mails import WeeklyMails
from services.outreach.jobs.carrier import Carrier
from services.outreach.jobs.mailing import MailSender
from services.outreach.settings import OutreachSettings
from tests.support.outreach import Asking
from tests.support.relay import RelayOfTests, relay

PAGES = "https://tellback.supplier.example"
PUBLIC_URL = "https://ask.supplier.example"
LEGAL = {
    "legal_name": "Supplier Ltd",
    "postal_address": "1 Example Road",
    "imprint_url": "https://supplier.example/imprint",
    "privacy_url": "https://supplier.example/privacy",
}
SENDER = {"kind": "owner", "name": "Lea Maier", "email": "lea@supplier.example"}


@dataclass
class Mailroom:
    """A running outreach, a relay, and a sender between them. `behind`: others' records are not read yet."""

    asking: Asking
    relay: RelayOfTests
    sender: MailSender
    planner: ProgrammePlanner
    lists: OwnerLists
    behind: bool = False

    async def survey(self) -> str:
        """A published relationship survey in four languages."""
        document = survey_document(template_survey("relationship"))
        return await self.asking.survey("srv_mail", **document | {"us": "Supplier", "legal": LEGAL})

    async def call(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        """The body of an answer of the API."""
        answer = await self.asking.client.request(method, f"/v1/programmes{path}", json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def programme(self, *, started: bool = True, **fields: Any) -> str:
        """A programme that asks everybody in the week of the test's clock, unless told otherwise; returns its id."""
        when = {"type": "once", "on": self.asking.clock.now().date().isoformat()}
        document = {"name": "Wave", "survey_id": "srv_mail", "when": when, "sender": SENDER, **fields}
        programme_id = str((await self.call("POST", "", 201, **document))["programme_id"])
        if started:
            await self.start(programme_id)
        return programme_id

    async def start(self, programme_id: str) -> None:
        """See what it would do, and let it ask."""
        await self.call("POST", f"/{programme_id}/dry-run")
        await self.call("POST", f"/{programme_id}/start")

    async def until(self, moment: datetime, step: timedelta = timedelta(minutes=30)) -> None:
        """Let time pass, planning and sending on the way."""
        clock = self.asking.clock
        while clock.now() < moment:
            clock.advance(min(step, moment - clock.now()))
            await self.work()

    async def work(self) -> None:
        """Plan, and send what is due."""
        await self.planner.round()
        while await self.sender.round():
            pass

    async def asks(self) -> dict[str, tuple[str, str | None]]:
        """stakeholder_id -> state and reason of the asks of programmes."""
        rows = await self.asking.rows("asks", "due_at")
        return {row["stakeholder_id"]: (row["state"], row["reason"]) for row in rows if row["programme_id"]}

    async def ask_ids(self) -> dict[str, UUID]:
        """stakeholder_id -> ask_id."""
        return {row["stakeholder_id"]: row["ask_id"] for row in await self.asking.rows("asks") if row["programme_id"]}

    async def sums_hold(self) -> None:
        """planned = waiting + held + skipped + sent + failed + withdrawn, and sent = the sum of its outcomes."""
        [found] = (await self.asking.get("/v1/asks/summary"))["groups"]
        states = ("waiting", "held", "skipped", "sent", "failed", "withdrawn")
        assert found["planned"] == sum(found[state] for state in states)
        assert found["sent"] == sum(found["outcomes"].values())


def with_relay(asking: Asking, **settings: Any) -> None:
    """Let the API believe that a relay is set, with further settings: mails go by the sender of the test, not by one of
    the service."""
    transport = asking.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    state = cast(FastAPI, transport.app).state
    settings = {"smtp_host": "127.0.0.1", "public_url": PUBLIC_URL, **settings}
    state.service = replace(state.service, settings=OutreachSettings(**settings))


def sender_of_tests(asking: Asking, port: int, is_behind: Any = lambda: False, **further: Any) -> MailSender:
    """A sender as the service makes it, with further settings."""
    set_here = {"public_url": PUBLIC_URL, "sender_domains": ("supplier.example",)}
    settings = OutreachSettings(**set_here | further)
    contents = MailContents(settings, asking.tokens)
    lists = owner_lists(asking, contents)
    caps = DailyCaps(asking.clock, deployment(), settings.daily_cap)
    mailing = Mailing(asking.database, asking.clock, deployment(), contents, Versions(), caps)
    carrier = Carrier(Relay(RelaySettings("127.0.0.1", port, "none")), None, 10_000)
    noticing = Noticing(
        asking.database,
        asking.clock,
        contents,
        {
            "owner_list": lists,
            "loop_back": LoopBackMails(contents, deployment(), caps),
            "paused": pause_notices(asking, contents),
            "weekly": weekly_mails(asking, contents),
        },
    )
    return MailSender(mailing, noticing, carrier, is_behind)


def owner_lists(asking: Asking, contents: MailContents) -> OwnerLists:
    """What writes the mails to owners."""
    return OwnerLists(asking.database, asking.clock, deployment(), contents, PAGES)


def pause_notices(asking: Asking, contents: MailContents) -> PauseNotices:
    """What writes the mails about programmes that have paused themselves."""
    return PauseNotices(asking.database, asking.clock, contents, PAGES)


def weekly_mails(
    asking: Asking, contents: MailContents, week: Callable[[datetime], Awaitable[Week]] | None = None
) -> WeeklyMails:
    """What writes the leaders' mails of Monday, about this week."""
    return WeeklyMails(asking.database, asking.clock, deployment(), contents, week, PAGES)


def deployment() -> Deployment:
    """A supplier in Berlin."""
    return Deployment(Zones(ZoneInfo("Europe/Berlin")))


@contextlib.asynccontextmanager
async def mailroom(asking: Asking, **settings: Any) -> AsyncIterator[Mailroom]:
    """A mailroom with a relay of its own, and further settings."""
    async with relay() as house:
        room: Mailroom
        sender = sender_of_tests(asking, house.port, lambda: room.behind, **settings)
        planner = ProgrammePlanner(asking.database, asking.clock, deployment())
        room = Mailroom(asking, house, sender, planner, owner_lists(asking, sender._noticing.contents))
        try:
            yield room
        finally:
            await sender.close()
