"""Mails of a wave while senders die between any two words with the relay, sessions of PostgreSQL end, the relay closes,
puts off and hangs up, others' records are not read, and the clock is set back: nobody is mailed twice, nobody is
forgotten, and the sums hold all the time."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.outreach.jobs.mailing import MailSender
from shared.errors import TellbackError
from tests.support.environment import Environment
from tests.support.mailing import Mailroom, mailroom, sender_of_tests, with_relay
from tests.support.outreach import DAY, Asking, account, asking, person
from tests.support.polling import eventually
from tests.support.relay import OK, RelayOfTests, relay

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]
ACCOUNTS, PEOPLE_OF_EACH = 15, 4
STEP = timedelta(minutes=20)
STEPS_OF_A_DAY = 22
"""From nine to twenty past four."""
A_DAY_AND_A_NIGHT = 85
WORDS = ("mail", "rcpt", "data")
FATES = ("nothing", "killed", "sessions", "closes", "puts off", "hangs up", "behind", "set back")


@dataclass
class StrikingRelay(RelayOfTests):
    """Calls `strike` once, after the given word of SMTP was answered."""

    at: str = ""
    strike: Callable[[], None] | None = None

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender."""
        self._struck("mail")
        return await super().handle_MAIL(server, session, envelope, address, options)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient."""
        self._struck("rcpt")
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the mail."""
        answer = await super().handle_DATA(server, session, envelope)
        self._struck("data")
        return answer

    def _struck(self, word: str) -> None:
        if self.strike is not None and word == self.at:
            strike, self.strike = self.strike, None
            strike()


@dataclass
class Replicas:
    """Two senders of one database, with a relay that strikes."""

    room: Mailroom
    relay: StrikingRelay
    chance: random.Random
    senders: list[MailSender]

    async def step(self, fate: str) -> None:
        """Let twenty minutes pass, while something happens."""
        clock = self.room.asking.clock
        clock.advance(STEP)
        self.relay.at, self.relay.strike = self.chance.choice(WORDS), None
        self.relay.mail, self.relay.rcpt, self.relay.hang_up_after_data = OK, {}, fate == "hangs up"
        self.room.behind = fate == "behind"
        if fate == "closes":
            self.relay.mail = "421 4.3.2 closing"
        if fate == "puts off":
            self.relay.rcpt = {"": "450 4.7.1 greylisted"}
        if fate == "set back":
            clock.advance(-3 * STEP)
        tasks = [asyncio.create_task(sender.round()) for sender in self.senders]
        endings: list[asyncio.Task[None]] = []
        if fate == "killed":
            self.relay.strike = lambda: end_all(tasks)
        if fate == "sessions":
            self.relay.strike = lambda: endings.append(asyncio.create_task(self._end_sessions()))
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*endings)
        unforeseen = [end for end in ends if isinstance(end, Exception) and not isinstance(end, TellbackError)]
        assert unforeseen == []
        if any(isinstance(end, BaseException) for end in ends):
            await self._begin_anew()
        for sender in self.senders:
            sender._carrier._away_until = 0.0  # a pause of the real clock

    async def _begin_anew(self) -> None:
        """Processes that died are started again, and nobody waits for the turn of those that are gone."""
        for sender in self.senders:
            await sender._carrier.relay.close()
        self.senders = [sender_of_replica(self.room, self.relay) for _ in self.senders]
        await eventually(self._forget_turns)

    async def _forget_turns(self) -> bool:
        async with self.room.asking.database.write() as tx:
            await tx.execute("truncate turns")
        return True

    async def _end_sessions(self) -> None:
        connection = await asyncpg.connect(self.room.asking.environment.database_url)
        try:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and pid <> pg_backend_pid()"
            )
        finally:
            await connection.close()

    def nobody_was_mailed_twice(self) -> None:
        """By the Message-ID of each mail, and by its recipient."""
        mails = Counter(str(mail["Message-ID"]) for mail in self.relay.mails)
        assert [name for name, count in mails.items() if count > 1] == []
        assert [address for address, count in Counter(self.relay.recipients).items() if count > 1] == []


def end_all(tasks: Iterable[asyncio.Task[bool]]) -> None:
    """As a kill of the process does, wherever it is."""
    for task in tasks:
        task.cancel()


def sender_of_replica(room: Mailroom, house: RelayOfTests) -> MailSender:
    return sender_of_tests(room.asking, house.port, lambda: room.behind, daily_cap=100_000)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nobody_is_mailed_twice_and_nobody_is_forgotten(database_only: Environment, seed: int) -> None:
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(asking(database_only))
        with_relay(found)
        await found.emptied()
        room = await stack.enter_async_context(mailroom(found))
        await wave(room, found)
        house = StrikingRelay()
        await stack.enter_async_context(relay(house))
        replicas = Replicas(room, house, chance, [sender_of_replica(room, house) for _ in range(2)])
        for _ in range(2):
            for _ in range(STEPS_OF_A_DAY):
                await replicas.step(chance.choice(FATES))
                replicas.nobody_was_mailed_twice()
                await eventually(lambda: sums(room))
            found.clock.advance(DAY - STEPS_OF_A_DAY * STEP)
        for _ in range(A_DAY_AND_A_NIGHT):  # the clock was set back, so Thursday may not have begun
            await replicas.step("nothing")
        replicas.nobody_was_mailed_twice()
        asks = await found.rows("asks")
        assert Counter(ask["state"] for ask in asks) == {"sent": ACCOUNTS * PEOPLE_OF_EACH}
        doubtful = sum(ask["unconfirmed"] for ask in asks)
        assert len(house.contents) >= len(asks) - doubtful, "who has no mail is listed"
        for sender in replicas.senders:
            await sender.close()


async def sums(room: Mailroom) -> bool:
    """Whether the sums hold; AssertionError or 503 where they do not, or nobody answers yet."""
    await room.sums_hold()
    return True


async def wave(room: Mailroom, found: Asking) -> None:
    """A wave to people of many accounts, planned; the clock stands at nine on its Tuesday."""
    await room.survey()
    names = [f"client{number}" for number in range(ACCOUNTS)]
    await found.take(*(account(name) for name in names))
    for name in names:
        await found.take(*(person(f"p{number}", name) for number in range(PEOPLE_OF_EACH)))
    await room.programme(reminders=[], caps={"programme": 100_000, "account": 100_000})
    await room.planner.round()
    found.clock.advance(timedelta(hours=-3))
