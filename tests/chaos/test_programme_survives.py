"""A programme is sent by two replicas of outreach, as processes, while they, Kafka, PostgreSQL and the relay are killed
and the clock is moved: at every look the sums hold and nobody has been mailed twice; in the end nobody is forgotten.

`TELLBACK_CHAOS_PEOPLE=2000` asks so many people; `TELLBACK_CHAOS_SEED` repeats a run.
"""

import asyncio
import os
import random
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from aiosmtpd.smtp import SMTP

from services.cli.embedded.process import Program, free_port
from shared.clock import SystemClock
from shared.kafka.producer import Publisher
from shared.topics import DIRECTORY
from tests.chaos.parts import Machine, Part, health, own_machine, passing
from tests.support.events import record_of
from tests.support.http import api_key, bearer
from tests.support.mailing import LEGAL, PUBLIC_URL, SENDER
from tests.support.outreach import account, person
from tests.support.polling import eventually
from tests.support.processes import SOURCES
from tests.support.relay import RelayOfTests
from tests.support.respondents import schema

PEOPLE = int(os.environ.get("TELLBACK_CHAOS_PEOPLE", "40"))
SEED = int(os.environ.get("TELLBACK_CHAOS_SEED", "0")) or secrets.randbelow(10**6)
OF_EACH = 4
VICTIMS = ("first", "relay", "postgres", "second", "kafka", "first")
"""What is killed, again and again, a share of the mails apart."""
STATES = ("waiting", "held", "skipped", "sent", "failed", "withdrawn")
BERLIN = ZoneInfo("Europe/Berlin")
PATIENT = 120.0 + PEOPLE
"""Longer than the turn of a sender that was killed, and the answers of 10 people a second."""
SETTINGS = {
    "TELLBACK_TIME_ZONE": "Europe/Berlin",
    "TELLBACK_OUTREACH_SMTP_HOST": "127.0.0.1",
    "TELLBACK_OUTREACH_SMTP_SECURITY": "none",
    "TELLBACK_OUTREACH_SENDER_DOMAINS": "supplier.example",
    "TELLBACK_OUTREACH_PUBLIC_URL": PUBLIC_URL,
    "TELLBACK_OUTREACH_MAILS_PER_MINUTE": "10000",
    "TELLBACK_OUTREACH_DAILY_CAP": "100000",
}

ASKING_DAYS = (1, 2, 3)
FIRST_HOUR, LAST_HOUR = 10, 15
"""Between which hours of Tuesday to Thursday the time goes on: mails go from nine to sixteen."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300 + 3 * PEOPLE)]


class Violated(Exception):
    """What must hold at every moment did not hold at one. No AssertionError, which polling takes for "not yet"."""


@dataclass
class KilledRelay(RelayOfTests):
    """A relay whose connections break off, and that listens again on the same port."""

    transports: set[asyncio.BaseTransport] = field(default_factory=set)
    server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Take connections."""

        def connected() -> SMTP:
            return _Session(self)

        self.server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def kill(self) -> None:
        """Break off everything, also in the middle of a mail."""
        assert self.server is not None
        self.server.close()
        for transport in list(self.transports):
            transport.abort()  # type: ignore[attr-defined]
        await self.server.wait_closed()


