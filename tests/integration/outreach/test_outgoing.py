"""The sender of queued calls: order, refusals, pauses, several senders, and what ends by time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from services.outreach.domain.asks import response_id_of
from services.outreach.gateways.services import OtherServices
from services.outreach.handlers.answers import take
from services.outreach.handlers.closing import close_ended
from services.outreach.jobs.outgoing import OutgoingSender
from services.outreach.settings import OutreachSettings
from services.outreach.store import sending
from shared.db.transaction import WriteTx
from shared.http.client import Services
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.polling import eventually
from tests.support.respondents import Respondents, respondents

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
FORM = {"score": "9", "step": "score"}


ARRAYS = {"/v1/invitation-events": "events", "/v1/responses/batch": "responses"}


@dataclass
class Taker:
    """The collector's place: takes every call, but answers to a path with `statuses` first, and never takes the answer
    to an ask that is `refused`."""

    statuses: dict[str, list[int]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    taken: list[tuple[str, str, str, Any]] = field(default_factory=list)
    """Method, path, key and body of each call; of several made as one the path of that one."""

    def app(self) -> FastAPI:
        """Every path and method."""
        app = FastAPI()
        app.add_api_route("/{path:path}", self._take, methods=["GET", "POST", "PATCH"], response_model=None)
        return app

    def forget(self) -> None:
        """Take everything from now on, and know of nothing."""
        self.statuses.clear()
        self.refused.clear()
        self.taken.clear()

    async def _take(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer secret-of-outreach"
        if request.method == "GET":  # outreach reads whom the scorer knows
            return JSONResponse({"items": [], "next_cursor": None})
        path, body = request.url.path, await request.json()
        items = body.get(ARRAYS.get(path))
        if items is None:
            self.taken.append((request.method, path, request.headers["idempotency-key"], body))
        for item in items or ():
            self.taken.append((request.method, path, _key(item), item))
        if self.statuses.get(path):
            return _problem(self.statuses[path].pop(0))
        if items is not None:
            results = [{"problem": self._problem_of(item)} for item in items]
            return JSONResponse({"results": results})
        problem = self._problem_of(body)
        if problem is not None:
            return _problem(problem["status"])
        return JSONResponse({}, 202)

    def _problem_of(self, body: dict[str, Any]) -> dict[str, Any] | None:
        if "score" in body and body.get("invitation_id") in self.refused:
            return {"code": "invalid_request", "status": 422}
        return None

    @property
    def keys(self) -> list[str]:
        """The keys of the calls, in their order."""
        return [key for _, _, key, _ in self.taken]


def _key(body: dict[str, Any]) -> str:
    """The key of a call that was made together with others."""
    if "kind" in body:
        return f"fact:{body['invitation_id']}:{body['kind']}"
    return f"{body['invitation_id']}:0"


def _problem(status: int) -> Response:
    return JSONResponse({"code": "invalid_request", "detail": "no", "status": status}, status)


@dataclass(frozen=True)
class Sending:
    """The pages with their own sender, and who takes its calls."""

    site: Respondents
    taker: Taker
    clock: FrozenClock

    async def until(self, *states: str) -> list[dict[str, Any]]:
        """The calls, once their states are these, in their order."""

        async def reached() -> list[dict[str, Any]]:
            calls = await self.site.calls()
            assert [call["state"] for call in calls] == list(states)
            return calls

        return await eventually(reached)

    async def paused(self) -> None:
        """Wait until the call tried last is to be made again, and let that time come."""

        async def postponed() -> timedelta:
            tried = [call for call in await self.site.calls() if call["attempts"] and call["state"] == "waiting"]
            pause: timedelta = tried[-1]["due_at"] - self.clock.now()
            assert timedelta(0) < pause < sending.LEASE
            return pause

        self.clock.advance(await eventually(postponed))


@pytest.fixture(scope="module")
async def shared_sending(module_database_only: Environment) -> AsyncIterator[Sending]:
    """One site for the module."""
    taker, clock = Taker(), FrozenClock(NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELLBACK_OUTREACH_API_KEY", "secret-of-outreach")
        transport = httpx.ASGITransport(app=taker.app())
        async with respondents(module_database_only, clock, transport) as site:
            yield Sending(site, taker, clock)


@pytest.fixture
async def found(shared_sending: Sending) -> AsyncIterator[Sending]:
    """The site with nothing to tell at the beginning."""
    shared_sending.taker.forget()
    yield shared_sending
    await shared_sending.site.forget()


async def test_the_calls_of_an_ask_are_made_in_their_order(found: Sending) -> None:
    ask_id = await found.site.ask()
    await found.site.post(found.site.link(ask_id), **FORM)
    await found.site.post(found.site.link(ask_id), comment="Good.", reason="promoter", step="details", finished="yes")
    await found.until("sent", "sent", "sent")
    assert sorted(found.taker.keys) == sorted([f"fact:{ask_id}:started", f"{ask_id}:0", f"{ask_id}:2"])
    method, path, key, body = found.taker.taken[2]
    assert (method, path, key) == ("PATCH", f"/v1/responses/{response_id_of(ask_id)}", f"{ask_id}:2")
    assert body["comment"] == "Good."


async def test_an_answer_waits_while_the_collector_is_away_and_is_sent_once(found: Sending) -> None:
    found.taker.statuses["/v1/responses"] = [503, 503, 429]
    ask_id = await found.site.ask()
    assert (await found.site.post(found.site.link(ask_id), **FORM)).status_code == 303
    await found.until("sent", "waiting")
    await found.site.post(found.site.link(ask_id), comment="Good.", step="details", finished="yes")
    for attempt in (1, 2, 3):
        await eventually(lambda attempt=attempt: found.taker.keys.count(f"{ask_id}:0") == attempt)  # type: ignore[misc]
        _, answer, amendment = await found.until("sent", "waiting", "waiting")
        assert answer["attempts"] == attempt
        assert amendment["attempts"] == 0, "it waits for the one before it"
        await found.paused()
    await found.until("sent", "sent", "sent")
    assert sorted(found.taker.keys) == sorted([f"fact:{ask_id}:started", *[f"{ask_id}:0"] * 4, f"{ask_id}:2"])
    assert found.taker.keys[-1] == f"{ask_id}:2"


async def queued(found: Sending, asks: Sequence[UUID]) -> None:
    """Take the first forms of asks in one transaction, so that one claim takes their calls."""
    pages = found.site.app.state.pages

    async def take_all(tx: WriteTx) -> None:
        for ask_id in asks:
            await take(tx, pages.versions, ask_id, list(FORM.items()), found.clock.now())

    await pages.database.retrying(take_all)
    pages.wake()


async def test_calls_of_a_kind_are_made_as_one_and_each_is_answered_by_itself(found: Sending) -> None:
    asks = [await found.site.ask() for _ in range(3)]
    found.taker.refused.add(str(asks[1]))
    await queued(found, asks)
    await found.until("sent", "sent", "sent", "stuck", "sent", "sent")
    assert {path for _, path, _, _ in found.taker.taken} == set(ARRAYS)
    assert len(found.taker.keys) == 6
    assert (await found.site.calls())[3]["stuck_reason"] == "invalid_request"


@pytest.mark.parametrize("status", [413, 422])
async def test_what_is_refused_together_is_made_one_by_one(found: Sending, status: int) -> None:
    asks = [await found.site.ask() for _ in range(3)]
    found.taker.statuses["/v1/responses/batch"] = [status]
    found.taker.refused.add(str(asks[2]))
    await queued(found, asks)
    await found.until("sent", "sent", "sent", "sent", "sent", "stuck")
    for ask_id in asks:
        assert found.taker.keys.count(f"{ask_id}:0") == 2


async def test_nothing_of_many_is_lost_while_the_collector_is_away(found: Sending) -> None:
    asks = [await found.site.ask() for _ in range(3)]
    for path in ARRAYS:
        found.taker.statuses[path] = [503]
    await queued(found, asks)
    await eventually(lambda: len(found.taker.keys) == 6)
    await found.until(*["waiting"] * 6)
    await found.paused()
    await found.until(*["sent"] * 6)
    assert len(found.taker.keys) == 12


async def test_what_the_collector_refuses_is_listed_and_tried_again_by_hand(found: Sending) -> None:
    ask_id = await found.site.ask()
    found.taker.refused.add(str(ask_id))
    await found.site.post(found.site.link(ask_id), **FORM)
    await found.until("sent", "stuck")
    await found.site.post(found.site.link(ask_id), comment="Late.", step="details", finished="yes")
    other = await found.site.ask()
    await found.site.post(found.site.link(other), **FORM)
    calls = await found.until("sent", "stuck", "waiting", "sent", "sent")
    assert calls[1]["stuck_reason"] == "invalid_request"
    client, key = found.site.client, found.site.key
    listed = (await client.get("/v1/outgoing", headers=key)).json()["items"]
    assert [(call["key"], call["stuck_reason"]) for call in listed] == [(f"{ask_id}:0", "invalid_request")]
    remarks = (await client.get("/health/ready")).json()["remarks"]
    assert any("calls are stuck" in remark for remark in remarks), remarks
    found.taker.refused.clear()
    assert (await client.post(f"/v1/outgoing/{listed[0]['entry']}/retry", headers=key)).status_code == 202
    await found.until("sent", "sent", "sent", "sent", "sent")
    assert (await client.post(f"/v1/outgoing/{listed[0]['entry']}/retry", headers=key)).status_code == 404
    assert found.taker.keys[-2:] == [f"{ask_id}:0", f"{ask_id}:2"]


async def test_a_fact_that_is_stuck_holds_back_no_answer(found: Sending) -> None:
    found.taker.statuses["/v1/invitation-events"] = [422]
    await found.site.post(found.site.link(await found.site.ask()), **FORM)
    await found.until("stuck", "sent")


async def test_a_key_that_does_not_do_is_no_fault_of_the_answer(found: Sending) -> None:
    found.taker.statuses["/v1/responses"] = [401, 403]
    ask_id = await found.site.ask()
    await found.site.post(found.site.link(ask_id), **FORM)
    for attempt in (1, 2):
        await eventually(lambda attempt=attempt: found.taker.keys.count(f"{ask_id}:0") == attempt)  # type: ignore[misc]
        await found.until("sent", "waiting")
        await found.paused()
    await found.until("sent", "sent")


async def test_two_senders_make_no_call_twice(found: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLBACK_OUTREACH_API_KEY", "secret-of-outreach")
    transport = httpx.ASGITransport(app=found.taker.app())
    services = Services({"collector": "http://collector.test"}, transport=transport)
    pages = found.site.app.state.pages
    others = OtherServices(OutreachSettings.load(), services)
    senders = [OutgoingSender(pages.database, found.clock, others) for _ in range(2)]
    asks = [await found.site.ask() for _ in range(20)]
    for ask_id in asks:
        await found.site.post(found.site.link(ask_id), **FORM)
    while True in await asyncio.gather(*(sender.round() for sender in senders)):
        pass
    await found.until(*["sent"] * 40)
    assert sorted(found.taker.keys) == sorted(set(found.taker.keys))
    assert len(found.taker.keys) == 40
    await services.close()


async def test_what_was_taken_is_forgotten_after_a_week(found: Sending) -> None:
    await found.site.post(found.site.link(await found.site.ask()), **FORM)
    await found.until("sent", "sent")
    database = found.site.app.state.pages.database
    week = found.clock.now() + sending.KEPT
    assert await database.retrying(lambda tx: sending.purge(tx, week)) == 0
    assert await database.retrying(lambda tx: sending.purge(tx, week + timedelta(seconds=1))) == 2


async def test_links_that_end_without_an_answer_are_told(found: Sending) -> None:
    now = found.clock.now()
    day = timedelta(days=1)
    silent = await found.site.ask(closes_at=now)
    withdrawn = await found.site.ask(closes_at=now + day, withdrawn_at=now - day)
    answered = await found.site.ask(closes_at=now, answered_at=now - day)
    test = await found.site.ask(closes_at=now, origin="test")
    still_open = await found.site.ask(closes_at=now + day)
    database = found.site.app.state.pages.database
    await database.retrying(lambda tx: close_ended(tx, now))
    told = {call["key"]: call["body"] for call in await found.site.calls()}
    assert {key: body["reason"] for key, body in told.items()} == {
        f"fact:{silent}:expired": "closed", f"fact:{withdrawn}:expired": "withdrawn",
    }  # fmt: skip
    for ask_id in (silent, withdrawn, answered, test):
        assert (await found.site.asked(ask_id))["expired_at"] is not None
    assert (await found.site.asked(still_open))["expired_at"] is None


async def test_a_key_limited_to_an_owner_sees_no_calls(found: Sending) -> None:
    limited = bearer(await api_key(found.site.environment, ("manage",), "owner@supplier.example"))
    assert (await found.site.client.get("/v1/outgoing", headers=limited)).json()["items"] == []
    assert (await found.site.client.post("/v1/outgoing/1/retry", headers=limited)).status_code == 404
    reader = bearer(await api_key(found.site.environment, ("read",)))
    assert (await found.site.client.get("/v1/outgoing", headers=reader)).status_code == 403
