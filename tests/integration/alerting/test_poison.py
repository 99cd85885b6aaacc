"""Events that cannot be handled: parked with a reason, and the partition goes on."""

from collections.abc import AsyncIterator

import pytest

from shared.records import Record
from shared.topics import SCORE_EVENTS
from tests.integration.alerting.cases import Case
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment
from tests.support.polling import eventually

ANSWERED = b"com.tellback.stakeholder.answered.v1"


@pytest.fixture
async def alone(environment: Environment) -> AsyncIterator[RunningAlerting]:
    """A desk of its own, since dead letters are listed for all accounts together."""
    async with running_alerting(environment) as running:
        yield running


async def test_poison_is_parked_with_a_reason_while_the_partition_goes_on(alone: RunningAlerting, acme: Case) -> None:
    """Given a poison event (bad JSON, unknown type, huge), then it is parked in the dead letters with a reason, the
    partition goes on, and redrive works."""
    good = acme.answered("r1", 2)
    for kind, value in (
        (ANSWERED, b'{"account_id": '),
        (b"com.tellback.stakeholder.exploded.v1", b"{}"),
        (b"com.tellback.stakeholder.answered.v9", good.value()),
        (ANSWERED, b'{"account_id": "' + b"x" * 900_000 + b'"}'),
    ):
        headers = [("ce_id", str(good.id).encode()), ("ce_type", kind), ("ce_specversion", b"1.0")]
        record = Record.raw(SCORE_EVENTS, acme.account_id, acme.account_id.encode(), value, headers)
        await alone.emit_raw(record)
    await alone.emit(good)
    assert (await alone.only(acme))["kind"] == "detractor"
    assert await alone.outcomes() == {"new": 1, "dead_lettered": 4}

    letters = (await alone.client.get("/v1/dead-letters")).json()["items"]
    assert len(letters) == 4
    assert all(letter["reason"] and letter["topic"].endswith("score-events") for letter in letters)

    again = await alone.client.post(f"/v1/dead-letters/{letters[0]['id']}/replay")
    assert again.status_code == 202, again.text

    async def is_poison_still() -> bool:
        found = (await alone.client.get("/v1/dead-letters")).json()["items"]
        return [letter["state"] for letter in found] == ["dead"] * 4

    await eventually(is_poison_still)
    assert await alone.outcomes() == {"new": 1, "dead_lettered": 4}, "a record counts once, however often it is tried"
