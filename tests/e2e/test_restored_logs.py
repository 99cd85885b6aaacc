"""A restore beside a Kafka that is older than the backup, and beside one whose topics were made anew: no answer that
the backup or this Kafka has is left out."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.backup.log import ANEW, BEHIND, OTHER
from services.cli.reconcile import read_lines
from shared.kafka.admin import Admin
from shared.kafka.producer import Publisher
from shared.settings import CommonSettings
from shared.topics import RESPONSES
from tests.support.backups import backed_up, empty_beside, put_back
from tests.support.environment import PARTITIONS, Environment, kafka_fields
from tests.support.events import record_of, recorded
from tests.support.in_process import InProcess, in_process
from tests.support.polling import eventually
from tests.support.processes import embedded_kafka
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import account_score
from tests.support.reference.world import Submission, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ACCOUNTS = ("northwind", "contoso")
ANSWERED_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
FEW, MANY = 2, 16


def answers(name: str, count: int = 6) -> Iterator[Submission]:
    """Answers of this name, by turns at one account and the other, each by a person of its own."""
    for number in range(count):
        account_id, person = ACCOUNTS[number % 2], f"{name}{number}@client.example"
        score = (number * 5 + ord(name)) % 11
        moment = ANSWERED_AT + timedelta(minutes=number)
        yield Submission(f"{name}{number}", account_id, person, "nps", score, moment)


async def send(here: InProcess, name: str) -> None:
    items: list[dict[str, Any]] = []
    for answer in answers(name):
        item = {"response_id": answer.response_id, "account_id": answer.account_id, "email": answer.stakeholder_id}
        items.append(
            item | {"survey_type": "nps", "score": answer.score, "answered_at": answer.answered_at.isoformat()}
        )
    sent = await here.door.post("/v1/responses/batch", json={"responses": items})
    assert sent.json()["accepted"] == len(items), sent.text
    await here.settled()


async def publish(environment: Environment, name: str, count: int) -> None:
    """Answers that a collector has published, and no scorer has read."""
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    records = []
    for answer in answers(name, count):
        fields = {"stakeholder_id": answer.stakeholder_id, "score": answer.score}
        times = {"answered_at": answer.answered_at, "recorded_at": answer.answered_at}
        records.append(record_of(recorded(answer.response_id, answer.account_id, **fields, **times)))
    assert not any(await publisher.send_many(records))
    await publisher.stop()


@asynccontextmanager
async def on_kafka(environment: Environment, folder: Path) -> AsyncIterator[Environment]:
    """The environment on a Kafka that goes on with this folder, with the topics that are missing."""
    with embedded_kafka(folder) as kafka:
        here = Environment(CommonSettings(**environment.common.model_dump() | kafka_fields(kafka)))
        async with Admin.connected(kafka, here.topic_prefix) as admin:
            await admin.apply(here.common.partitions, 1)
        yield here


async def check(here: InProcess, *submissions: Submission) -> None:
    """The figures are those of the reference over these answers, and all that was read adds up."""
    await here.settled()
    for account_id in ACCOUNTS:
        for method in ("latest", "all"):
            wanted = account_score(World(submissions=submissions), account_id, "all", method, datetime.now(UTC))
            del wanted["people"]
            assert_same(await here.score(account_id, method), wanted)
    lines = await read_lines(here.environment.common, ["scorer", "alerting"])
    assert [line for line in lines if line.faults] == []


async def test_kafka_is_older_than_the_backup_and_has_answers_that_nobody_has_read(
    database_only: Environment, postgres_url: str, tmp_path: Path
) -> None:
    """Its folder is put back as it was when the answers a had come."""
    kafka, older = tmp_path / "kafka-now", tmp_path / "kafka-older"
    async with on_kafka(database_only, kafka) as now, in_process(now) as here:
        await send(here, "a")
    shutil.copytree(kafka, older)
    async with on_kafka(database_only, kafka) as now, in_process(now) as here:
        await send(here, "b")
        backup = await backed_up(now, tmp_path / "backup")
    async with on_kafka(database_only, older) as now, empty_beside(now, postgres_url) as environment:
        await publish(environment, "c", FEW)
        restored = await put_back(environment, backup)
        assert {moved.why for moved in restored.moved} == {BEHIND}
        async with in_process(environment) as here:
            await send(here, "d")
            await check(here, *answers("a"), *answers("b"), *answers("c", FEW), *answers("d"))


@pytest.mark.parametrize(
    ("count", "partitions", "said"),
    [(FEW, PARTITIONS, {BEHIND}), (MANY, PARTITIONS, {ANEW}), (MANY, PARTITIONS + 2, {OTHER})],
)
async def test_topics_were_made_anew_in_the_same_cluster(
    environment: Environment, postgres_url: str, tmp_path: Path, count: int, partitions: int, said: set[str]
) -> None:
    """They end before or behind the cursors of the backup, or are divided otherwise."""
    async with in_process(environment) as here:
        await send(here, "a")
        backup = await backed_up(environment, tmp_path / "backup")
    async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
        await admin.delete()

        async def gone() -> bool:
            return not any(state.exists for state in await admin.inspect(1))

        await eventually(gone, 30)
        await admin.apply(partitions, 1)
    async with empty_beside(environment, postgres_url, partitions=partitions) as empty:
        await publish(empty, "b", count)
        restored = await put_back(empty, backup)
        assert {moved.why for moved in restored.moved if moved.topic == RESPONSES.name} == said
        async with in_process(empty) as here:
            await send(here, "c")
            await check(here, *answers("a"), *answers("b", count), *answers("c"))
