"""From the page to the collector, with processes of their own: one response, whatever dies on the way."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from services.cli.embedded.process import free_port
from services.outreach.domain.asks import response_id_of
from services.outreach.domain.tokens import Purpose, Tokens
from shared.clock import SystemClock
from shared.events.envelope import decode
from shared.events.invitations import InvitationFact
from shared.events.responses import ResponseAmended, ResponseRecorded
from shared.topics import INVITATIONS, RESPONSES, Topic
from tests.support.collector import collecting
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.http import api_key, serving
from tests.support.polling import eventually
from tests.support.processes import end, start, tellback
from tests.support.respondents import put_ask, put_survey, relationship, schema

pytestmark = pytest.mark.timeout(300)
SECONDS = 90.0
FORMS: list[dict[str, str]] = [
    {"score": "3", "step": "score", "lang": "en"},
    {"comment": "Late twice.", "reason": "detractor", "step": "reason"},
    {"call": "yes", "step": "details", "finished": "yes"},
]


@dataclass
class Gate:
    """Stands before the collector. The first answer is passed on, and what the collector says of it is held back."""

    collector: str
    asked: list[str] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> FastAPI:
        """Every path and method."""
        app = FastAPI()
        app.add_api_route("/{path:path}", self._pass, methods=["GET", "POST", "PATCH"], response_model=None)
        return app

    async def _pass(self, request: Request) -> Response:
        headers = {name: request.headers[name] for name in ("authorization", "content-type", "idempotency-key")}
        async with httpx.AsyncClient(base_url=self.collector, trust_env=False) as client:
            answer = await client.request(
                request.method, request.url.path, content=await request.body(), headers=headers
            )
        self.asked.append(headers["idempotency-key"])
        if request.url.path == "/v1/responses" and not self.reached.is_set():
            self.reached.set()
            await self.open.wait()
        return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])


@dataclass
class Outreach:
    """Outreach as a process that dies and comes back."""

    environment: Environment
    collector_url: str
    key: str
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        variables = self.environment.variables() | {
            "TELLBACK_OUTREACH_COLLECTOR_URL": self.collector_url,
            "TELLBACK_OUTREACH_API_KEY": self.key,
        }
        argv = tellback("serve", "outreach", "--port", str(self.port), "--pause", "0")
        self.process = start(argv, self.log, variables)

    def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def post(self, link: str, form: dict[str, str]) -> None:
        """Post a form, once outreach takes it."""

        async def taken() -> bool:
            try:
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False) as client:
                    return (await client.post(link, data=form)).status_code == 303
            except httpx.TransportError:
                return False

        await eventually(taken, SECONDS)

    async def told(self, calls: int) -> None:
        """Wait until so many calls were taken, and none waits."""

        async def all_taken() -> bool:
            async with schema(self.environment) as connection:
                states = await connection.fetch("select state from outgoing")
            return [row["state"] for row in states] == ["sent"] * calls

        await eventually(all_taken, SECONDS)


@contextlib.asynccontextmanager
async def outreach(environment: Environment, collector_url: str, log: Path) -> AsyncIterator[Outreach]:
    """A running outreach."""
    key = await api_key(environment, ("ingest", "read", "act"))
    found = Outreach(environment, collector_url, key, log)
    found.start()
    try:
        yield found
    finally:
        if found.process is not None:
            end(found.process)


async def asked(environment: Environment) -> tuple[UUID, str]:
    """An ask, and the path of its page."""
    now = SystemClock().now()
    async with schema(environment) as connection:
        await put_survey(connection, now, relationship())
        ask_id = await put_ask(connection, now)
    tokens = Tokens([environment.common.secret_key.get_secret_value()])
    return ask_id, f"/s/{tokens.made(Purpose.ASK, ask_id.bytes)}"


async def data_on(environment: Environment, topic: Topic) -> list[Any]:
    """What the events on a topic say."""
    records = await topic_records(environment.kafka, environment.topic_prefix + topic.name)
    return [decode(record.headers, record.value).data for record in records]


async def test_an_answer_on_the_page_is_one_response_at_the_collector(environment: Environment, tmp_path: Path) -> None:
    async with (
        collecting(environment, tmp_path, free_port()) as collector,
        outreach(environment, collector.url, tmp_path / "outreach.log") as asking,
    ):
        ask_id, link = await asked(environment)
        for form in FORMS:
            await asking.post(link, form)
        await asking.told(3)
        recorded, amended = await data_on(environment, RESPONSES)
        assert isinstance(recorded, ResponseRecorded)
        assert (recorded.response_id, recorded.score) == (response_id_of(ask_id), 3)
        assert (recorded.invitation_id, recorded.channel, recorded.stakeholder_id) == (str(ask_id), "link", "ada")
        assert isinstance(amended, ResponseAmended)
        assert (amended.response_id, amended.changes["comment"]) == (recorded.response_id, "Late twice.")
        assert amended.changes["follow_up_requested"] is True
        [started] = await data_on(environment, INVITATIONS)
        assert isinstance(started, InvitationFact)
        assert (started.kind, started.invitation_id) == ("started", str(ask_id))
        log = (tmp_path / "outreach.log").read_text(errors="replace")
        assert link.rpartition("/")[2] not in log, "tokens stand in no log"


async def test_a_sender_that_is_killed_before_it_hears_of_it_tells_the_same_again(
    environment: Environment, tmp_path: Path
) -> None:
    async with collecting(environment, tmp_path, free_port()) as collector:
        gate = Gate(collector.url)
        async with serving(gate.app()) as url, outreach(environment, url, tmp_path / "outreach.log") as asking:
            ask_id, link = await asked(environment)
            await asking.post(link, FORMS[0])
            await asyncio.wait_for(gate.reached.wait(), SECONDS)
            asking.kill()
            gate.open.set()
            async with schema(environment) as connection:
                await connection.execute("update outgoing set due_at = now() where state = 'waiting'")
            asking.start()
            for form in FORMS[1:]:
                await asking.post(link, form)
            await asking.told(3)
        assert gate.asked.count(f"{ask_id}:0") == 2
        responses = await data_on(environment, RESPONSES)
        recorded = [data for data in responses if isinstance(data, ResponseRecorded)]
        assert {(data.response_id, data.score, data.answered_at) for data in recorded} == {
            (response_id_of(ask_id), 3, recorded[0].answered_at)
        }
        assert len([data for data in responses if isinstance(data, ResponseAmended)]) == 1


async def test_a_page_takes_answers_while_the_collector_is_away(environment: Environment, tmp_path: Path) -> None:
    port = free_port()
    async with outreach(environment, f"http://127.0.0.1:{port}", tmp_path / "outreach.log") as asking:
        ask_id, link = await asked(environment)
        for form in FORMS:
            await asking.post(link, form)
        assert asking.process is not None
        async with collecting(environment, tmp_path, port):
            await asking.told(3)
        recorded, _ = await data_on(environment, RESPONSES)
        assert recorded.response_id == response_id_of(ask_id)
