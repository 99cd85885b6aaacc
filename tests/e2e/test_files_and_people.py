"""Files, undone imports, merges and erasures in random order: the scorer ends where plain rules end, its figures are
those of the reference and of `tellback verify`, and `tellback reconcile` finds that all adds up."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.reconcile import read_lines
from services.cli.verify import HowToRead, recount
from shared.db.engine import Database
from shared.events.envelope import Event, decode
from shared.events.files import origin_in
from shared.events.responses import StakeholderErased
from shared.topics import DIRECTORY, RESPONSES
from tests.e2e.test_imported_truth import Tellback, tellback
from tests.integration.scorer.test_write_people import Model as People
from tests.support.environment import Environment
from tests.support.events import topic_records
from tests.support.files import Model
from tests.support.polling import eventually
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import account_score
from tests.support.reference.world import Submission, World

pytestmark = pytest.mark.slow
IDS = ("a", "b", "c", "m@acme.example")
ANSWERS = 8
STEPS = 30
ANSWERED_AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
HEADER = "response_id,account_id,stakeholder_id,survey_type,score,comment,answered_at\n"


class Walk:
    """A random walk through the calls of the collector about one account, beside a model of who is who. An answer is
    always given by the same id, so that whose a row is does not hang on how far the directory has been read."""

    def __init__(self, here: Tellback, account_id: str, chance: random.Random) -> None:
        self.here, self.account_id, self.chance = here, account_id, chance
        self.people = People()
        self.given = {f"{account_id}-{number}": chance.choice(IDS) for number in range(ANSWERS)}
        self.files: list[bytes] = []
        self.imports: list[str] = []

    async def step(self) -> None:
        usual = (self.bring, self.bring, self.bring, self.undo, self.put, self.put, self.merge, self.merge, self.part)
        act = self.chance.choice(usual)
        if self.chance.random() < 0.05:
            act = self.erase
        await act()

    async def bring(self) -> None:
        """Import a file with new scores, or one of those before once more."""
        if self.files and self.chance.random() < 0.3:
            content = self.chance.choice(self.files)
        else:
            rows = [self._row(response_id) for response_id in self.chance.sample(sorted(self.given), 4)]
            content = (HEADER + "".join(rows)).encode()
        self.files.append(content)
        sent = await self.here.door.post(
            "/v1/imports", data={"kind": "responses"}, files={"file": ("answers.csv", content)}
        )
        assert sent.status_code == 202, sent.text

        async def ended() -> bool:
            job = (await self.here.door.get(sent.headers["location"])).json()
            assert job["bad"] == 0, job["problems"]
            return bool(job["state"] == "done")

        await eventually(ended)
        self.imports.append(sent.json()["id"])

    def _row(self, response_id: str) -> str:
        comment, score = self.chance.choice(("", "good", "bad")), self.chance.randrange(11)
        moment = answered_at(response_id).isoformat()
        return f"{response_id},{self.account_id},{self.given[response_id]},nps,{score},{comment},{moment}\n"

    async def undo(self) -> None:
        if self.imports:
            undone = await self.here.door.post(f"/v1/imports/{self.chance.choice(self.imports)}/undo")
            assert undone.status_code == 200, undone.text

    async def put(self) -> None:
        any_id = self.chance.choice(IDS)
        assert (await self.here.door.put(self._path(any_id), json={"name": "x"})).is_success
        self.people.put(any_id, None)

    async def merge(self) -> None:
        chosen, other = self.chance.sample(IDS, 2)
        merged = await self.here.door.post(f"{self._path(chosen)}/merge", json={"into": other})
        if merged.is_success:
            self.people.join(self.people.person(chosen), other)
        else:
            assert merged.status_code in (404, 409), merged.text

    async def part(self) -> None:
        chosen = self.chance.choice(IDS)
        parted = await self.here.door.delete(f"{self._path(chosen)}/merge")
        if parted.is_success:
            self.people.part(chosen)
            self.people.emails[chosen] = None
        else:
            assert parted.status_code in (404, 409), parted.text

    async def erase(self) -> None:
        any_id = self.chance.choice(IDS)
        erased = await self.here.door.delete(f"{self._path(any_id)}/data")
        assert erased.is_success, erased.text
        self.people.erase(any_id)

    def _path(self, any_id: str) -> str:
        return f"/v1/accounts/{self.account_id}/stakeholders/{any_id}"


def answered_at(response_id: str) -> datetime:
    return ANSWERED_AT + timedelta(days=int(response_id.rpartition("-")[2]))


@pytest.fixture(scope="module")
async def here(module_environment: Environment) -> AsyncIterator[Tellback]:
    async with tellback(module_environment) as running:
        yield running


async def records(environment: Environment, name: str) -> Sequence[Any]:
    return await topic_records(environment.kafka, environment.topic_prefix + name)


async def all_counted(environment: Environment) -> None:
    """Wait until the scorer has read all that the collector has to publish, and every account is projected."""
    collector = Database(environment.database_url, "collector", pool_size=1)
    scorer = Database(environment.database_url, "scorer", pool_size=1)

    async def read() -> bool:
        async with collector.read() as tx:
            if await tx.scalar("select exists (select from outbox where published_at is null)"):
                return False
        published = len(await records(environment, RESPONSES.name)) + len(await records(environment, DIRECTORY.name))
        async with scorer.read() as tx:
            count = await tx.scalar("select sum(read_count)::int from cursors")
            return bool(count == published and not await tx.scalar("select exists (select from dirty_accounts)"))

    try:
        await eventually(read, 60)
    finally:
        await collector.close()
        await scorer.close()


async def log_of(environment: Environment, account_id: str) -> list[Event]:
    found = [decode(record.headers, record.value) for record in await records(environment, RESPONSES.name)]
    return [event for event in found if event.account_id == account_id]


def plainly(log: Sequence[Event]) -> tuple[Mapping[str, dict[str, Any] | None], set[str]]:
    """What a log comes to: the live values of each answer, None where it counts no longer; and the erased ones."""
    model, erased = Model(), set[str]()
    for event in log:
        if isinstance(event.data, StakeholderErased):
            ids = {each.stakeholder_id for each in event.data.every_id()}
            erased |= {response_id for response_id, first in model.found.items() if first.person in ids}
        elif getattr(event.data, "response_id", None) not in erased:
            model.read(event, origin_in(event.file))
    return {name: values for name, values in model.state().items() if name not in erased}, erased


async def stored(environment: Environment, account_id: str) -> list[dict[str, Any]]:
    database = Database(environment.database_url, "scorer", pool_size=1)
    try:
        async with database.read() as tx:
            rows = await tx.all("select * from responses where account_id = :account_id", account_id=account_id)
    finally:
        await database.close()
    return [dict(row) for row in rows]


async def check_figures(here: Tellback, account_id: str, submissions: Sequence[Submission]) -> None:
    """The figures are those of the reference."""
    world = World(submissions=tuple(submissions))
    for method in ("latest", "all"):
        asked = {"window": "all", "method": method}
        found = (await here.figures.get(f"/v1/accounts/{account_id}/score", params=asked)).json()
        expected = account_score(world, account_id, "all", method, datetime.now(UTC))
        del expected["people"]  # who is in the directory, of which the reference is not told here
        assert_same(found, expected)


async def check_by_hand(here: Tellback, account_id: str, folder: Path, content: str) -> None:
    """`tellback verify` of a file of what counts would find the same."""
    file = folder / "live.csv"
    file.write_text(content)
    by_hand = recount(file, HowToRead())[0][account_id].figures()
    asked = {"window": "all", "method": "all"}
    found = (await here.figures.get(f"/v1/accounts/{account_id}/score", params=asked)).json()
    assert by_hand == tuple(found[name] for name in ("nps", "promoter_count", "passive_count", "detractor_count"))


@pytest.mark.parametrize("seed", range(8))
async def test_all_agree_on_what_counts_and_whose_it_is(
    module_environment: Environment, here: Tellback, tmp_path: Path, seed: int
) -> None:
    walk = Walk(here, f"mixed{seed}", random.Random(seed))
    for _ in range(STEPS):
        await walk.step()
    await all_counted(module_environment)

    values, erased = plainly(await log_of(module_environment, walk.account_id))
    rows = await stored(module_environment, walk.account_id)
    assert {row["response_id"] for row in rows if row["erased"]} == erased
    kept = {row["response_id"]: row for row in rows if not row["erased"]}
    assert kept.keys() == values.keys()
    submissions, file = [], HEADER
    for response_id, row in kept.items():
        person, said = walk.people.person(walk.given[response_id]), values[response_id]
        assert row["stakeholder_id"] == person
        assert row["withdrawn"] is (said is None)
        if said is None:
            continue
        assert (row["score"], row["comment"]) == (said["score"], said["comment"])
        moment, score = answered_at(response_id), said["score"]
        submissions.append(Submission(response_id, walk.account_id, person, "nps", score, moment))
        file += f"{response_id},{walk.account_id},{person},nps,{score},,{moment.isoformat()}\n"

    await check_figures(here, walk.account_id, submissions)
    if submissions:
        await check_by_hand(here, walk.account_id, tmp_path, file)
    lines = await read_lines(module_environment.common, ["scorer"])
    assert [line for line in lines if line.faults] == []


async def answers_at(here: Tellback, account_id: str) -> tuple[int, int]:
    """How many answers count, and how many people have given them."""
    asked = {"window": "all", "method": "all"}
    found = (await here.figures.get(f"/v1/accounts/{account_id}/score", params=asked)).json()
    return found.get("response_count", 0), found.get("stakeholder_count", 0)


async def test_an_address_in_capitals_is_the_same_answer_in_another_file(here: Tellback) -> None:
    content = "account,email,score,comment,date\nre1,ada@ed.example,9,x,2026-05-05\n"
    assert (await here.taken(content.encode()))["new"] == 1
    assert (await here.taken(content.replace("ada@ed", "ADA@ED").encode()))["same"] == 1
    assert await answers_at(here, "re1") == (1, 1)


async def test_who_answered_by_id_and_by_address_is_one_person_and_erased_whole(
    module_environment: Environment, here: Tellback
) -> None:
    path = "/v1/accounts/er/stakeholders"
    assert (await here.door.put(f"{path}/C-17", json={"email": "dee@er.example"})).is_success
    for number, who in enumerate(({"email": "dee@er.example"}, {"stakeholder_id": "C-17"})):
        body = {"account_id": "er", "survey_type": "nps", "score": number, "comment": "mine", **who}
        assert (await here.door.post("/v1/responses", json=body)).status_code == 202
    await all_counted(module_environment)
    assert await answers_at(here, "er") == (2, 1)
    assert (await here.door.delete(f"{path}/C-17/data")).is_success
    await all_counted(module_environment)
    assert await answers_at(here, "er") == (0, 0)
    rows = await stored(module_environment, "er")
    assert [(row["erased"], row["comment"], row["email"]) for row in rows] == [(True, None, None)] * 2
