"""Random histories with a backup somewhere in them: what a restore ends with is what plain rules make of the backup and
of what Kafka still holds, and whoever was erased, then or since, stays erased."""

import copy
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.cli.backup.content import BackupFolder
from services.cli.backup.erasures import read_journal, write_journal
from services.cli.reconcile import read_lines
from services.collector.store.erasures import Entry
from shared.events.envelope import Event
from shared.events.files import origin_in
from shared.events.responses import ResponseRecorded, StakeholderErased
from shared.kafka.admin import Admin
from tests.e2e.test_files_and_people import IDS, Walk, answered_at, log_of, stored
from tests.e2e.test_imported_truth import Tellback
from tests.integration.scorer.test_write_people import Model as People
from tests.support.backups import backed_up, empty_beside, put_back
from tests.support.environment import Environment
from tests.support.files import Model
from tests.support.in_process import InProcess, in_process
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import account_score
from tests.support.reference.world import Submission, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
FEW, MANY = 2, 20
SEEDS = [*range(FEW), *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(FEW, MANY))]
STEPS, CALLS = 40, 8
ACCOUNT = "mixed"
Live = Mapping[str, dict[str, Any] | None]
"""Response → its live values; None where it counts no longer."""


class Life(Walk):
    """A walk on which answers come by calls as well, given now, so that they open follow-ups."""

    def __init__(self, here: InProcess, chance: random.Random) -> None:
        super().__init__(Tellback(here.door, here.figures), ACCOUNT, chance)
        self.house = here
        self.calls: dict[str, dict[str, Any]] = {}
        self.is_backed_up = False

    async def step(self) -> None:
        acts = [self.answer, self.answer, self.answer, self.amend, self.withdraw, self.bring, self.undo, self.put]
        acts += [self.merge, self.merge]
        if not self.is_backed_up:
            # Who was one person with somebody in the backup is erased with them, also when parted since.
            acts.append(self.part)
        act = self.chance.choice(acts)
        if self.chance.random() < 0.1:
            act = self.erase
        await act()

    async def answer(self) -> None:
        """Post an answer, or one of those before once more."""
        response_id = f"call-{self.chance.randrange(CALLS)}"
        if response_id not in self.calls:
            self.calls[response_id] = {
                "response_id": response_id,
                "account_id": ACCOUNT,
                "stakeholder_id": self.chance.choice(IDS),
                "survey_type": "nps",
                "score": self.chance.randrange(11),
                "answered_at": datetime.now(UTC).isoformat(),
            }
        sent = await self.here.door.post("/v1/responses", json=self.calls[response_id])
        assert sent.status_code == 202, sent.text

    async def amend(self) -> None:
        if self.calls:
            path = f"/v1/responses/{self.chance.choice(sorted(self.calls))}"
            changes = {"account_id": ACCOUNT, "score": self.chance.randrange(11)}
            assert (await self.here.door.patch(path, json=changes)).status_code == 202

    async def withdraw(self) -> None:
        if self.calls and self.chance.random() < 0.5:
            path = f"/v1/responses/{self.chance.choice(sorted(self.calls))}"
            assert (await self.here.door.delete(path, params={"account_id": ACCOUNT})).status_code == 202

    def person(self, response_id: str) -> str:
        """The id with which an answer is given."""
        if response_id in self.calls:
            return str(self.calls[response_id]["stakeholder_id"])
        return self.given[response_id]

    def moment(self, response_id: str) -> datetime:
        """When an answer was given."""
        if response_id in self.calls:
            return datetime.fromisoformat(self.calls[response_id]["answered_at"])
        return answered_at(response_id)


@dataclass(frozen=True)
class Past:
    """A history that has ended: what Kafka and the models said at the backup and in the end, the journal of erasures,
    and what the services said in the end."""

    life: Life
    backup: BackupFolder
    journal: list[Entry]
    log_then: Sequence[Event]
    log: Sequence[Event]
    people_then: People
    said: dict[str, Any]


def plainly(log: Sequence[Event]) -> Live:
    """What a log comes to; answers that an erasure took are absent."""
    model = Model()
    given: dict[str, datetime] = {}
    until: dict[str, datetime] = {}
    gone: set[str] = set()
    for event in log:
        data = event.data
        if isinstance(data, StakeholderErased):
            for erased in data.every_id():
                until[erased.stakeholder_id] = data.erased_at
            for response_id, first in model.found.items():
                if first.person in until and given[response_id] <= until[first.person]:
                    gone.add(response_id)
            continue
        if isinstance(data, ResponseRecorded):
            moment = min(data.recorded_at, data.answered_at)
            if data.stakeholder_id in until and moment <= until[data.stakeholder_id]:
                gone.add(data.response_id)
            given.setdefault(data.response_id, moment)
        if getattr(data, "response_id", None) not in gone:
            model.read(event, origin_in(event.file))
    return {response_id: values for response_id, values in model.state().items() if response_id not in gone}


