"""A whole installation put back from a backup: Kafka newer than the backup, or gone and of other partitions."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.backup.content import BackupFolder
from services.cli.backup.erasures import read_journal, write_journal
from services.cli.resume_sending import _let_go
from services.collector.store.erasures import Entry
from shared.kafka.admin import Admin
from tests.support.backups import backed_up, empty_beside, put_back
from tests.support.databases import connected
from tests.support.environment import Environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.receiver import Receiver, receiving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ANN = "ann.lee@northwind.example"
WORDS = "Never again, says Ann"
SECONDS = 90.0
OTHER_PARTITIONS = 5


@dataclass(frozen=True)
class Past:
    """A backup, and what the installation said when it was taken and in the end."""

    backup: BackupFolder
    erasures: list[Entry]
    then: dict[str, Any]
    at_last: dict[str, Any]
    new_account: dict[str, Any]
    receiver: Receiver


async def respond(house: Installation, account: str, person: str, score: int, **fields: Any) -> None:
    moment = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    body = {"account_id": account, "email": person, "survey_type": "nps", "score": score, "answered_at": moment}
    answer = await house.collector.post("/v1/responses", json=body | fields)
    assert answer.status_code == 202, answer.text


async def figures(house: Installation, account: str, answers: int) -> dict[str, Any]:
    """The account's figures, once they count so many answers."""

    async def counted() -> dict[str, Any]:
        answer = await house.scorer.get(f"/v1/accounts/{account}/score", params={"window": "all", "method": "all"})
        if not answer.is_success or answer.json()["response_count"] != answers:
            return {}
        return dict(answer.json())

    return await eventually(counted, timeout=SECONDS)


@pytest.fixture(scope="module")
async def past(module_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Past]:
    """Northwind had three answers, one by Ann, when the backup was taken. Then came a fourth and a new account, and Ann
    was erased. A receiver has heard of what Ann's answer opened."""
    folder = tmp_path_factory.mktemp("past")
    journal = folder / "erasures.json"
    async with receiving() as receiver:
        async with installed(module_environment, tmp_path_factory.mktemp("logs")) as house:
            hook = {"url": receiver.url, "event_types": ["follow_up.opened"]}
            assert (await house.alerting.post("/v1/webhook-endpoints", json=hook)).is_success
            account = {"name": "Northwind", "industry": "freight"}
            assert (await house.collector.put("/v1/accounts/northwind", json=account)).is_success
            await respond(house, "northwind", ANN, 2, comment=WORDS)
            await respond(house, "northwind", "bob@northwind.example", 9)
            await respond(house, "northwind", "cid@northwind.example", 10)
            then = await figures(house, "northwind", 3)
            await eventually(lambda: len(receiver.requests) >= 1, timeout=SECONDS)
            backup = await backed_up(module_environment, folder / "backup")
            await respond(house, "northwind", "dot@northwind.example", 7)
            for score in (8, 9, 10):
                await respond(house, "contoso", f"eve{score}@contoso.example", score)
            path = f"/v1/accounts/northwind/stakeholders/{ANN}/data"
            assert (await house.collector.delete(path)).is_success
            at_last, new = await figures(house, "northwind", 3), await figures(house, "contoso", 3)
            await write_journal(module_environment.common, journal)
        yield Past(backup, read_journal(journal), then, at_last, new, receiver)


@contextlib.asynccontextmanager
async def put_back_into(
    environment: Environment, past: Past, logs: Path, erasures: list[Entry]
) -> AsyncIterator[Installation]:
    await put_back(environment, past.backup, erasures)
    async with installed(environment, logs) as house:
        yield house


async def test_what_kafka_holds_behind_the_backup_is_read_again(
    module_environment: Environment, postgres_url: str, past: Past, tmp_path: Path
) -> None:
    async with (
        empty_beside(module_environment, postgres_url) as environment,
        put_back_into(environment, past, tmp_path, []) as house,
    ):
        assert await figures(house, "contoso", 3) == past.new_account

        async def as_at_last() -> bool:
            return await figures(house, "northwind", 3) == past.at_last

        await eventually(as_at_last, timeout=SECONDS)
        await eventually(lambda: forgotten(environment), timeout=SECONDS)
        await eventually(lambda: everybody_has_the_newest(environment, "northwind", "contoso"), timeout=SECONDS)


async def test_without_the_log_the_journal_erases_and_all_is_published_anew(
    module_environment: Environment, postgres_url: str, past: Past, tmp_path: Path
) -> None:
    prefix = f"{module_environment.topic_prefix}new."
    changes = {"topic_prefix": prefix, "partitions": OTHER_PARTITIONS}
    async with empty_beside(module_environment, postgres_url, **changes) as environment:
        sent = len(past.receiver.requests)
        try:
            async with put_back_into(environment, past, tmp_path, past.erasures) as house:
                answer = await house.scorer.get(f"/v1/accounts/northwind/stakeholders/{ANN}")
                assert answer.status_code == 404, "she is hidden from the first moment on"
                assert past.then["nps"] == pytest.approx(100 / 3)
                assert (await figures(house, "northwind", 2))["nps"] == 100.0, "of 9 and 10"
                await eventually(lambda: forgotten(environment), timeout=SECONDS)
                await eventually(lambda: everybody_has_the_newest(environment, "northwind"), timeout=SECONDS)
                record = await house.collector.get("/v1/accounts/northwind")
                assert record.json()["name"] == "Northwind"
                await respond(house, "northwind", "fay@northwind.example", 1)
                await figures(house, "northwind", 3)
                await eventually(lambda: waiting(environment), timeout=SECONDS)
                assert len(past.receiver.requests) == sent, "nothing leaves by itself"
                assert await _let_go(environment.common) >= 1
                await eventually(lambda: len(past.receiver.requests) > sent, timeout=SECONDS)
        finally:
            async with Admin.connected(environment.kafka, prefix) as admin:
                await admin.delete()


async def forgotten(environment: Environment) -> bool:
    """Whether no table has the id of the erased or their words, but for the event of the erasure itself."""
    async with connected(environment.database_url) as connection:
        tables = await connection.fetch(
            "select schemaname, tablename from pg_tables where tablename <> 'outbox'"
            " and schemaname in ('collector', 'scorer', 'alerting', 'benchmark', 'outreach')"
        )
        for schema, name in tables:
            for row in await connection.fetch(f'select t::text from "{schema}"."{name}" t'):  # noqa: S608 - of ours
                if ANN in row[0] or WORDS in row[0]:
                    return False
    return True


async def everybody_has_the_newest(environment: Environment, *accounts: str) -> bool:
    """Whether alerting and the benchmark have snapshots of the accounts that were made since the restore."""
    async with connected(environment.database_url) as connection:
        rows = await connection.fetch(
            "select s.account_id, timeline, s.sequence, a.sequence, b.sequence from scorer.snapshots s"
            " cross join scorer.feed left join alerting.account_scores a using (account_id)"
            " left join benchmark.snapshots b using (account_id) where s.account_id = any($1)",
            list(accounts),
        )
    assert len(rows) == len(accounts)
    for account, timeline, highest, *known in rows:
        assert [timeline < (sequence or 0) <= highest for sequence in known] == [True, True], account
    return True


async def waiting(environment: Environment) -> bool:
    """Whether a webhook waits."""
    async with connected(environment.database_url) as connection:
        count = await connection.fetchval("select count(*) from alerting.webhook_deliveries where status = 'pending'")
    return bool(count)