class _Session(SMTP):
    def __init__(self, house: KilledRelay) -> None:
        super().__init__(house, enable_SMTPUTF8=True)
        self._house = house

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection."""
        self._house.transports.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        if self.transport is not None:
            self._house.transports.discard(self.transport)
        super().connection_lost(error)


@dataclass
class Wave:
    """Two replicas, a relay, and a clock in a file."""

    machine: Machine
    relay: KilledRelay
    offset: Path
    dice: random.Random
    replicas: dict[str, Part] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def set_clock(self, moment: datetime) -> None:
        """Let the processes have this time from now on."""
        fresh = self.offset.with_suffix(".new")
        fresh.write_text(str((moment - SystemClock().now()).total_seconds()))
        fresh.replace(self.offset)

    def now(self) -> datetime:
        """The time of the processes."""
        return SystemClock().now() + timedelta(seconds=float(self.offset.read_text()))

    async def start(self, name: str) -> None:
        """Start a replica and wait for it."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        program = Program(
            name=name,
            argv=(sys.executable, "-P", "-m", "tests.chaos.clocked_outreach", str(port), str(self.offset)),
            log=self.machine.logs / f"{name}.log",
            env={
                **SOURCES,
                **self.machine.environment.variables(),
                **SETTINGS,
                "TELLBACK_LOG_FORMAT": "json",
                "TELLBACK_OUTREACH_SMTP_PORT": str(self.relay.port),
            },
        )
        part = Part(program, lambda _: health(url, "ready") == 200)
        self.machine.services[name] = self.replicas[name] = part
        self.machine.urls[name] = url
        part.start()
        await part.until_ready()

    async def kill(self, name: str) -> None:
        """Kill a part in the middle of its work, and start it again."""
        self.kills[name] += 1
        if name == "relay":
            await self.relay.kill()
            await passing(self.dice.uniform(0, 1))
            await self.relay.listen()
            return
        part = self.replicas.get(name) or getattr(self.machine, name)
        part.kill()
        await passing(self.dice.uniform(0, 1))
        part.start()
        await part.until_ready()

    async def look(self) -> int:
        """Nobody was mailed twice, and the sums hold; returns how many were sent. While nobody answers, -1."""
        twice = [to for to, count in Counter(self.relay.recipients).items() if count > 1]
        if twice:
            raise Violated(f"mailed twice: {twice}")
        for name in self.replicas:
            try:
                async with httpx.AsyncClient(base_url=self.machine.urls[name], trust_env=False, timeout=10) as client:
                    answer = await client.get("/v1/asks/summary", headers=self.headers)
            except httpx.HTTPError:
                continue
            if answer.status_code == 200:
                [found] = answer.json()["groups"]
                planned = sum(found[state] for state in STATES)
                outcomes = sum(found["outcomes"].values())
                if (found["planned"], planned, outcomes) != (PEOPLE, PEOPLE, found["sent"]):
                    raise Violated(f"the sums do not hold: {found}")
                self.looks += 1
                return int(found["sent"])
        return -1

    async def call(self, path: str, status: int = 200, **body: Any) -> Any:
        """The answer of the first replica."""
        url = self.machine.urls["first"]
        async with httpx.AsyncClient(base_url=url, headers=self.headers, trust_env=False, timeout=60) as client:
            answer = await client.post(path, json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json()


@asynccontextmanager
async def planned_wave(logs: Path) -> AsyncIterator[Wave]:
    """A wave to everybody in the week after next, planned; it is Tuesday before nine."""
    async with own_machine(logs) as machine:
        wave = Wave(machine, KilledRelay(), logs / "clock", random.Random(SEED))
        tuesday = next_week_at(SystemClock().now(), 1, 7)
        wave.set_clock(tuesday)
        await wave.relay.listen()
        await asyncio.gather(wave.start("first"), wave.start("second"))
        wave.headers = bearer(await api_key(machine.environment, ("read", "act", "manage")))
        await directory(wave)
        async with schema(machine.environment) as connection:
            statement = "insert into readings (name, done_at, accepted_gap) values ('everybody', now(), 0)"
            await connection.execute(statement)
        await programme(wave, tuesday)
        yield wave
        await wave.relay.kill()


def next_week_at(now: datetime, weekday: int, hour: int) -> datetime:
    """An hour of a day of the week after the next one, in Berlin."""
    monday = now.astimezone(BERLIN).date() - timedelta(days=now.astimezone(BERLIN).weekday())
    day = monday + timedelta(days=14 + weekday)
    return datetime(day.year, day.month, day.day, hour, tzinfo=BERLIN)


async def directory(wave: Wave) -> None:
    """Everybody is known, by the log."""
    environment = wave.machine.environment
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    accounts = [f"client{number}" for number in range(-(-PEOPLE // OF_EACH))]
    events = [account(name) for name in accounts]
    events += [person(f"p{number}", accounts[number // OF_EACH]) for number in range(PEOPLE)]
    assert not any(await publisher.send_many([record_of(event, DIRECTORY) for event in events]))
    await publisher.stop()

    async def known() -> bool:
        async with schema(environment) as connection:
            return bool(await connection.fetchval("select count(*) from stakeholders") == PEOPLE)

    await eventually(known, PATIENT)


async def programme(wave: Wave, tuesday: datetime) -> None:
    """Publish a survey, and start a programme that asks everybody once."""
    survey = await wave.call("/v1/surveys", 201, template="relationship", languages=["en"], legal=LEGAL, us="Supplier")
    await wave.call(f"/v1/surveys/{survey['survey_id']}/publish")
    most = {"programme": 100_000, "account": 100_000}
    made = await wave.call(
        "/v1/programmes",
        201,
        name="Wave",
        survey_id=survey["survey_id"],
        when={"type": "once", "on": tuesday.date().isoformat()},
        sender=SENDER | {"kind": "named"},
        reminders=[],
        caps=most,
    )
    await wave.call(f"/v1/programmes/{made['programme_id']}/dry-run")
    await wave.call(f"/v1/programmes/{made['programme_id']}/start")

    async def planned() -> bool:
        async with schema(wave.machine.environment) as connection:
            return bool(await connection.fetchval("select count(*) from asks") == PEOPLE)

    await eventually(planned, PATIENT)


async def test_two_replicas_mail_everybody_once_whatever_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with planned_wave(tmp_path) as wave:
        wave.set_clock(next_week_at(SystemClock().now(), 3, 10))  # Thursday at ten: everybody is due
        rounds = max(1, PEOPLE // 300)
        victims = list(VICTIMS) * rounds
        for number, name in enumerate(victims):
            await sent_at_least(wave, PEOPLE * number // (len(victims) + 1))
            back = wave.dice.choice((0, -20, 20))
            wave.set_clock(wave.now() + timedelta(minutes=back))
            await wave.kill(name)
            await wave.look()
        await sent_at_least(wave, PEOPLE)
        with capsys.disabled():
            mails, kills = len(wave.relay.contents), dict(wave.kills)
            sys.stdout.write(f"\nseed {SEED}: {mails} mails, kills {kills}, {wave.looks} looks\n")
        await everybody_has_a_mail(wave)


async def sent_at_least(wave: Wave, number: int) -> None:
    """Look again and again until so many mails were sent. While none goes the time goes on, so that what a sender left
    behind when it was killed is settled, and what waits for the relay is due."""
    sent = 0

    async def enough() -> bool:
        nonlocal sent
        before, sent = sent, await wave.look()
        if sent <= before and wave.dice.random() < 0.05:
            wave.set_clock(passed(wave.now()))
        return sent >= number

    await eventually(enough, PATIENT + PEOPLE)


def passed(now: datetime) -> datetime:
    """A minute later, or the morning of the next day on which mails go: set back for the evening, the time would never
    come to what waits until then."""
    later = now.astimezone(BERLIN) + timedelta(minutes=1)
    if later.hour < LAST_HOUR:
        return later
    day = later.date() + timedelta(days=1)
    while day.weekday() not in ASKING_DAYS:
        day += timedelta(days=1)
    return datetime(day.year, day.month, day.day, FIRST_HOUR, tzinfo=BERLIN)


async def everybody_has_a_mail(wave: Wave) -> None:
    """Whose mail the relay does not have is listed as unconfirmed, and the collector is told of each ask once."""
    async with schema(wave.machine.environment) as connection:
        asks = await connection.fetch("select state, unconfirmed, account_id, stakeholder_id from asks")
        facts = await connection.fetch(
            "select ask_id, count(*) from outgoing where body ->> 'kind' = 'sent' group by ask_id"
        )
    assert Counter(ask["state"] for ask in asks) == {"sent": PEOPLE}
    assert [row["count"] for row in facts] == [1] * PEOPLE
    mailed = set(wave.relay.recipients)
    for ask in asks:
        assert ask["unconfirmed"] or f"{ask['stakeholder_id']}@{ask['account_id']}.example" in mailed
