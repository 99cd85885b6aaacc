"""The whole scorer on real Kafka and PostgreSQL: an answer becomes a figure that can be asked for and is told."""

from datetime import timedelta
from functools import partial
from typing import Any

from services.scorer.app import build
from services.scorer.domain.windows import STANDARD_WINDOWS
from shared.events.envelope import decode
from shared.events.scores import AccountScoreChanged
from shared.kafka.producer import Publisher
from shared.topics import ACCOUNT_SCORES
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, record_of, recorded, topic_records
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

ANSWERS = (
    recorded("r1", score=10, answered_at=NOW - timedelta(days=100)),
    recorded("r2", score=8, answered_at=NOW - timedelta(days=1)),
    recorded("r3", score=3, stakeholder_id="ben", answered_at=NOW - timedelta(days=2), comment="late"),
)


async def test_what_is_asked_for_is_what_was_told(environment: Environment) -> None:
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    try:
        assert set(await publisher.send_many([record_of(answer) for answer in ANSWERS])) == {None}
    finally:
        await publisher.stop()
    headers = bearer(await api_key(environment, ["read"]))
    async with running(build(environment.common, FrozenClock(NOW))) as client:

        async def score(window: str = "90d", method: str = "latest") -> dict[str, Any]:
            asked = {"window": window, "method": method}
            answer = await client.get("/v1/accounts/acme/score", params=asked, headers=headers)
            found: dict[str, Any] = answer.json()
            return found

        async def counted() -> bool:
            return (await score("all", "all")).get("response_count") == len(ANSWERS)

        await eventually(counted)
        assert ((await score())["nps"], (await score())["change"]) == (-50.0, -150.0)
        told = await eventually(partial(snapshot, environment))
        assert told is not None
        for window in (window.name for window in STANDARD_WINDOWS):
            for method in ("latest", "all"):
                asked = await score(window, method)
                figures = told.figures[window][method]
                assert {name: asked[name] for name in figures} == figures


async def snapshot(environment: Environment) -> AccountScoreChanged | None:
    """The last snapshot told, once it holds all answers."""
    records = await topic_records(environment.kafka, environment.topic_prefix + ACCOUNT_SCORES.name)
    told = [decode(record.headers, record.value).data for record in records]
    last = told[-1] if told else None
    whole = isinstance(last, AccountScoreChanged) and last.figures["all"]["all"]["response_count"] == len(ANSWERS)
    return last if whole and isinstance(last, AccountScoreChanged) else None