async def lived(environment: Environment, folder: Path, seed: int) -> Past:
    """A history with a backup at a random moment."""
    chance = random.Random(seed)
    async with in_process(environment) as here:
        life = Life(here, chance)
        for _ in range(chance.randrange(STEPS // 4, STEPS)):
            await life.step()
        if is_kafka_lost(seed):
            await here.settled()
        backup = await backed_up(environment, folder / "backup")
        life.is_backed_up = True
        log_then, people_then = await log_of(environment, ACCOUNT), copy.deepcopy(life.people)
        for _ in range(STEPS // 2):
            await life.step()
        await here.settled()
        said = await told(here)
        await write_journal(environment.common, folder / "erasures.json")
    journal = read_journal(folder / "erasures.json")
    log = await log_of(environment, ACCOUNT)
    return Past(life, backup, journal, log_then, log, people_then, said)


def is_kafka_lost(seed: int) -> bool:
    return seed % 2 == 1


async def told(here: InProcess) -> dict[str, Any]:
    """What the services say of people, and what is to be done about them."""
    people = (await here.figures.get(f"/v1/accounts/{ACCOUNT}/stakeholders", params={"limit": 200})).json()["items"]
    tasks = (await here.tasks.get("/v1/follow-ups", params={"account_id": ACCOUNT, "limit": 200})).json()["items"]
    open_tasks = set()
    for task in tasks:
        # What is open about an account as a whole depends on how its figures moved between two projections.
        if task["state"] != "closed" and task["stakeholder_id"] is not None:
            open_tasks.add((task["kind"], task["stakeholder_id"], task["response_id"]))
    return {"people": people, "follow-ups": open_tasks}


async def check(here: InProcess, live: Live, life: Life, people: People) -> None:
    """Rows and figures are what plain rules say, and all that was read adds up."""
    rows = {row["response_id"]: row for row in await stored(here.environment, ACCOUNT) if not row["erased"]}
    assert rows.keys() == live.keys()
    submissions = []
    for response_id, said in live.items():
        row, person = rows[response_id], people.person(life.person(response_id))
        assert row["stakeholder_id"] == person
        assert row["withdrawn"] is (said is None)
        if said is not None:
            assert (row["score"], row["comment"]) == (said["score"], said.get("comment"))
            moment = life.moment(response_id)
            submissions.append(Submission(response_id, ACCOUNT, person, "nps", said["score"], moment))
    for method in ("latest", "all"):
        wanted = account_score(World(submissions=tuple(submissions)), ACCOUNT, "all", method, datetime.now(UTC))
        del wanted["people"]  # who is in the directory, of which the reference is not told here
        assert_same(await here.score(ACCOUNT, method), wanted)
    lines = await read_lines(here.environment.common, ["scorer", "alerting"])
    assert [line for line in lines if line.faults] == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_restored_installation_is_as_plain_rules_say(
    environment: Environment, postgres_url: str, tmp_path: Path, seed: int
) -> None:
    past = await lived(environment, tmp_path, seed)
    if is_kafka_lost(seed):
        await check_without_the_log(environment, postgres_url, past)
    else:
        await check_with_the_log(environment, postgres_url, past)


async def check_with_the_log(environment: Environment, postgres_url: str, past: Past) -> None:
    """Kafka holds all that came after the backup: nothing is lost."""
    async with empty_beside(environment, postgres_url) as empty:
        await put_back(empty, past.backup, past.journal)
        async with in_process(empty) as here:
            await here.settled()
            await check(here, plainly(past.log), past.life, past.life.people)
            assert await told(here) == past.said


async def check_without_the_log(environment: Environment, postgres_url: str, past: Past) -> None:
    """All that is left is the backup and the journal of erasures."""
    erasures = [event for event in past.log[len(past.log_then) :] if isinstance(event.data, StakeholderErased)]
    people = copy.deepcopy(past.people_then)
    for event in erasures:
        assert isinstance(event.data, StakeholderErased)
        for erased in event.data.every_id():
            people.erase(erased.stakeholder_id)
    prefix = f"{environment.topic_prefix}new."
    async with empty_beside(environment, postgres_url, topic_prefix=prefix) as empty:
        try:
            await put_back(empty, past.backup, past.journal)
            async with in_process(empty) as here:
                await here.settled()
                await check(here, plainly([*past.log_then, *erasures]), past.life, people)
        finally:
            async with Admin.connected(environment.kafka, prefix) as admin:
                await admin.delete()
