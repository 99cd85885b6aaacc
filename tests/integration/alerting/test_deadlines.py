"""Deadlines lie ahead and within five years, at the door and in the table."""

from datetime import timedelta

import asyncpg
import pytest

from tests.integration.alerting.cases import MONDAY, Case
from tests.integration.alerting.running_alerting import RunningAlerting
from tests.support.problems import assert_problem, field_codes

FIVE_YEARS = MONDAY + timedelta(days=5 * 366)
DEADLINES = ("due_at", "snoozed_until", "promised_by", "next_escalation_at", "ack_expires_at")


@pytest.mark.parametrize(
    ("due_at", "code"),
    [
        (MONDAY.isoformat(), "invalid_due_at"),
        ("2025-01-01T00:00:00Z", "invalid_due_at"),
        ((FIVE_YEARS + timedelta(seconds=1)).isoformat(), "invalid_due_at"),
        ("0001-01-01T00:00:00Z", "invalid_time"),
        ("0001-01-01T00:00:00+14:00", "invalid_time"),
        ("9999-12-31T23:59:59.999999Z", "invalid_time"),
        ("9999-12-31T23:59:59-14:00", "invalid_time"),
        ("2026-06-09T10:00:00", "invalid_time"),
    ],
)
async def test_a_follow_up_due_at_no_time_for_people_is_not_opened(
    alerting: RunningAlerting, acme: Case, due_at: str, code: str
) -> None:
    body = {"account_id": acme.account_id, "due_at": due_at}
    answer = await alerting.client.post("/v1/follow-ups", json=body)
    assert field_codes(assert_problem(answer, 422, code if code != "invalid_time" else "invalid_request")) == {
        "due_at": code
    }
    assert (await alerting.items(acme)) == []


async def test_the_farthest_deadline_may_be_asked_for_again(alerting: RunningAlerting, acme: Case) -> None:
    body = {"account_id": acme.account_id, "due_at": FIVE_YEARS.isoformat()}
    opened, repeated = [await alerting.client.post("/v1/follow-ups", json=body) for _ in range(2)]
    assert (opened.status_code, repeated.status_code) == (201, 200)
    assert opened.json()["due_at"] == repeated.json()["due_at"] == "2031-06-12T10:00:00Z"


@pytest.mark.parametrize("column", DEADLINES)
@pytest.mark.parametrize("infinity", ["infinity", "-infinity"])
async def test_no_task_ever_has_a_deadline_that_nobody_can_reckon_with(
    alerting: RunningAlerting, acme: Case, column: str, infinity: str
) -> None:
    assert (await alerting.client.post("/v1/follow-ups", json={"account_id": acme.account_id})).status_code == 201
    connection = await asyncpg.connect(alerting.environment.database_url)
    try:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"update alerting.tasks set {column} = '{infinity}'")  # noqa: S608 (fixed names)
    finally:
        await connection.close()
