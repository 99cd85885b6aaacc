"""Merges, undoing them, erasures and answers by any id, in random order: the collector and the scorer end where a plain
model of who is who ends."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from services.collector.handlers import directory, erasure
from services.collector.handlers.directory import Change
from services.collector.handlers.erasure import Erasing
from shared.db.engine import Database
from shared.errors import Conflict, NotFound
from shared.events.envelope import Event, decode
from shared.kafka.headers import unpack
from shared.topics import STAKEHOLDER_ANSWER_CORRECTED, STAKEHOLDER_ANSWERED
from tests.integration.scorer.writing import SUBJECT, Writer, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded

ACCOUNT = "acme"
IDS = ("a", "b", "c", "m@acme.example", "n@acme.example")
ADDRESSES = IDS[3:]


@dataclass
class Model:
    """Who is who, worked out by looking at everything."""

    emails: dict[str, str | None] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    merged: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def person(self, any_id: str) -> str:
        return self.owner.get(any_id, any_id)

    def ids(self, person: str) -> tuple[str, ...]:
        return tuple(sorted(alias for alias, owner in self.owner.items() if owner == person))

    def put(self, any_id: str, email: str | None) -> None:
        person = self.person(any_id)
        self.emails[person] = email
        if email is None or email == person or self.owner.get(email) == person:
            return
        holder = self.person(email)
        if holder not in self.emails:
            self.owner[email] = person
        elif holder == email:
            if self.emails[email] in (None, email):
                self.join(email, person)
        elif self.emails[holder] != email:
            self.owner[email] = person

    def join(self, person: str, other: str) -> None:
        self.merged[person] = (other, self.ids(person))
        for any_id in (person, *self.ids(person)):
            self.owner[any_id] = other
        self.emails.pop(person, None)

    def part(self, person: str) -> None:
        _, ids = self.merged.pop(person)
        del self.owner[person]
        for any_id in ids:
            self.owner[any_id] = person

    def erase(self, any_id: str) -> None:
        person = self.person(any_id)
        gone = {any_id, person, *self.ids(person)}
        self.erased |= {response_id for response_id, given in self.answers.items() if given in gone}
        self.owner = {alias: owner for alias, owner in self.owner.items() if owner not in gone}
        self.merged = {person: merge for person, merge in self.merged.items() if person not in gone}
        self.emails.pop(person, None)


class Walk:
    """A random walk through the calls of the collector, beside the model."""

    def __init__(self, database: Database, scorer: Writer, chance: random.Random) -> None:
        self.database, self.scorer, self.chance = database, scorer, chance
        self.model = Model()
        self.now: datetime = NOW
        self.events: list[Event] = []
        self.seen = 0

    async def step(self, number: int) -> None:
        self.now += timedelta(minutes=1)
        act = self.chance.choice((self.answer, self.answer, self.answer, self.put, self.put, self.merge, self.part))
        if self.chance.random() < 0.07:
            act = self.erase
        await act(number)
        await self._collect()
        if self.chance.random() < 0.3:
            await self.deliver()

    async def answer(self, number: int) -> None:
        given, response_id = self.chance.choice(IDS), f"r{number:03}"
        self.model.answers[response_id] = given
        self.events.append(
            recorded(
                response_id,
                ACCOUNT,
                stakeholder_id=given,
                score=self.chance.randrange(11),
                answered_at=self.now,
                recorded_at=self.now,
            )
        )

    async def put(self, _: int) -> None:
        any_id, email = self.chance.choice(IDS), self.chance.choice((None, *ADDRESSES))
        change = Change(ACCOUNT, any_id, {"name": "x", "email": email}, whole=True)
        async with self.database.write() as tx:
            await directory.change_record(tx, change, self.now)
        self.model.put(any_id, email)

    async def merge(self, _: int) -> None:
        chosen, other = self.chance.choice(IDS), self.chance.choice(IDS)
        try:
            async with self.database.write() as tx:
                await directory.merge_people(tx, ACCOUNT, (chosen, other), self.now, None, dry_run=False)
        except (Conflict, NotFound):
            return
        self.model.join(self.model.person(chosen), other)

    async def part(self, _: int) -> None:
        chosen = self.chance.choice(IDS)
        async with self.database.read() as tx:
            kept = await tx.scalar(
                "select record from stakeholder_merges where stakeholder_id = :chosen", chosen=chosen
            )
        try:
            async with self.database.write() as tx:
                await directory.part_people(tx, ACCOUNT, chosen, self.now, None)
        except (Conflict, NotFound):
            return
        self.model.part(chosen)
        if kept is not None:
            self.model.emails[chosen] = kept["email"]

    async def erase(self, _: int) -> None:
        any_id = self.chance.choice(IDS)
        async with self.database.write() as tx:
            await erasure.erase(tx, Erasing(ACCOUNT, any_id, None), self.now, SUBJECT)
        self.model.erase(any_id)

    async def _collect(self) -> None:
        """What the collector has written for the others since."""
        async with self.database.read() as tx:
            rows = await tx.all(
                "select id, headers, value from outbox where id > :seen and value is not null order by id",
                seen=self.seen,
            )
        for row in rows:
            self.seen = max(self.seen, row["id"])
            self.events.append(decode(unpack(bytes(row["headers"])), bytes(row["value"])))

    async def deliver(self) -> None:
        """Hand over what has been written, in any order, and maybe project."""
        self.chance.shuffle(self.events)
        while self.events:
            await self.scorer.take(self.events.pop())
            if self.chance.random() < 0.3:
                await self.scorer.project()


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(NOW + timedelta(days=1))) as ready:
        yield ready


@pytest.mark.parametrize("seed", range(6))
async def test_who_is_who_ends_as_the_model_says(environment: Environment, scorer: Writer, seed: int) -> None:
    collector = Database(environment.database_url, "collector", pool_size=2)
    walk = Walk(collector, scorer, random.Random(seed))
    try:
        for number in range(60):
            await walk.step(number)
        await walk.deliver()
        await scorer.project()
    finally:
        await collector.close()
    model = walk.model
    expected = {}
    for response_id, given in model.answers.items():
        if response_id not in model.erased:
            expected[response_id] = model.person(given)
    rows = [row for row in await scorer.rows("responses") if not row["erased"]]
    assert {row["response_id"]: row["stakeholder_id"] for row in rows} == expected
    for row in rows:
        assert (row["given_stakeholder_id"] or row["stakeholder_id"]) == model.answers[row["response_id"]]
    newest: dict[str, str] = {}
    for response_id in sorted(expected):
        newest[expected[response_id]] = response_id
    pairs = {row["stakeholder_id"]: row["response_id"] for row in await scorer.rows("latest_pairs")}
    assert pairs == newest
    aliases = {row["alias_id"]: row["stakeholder_id"] for row in await scorer.rows("aliases")}
    assert aliases == model.owner
    told = [event.id for event in await scorer.published(STAKEHOLDER_ANSWERED)]
    assert len(told) == len(set(told))
    for event in await scorer.published(STAKEHOLDER_ANSWER_CORRECTED):
        assert event.data.model_dump()["cause"] in ("late", "erased")
