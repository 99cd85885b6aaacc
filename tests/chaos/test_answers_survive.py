"""Answers on the page for respondents, while outreach, the collector, Kafka or PostgreSQL is killed: what the page took
is one response, amended as was said last, and what it did not take comes back in the form."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.outreach.domain.asks import response_id_of
from services.outreach.domain.tokens import Purpose, Tokens
from shared.clock import SystemClock
from shared.events.envelope import decode
from shared.events.responses import ResponseAmended, ResponseRecorded
from shared.topics import RESPONSES
from tests.chaos.parts import Machine, own_machine
from tests.support.events import topic_records
from tests.support.http import api_key
from tests.support.polling import eventually
from tests.support.respondents import put_ask, put_survey, relationship, schema

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(500)]
PATIENT = 150.0
"""Longer than the lease of a call whose sender was killed."""
SCORE = {"score": "3", "step": "score", "lang": "en"}
REASON = {"comment": "Late twice.", "reason": "detractor", "step": "reason", "lang": "en"}
END = {"call": "yes", "step": "details", "finished": "yes", "lang": "en"}


@dataclass(frozen=True)
class Pages:
    """Outreach and the collector on a machine of their own, and asks with the paths of their pages."""

    machine: Machine
    links: dict[UUID, str]

    async def post(self, link: str, form: dict[str, str]) -> httpx.Response:
        """Post a form once. Raises httpx.TransportError where outreach is away."""
        async with httpx.AsyncClient(base_url=self.machine.urls["outreach"], trust_env=False, timeout=60) as client:
            return await client.post(link, data=form)

    async def taken(self, link: str, form: dict[str, str]) -> None:
        """Post a form until the page takes it."""

        async def posted() -> bool:
            try:
                return (await self.post(link, form)).status_code == 303
            except httpx.TransportError:
                return False

        await eventually(posted, PATIENT)

    async def restart(self, name: str) -> None:
        """Start a part that was killed."""
        part = getattr(self.machine, name, None) or self.machine.services[name]
        part.start()
        await part.until_ready()

    async def stored(self) -> dict[UUID, tuple[int, int]]:
        """Ask -> its revision, and how many calls are queued of it."""
        async with schema(self.machine.environment) as connection:
            rows = await connection.fetch(
                "select ask_id, revision, (select count(*) from outgoing o where o.ask_id = a.ask_id) as calls"
                " from asks a"
            )
        return {row["ask_id"]: (row["revision"], row["calls"]) for row in rows}

    async def all_told(self) -> None:
        """Wait until no call waits."""

        async def nothing_waits() -> bool:
            async with schema(self.machine.environment) as connection:
                return not await connection.fetch("select 1 from outgoing where state <> 'sent'")

        await eventually(nothing_waits, PATIENT)

    async def one_answer_each(self, score: int, comment: str) -> None:
        """Wait until the log has each answer once, whatever was told twice, and amended to this comment."""

        async def as_said() -> bool:
            answers, comments = await self._log()
            assert answers.keys() == {response_id_of(ask_id) for ask_id in self.links}
            for response_id, told in answers.items():
                assert len(told) == 1, "all copies of an answer say the same"
                assert next(iter(told))[0] == score
                assert comments[response_id][-1] == comment
                assert len(set(comments[response_id])) == 1
            return True

        await eventually(as_said, PATIENT)

    async def _log(self) -> tuple[dict[str, set[Any]], dict[str, list[str]]]:
        """Response -> what its records say (score, time), and the comments of its amendments in their order."""
        environment = self.machine.environment
        answers: dict[str, set[Any]] = {}
        comments: dict[str, list[str]] = {}
        for record in await topic_records(environment.kafka, environment.topic_prefix + RESPONSES.name):
            data = decode(record.headers, record.value).data
            if isinstance(data, ResponseRecorded):
                answers.setdefault(data.response_id, set()).add((data.score, data.answered_at))
            elif isinstance(data, ResponseAmended):
                comments.setdefault(data.response_id, []).append(data.changes["comment"])
        return answers, comments


@asynccontextmanager
async def pages(logs: Path, asks: int) -> AsyncIterator[Pages]:
    """Everything started, and so many asks whose links were handed over."""
    async with own_machine(logs) as machine:
        await machine.serve("collector")
        environment = machine.environment
        await machine.serve(
            "outreach",
            TELLBACK_OUTREACH_COLLECTOR_URL=machine.urls["collector"],
            TELLBACK_OUTREACH_API_KEY=await api_key(environment, ("ingest", "read", "act")),
        )
        tokens = Tokens([environment.common.secret_key.get_secret_value()])
        links = {}
        async with schema(environment) as connection:
            now = SystemClock().now()
            await put_survey(connection, now, relationship())
            for number in range(asks):
                ask_id = await put_ask(connection, now, account_id=f"account{number}")
                links[ask_id] = f"/s/{tokens.made(Purpose.ASK, ask_id.bytes)}"
        yield Pages(machine, links)


async def test_outreach_killed_after_each_form_tells_every_answer_once(tmp_path: Path) -> None:
    """The kill comes as soon as the page has said thank you, so before, during or after the call of the collector."""
    async with pages(tmp_path, 3) as found:
        outreach = found.machine.services["outreach"]
        for form in (SCORE, REASON, END):
            await asyncio.gather(*(found.taken(link, form) for link in found.links.values()))
            outreach.kill()
            await found.restart("outreach")
        await found.all_told()
        await found.one_answer_each(3, "Late twice.")


@pytest.mark.parametrize("away", ["collector", "kafka"])
async def test_the_page_takes_answers_while_what_it_tells_is_away(tmp_path: Path, away: str) -> None:
    async with pages(tmp_path, 3) as found:
        first, *others = found.links.values()
        await found.taken(first, SCORE)
        part = getattr(found.machine, away, None) or found.machine.services[away]
        part.kill()
        for link in others:
            assert (await found.post(link, SCORE)).status_code == 303
        for form in (REASON, END):
            for link in found.links.values():
                assert (await found.post(link, form)).status_code == 303
        await found.restart(away)
        await found.all_told()
        await found.one_answer_each(3, "Late twice.")


async def test_postgresql_killed_in_the_middle_of_a_page_keeps_the_form_and_stores_nothing_half(
    tmp_path: Path,
) -> None:
    async with pages(tmp_path, 12) as found:
        first = next(iter(found.links))
        await found.taken(found.links[first], SCORE)
        posting = [asyncio.create_task(found.post(link, SCORE)) for link in list(found.links.values())[1:]]
        await asyncio.wait(posting, return_when=asyncio.FIRST_COMPLETED)
        found.machine.postgres.kill()
        statuses = [(await posted).status_code for posted in posting]
        assert set(statuses) <= {303, 503}

        refused = await found.post(found.links[first], REASON | {"score": "3"})
        assert refused.status_code == 503
        assert "Late twice." in refused.text
        assert 'name="score" value="3"' in refused.text

        await found.restart("postgres")
        stored = await found.stored()
        assert set(stored.values()) <= {(0, 0), (1, 2)}, "a form and what is told of it are stored both or neither"
        for ask_id, status in zip(list(found.links)[1:], statuses, strict=True):
            if status == 303:
                assert stored[ask_id] == (1, 2), "what the page took is there"
        for form in (SCORE, REASON, END):
            for link in found.links.values():
                await found.taken(link, form)
        await found.all_told()
        await found.one_answer_each(3, "Late twice.")
