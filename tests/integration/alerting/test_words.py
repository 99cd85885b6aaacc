"""Alerting forgets the words of old answers as the scorer does, and nothing comes of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.alerting.handlers.words import forget_words
from shared.words import WordRetention
from tests.integration.alerting.cases import MONDAY, Case
from tests.integration.alerting.running_alerting import RunningAlerting

OLD = MONDAY - timedelta(days=366)


async def forget(alerting: RunningAlerting, days: int) -> int:
    resources = replace(alerting.app.state.service.resources, retention=WordRetention(days))
    async with alerting.plumbing.database.write() as tx:
        return await forget_words(tx, resources)


async def kept(alerting: RunningAlerting, table: str, case: Case) -> list[Any]:
    async with alerting.plumbing.database.read() as tx:
        statement = f"select * from {table} where account_id = :id order by response_id"  # noqa: S608 - names of ours
        rows = await tx.all(statement, id=case.account_id)
    return [dict(row) for row in rows]


async def test_words_older_than_the_days_go_from_answers_and_their_changes(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(
        acme.response("r1", 3, comment="first words", answered_at=OLD),
        acme.response("r2", 3, comment="younger words"),
    )
    text = {"question_id": "more", "type": "text", "value": "more words"}
    await alerting.emit(acme.amended("r1", comment="later words", answers=[text], score=2))
    before = await alerting.items(acme)
    assert await forget(alerting, 0) == 0
    assert await forget(alerting, 365) == 1
    assert await forget(alerting, 365) == 0
    old, young = await kept(alerting, "responses", acme)
    assert (old["score"], old["comment"], old["base"]) == (2, None, {"score": 3, "comment": None})
    assert (young["comment"], young["base"]) == ("younger words", None)
    assert "words" not in str(await kept(alerting, "response_changes", acme))
    assert await alerting.items(acme) == before
