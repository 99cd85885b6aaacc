"""What a message says: sizes, CRM blocks, and the answer after its changes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerting.domain import crm
from services.alerting.domain.answers import AnswerChange, StoredAnswer, folded
from services.alerting.domain.payloads import MAX_BYTES, Links, MessageSubject, PayloadSettings, payload, response_block
from services.alerting.domain.people import Answer
from services.alerting.domain.tasks import Closing
from shared.calendar import BusinessCalendar
from tests.unit.alerting.builders import ACME, JANE, MONDAY_10, POLICY, opened

LINKS = Links("https://t.example")
CONTEXT = PayloadSettings(POLICY.calendar, LINKS)
ANSWER = Answer("acme", "r1", "jane@acme.example", "nps", 2, MONDAY_10, comment="late")


def said(comment: str) -> dict[str, Any]:
    return payload(CONTEXT, MessageSubject(ACME, JANE, replace(ANSWER, comment=comment), opened()))


@pytest.mark.parametrize("comment", ["x", "ä" * 8_001, "\U0001f641" * 10_000, "\x01" * 10_000, '"\\' * 5_000])
def test_no_message_is_larger_than_its_limit(comment: str) -> None:
    data = said(comment)
    assert len(json.dumps(data, ensure_ascii=False).encode()) <= MAX_BYTES
    response = data["response"]
    assert response["truncated"] == (response["comment"] != comment)
    assert comment.startswith(response["comment"])


def test_an_ordinary_message_is_small() -> None:
    assert len(json.dumps(said("Delivery was late for the third time. " * 20)).encode()) < 20_000


@pytest.mark.parametrize(("length", "truncated"), [(8_000, False), (8_001, True)])
def test_a_comment_is_cut_behind_8000_characters(length: int, truncated: bool) -> None:
    block = response_block(replace(ANSWER, comment="c" * length), LINKS)
    assert (len(block["comment"]), block["truncated"]) == (8_000, truncated)
    assert block.get("link") == ("https://t.example/accounts/acme/people/jane%40acme.example" if truncated else None)


def test_a_withdrawn_answer_is_not_shown() -> None:
    data = payload(CONTEXT, MessageSubject(ACME, JANE, replace(ANSWER, withdrawn=True), opened()))
    assert "response" not in data
    assert "late" not in json.dumps(data["crm"])


@pytest.mark.parametrize(
    ("score", "category"), [(0, "detractor"), (6, "detractor"), (7, "passive"), (8, "passive"), (9, "promoter")]
)
def test_categories(score: int, category: str) -> None:
    assert response_block(replace(ANSWER, score=score), LINKS)["category"] == category
    assert response_block(replace(ANSWER, score=score, survey_type="ces"), LINKS)["category"] is None


@pytest.mark.parametrize(
    ("severity", "salesforce", "hubspot"),
    [("critical", "High", "HIGH"), ("high", "High", "HIGH"), ("medium", "Normal", "MEDIUM"), ("low", "Low", "LOW")],
)
def test_priorities_of_the_crms(severity: Any, salesforce: str, hubspot: str) -> None:
    task = opened(severity=severity)
    assert crm.salesforce(task, ACME, JANE, "", POLICY.calendar)["Priority"] == salesforce
    assert crm.hubspot(task, ACME, JANE, "")["properties"]["hs_task_priority"] == hubspot


@pytest.mark.parametrize(
    ("state", "salesforce", "hubspot"),
    [
        ("open", "Not Started", "NOT_STARTED"),
        ("acknowledged", "In Progress", "NOT_STARTED"),
        ("in_progress", "In Progress", "NOT_STARTED"),
        ("snoozed", "Deferred", "NOT_STARTED"),
        ("closed", "Completed", "COMPLETED"),
    ],
)
def test_states_in_the_crms(state: Any, salesforce: str, hubspot: str) -> None:
    task = opened(state=state, closing=Closing("resolved") if state == "closed" else None)
    assert crm.salesforce(task, ACME, JANE, "", POLICY.calendar)["Status"] == salesforce
    assert crm.hubspot(task, ACME, JANE, "")["properties"]["hs_task_status"] == hubspot


def test_the_date_of_a_task_is_that_of_the_supplier_s_wall() -> None:
    late = datetime(2026, 6, 8, 23, 30, tzinfo=UTC)
    berlin = BusinessCalendar(ZoneInfo("Europe/Berlin"))
    block = crm.salesforce(opened(due_at=late), ACME, JANE, "", berlin)
    assert (block["ActivityDate"], block["ReminderDateTime"]) == ("2026-06-09", "2026-06-08T23:30:00.000Z")


def test_what_is_not_known_is_left_out_of_the_crm_blocks() -> None:
    block = crm.salesforce(opened(), ACME, JANE, "", POLICY.calendar)
    assert not {"OwnerId", "WhoId", "WhatId"} & set(block)
    assert "associations" not in crm.hubspot(opened(), ACME, JANE, "")


def change(number: int, minutes: int, kind: Any = "amended", **changes: Any) -> AnswerChange:
    at = MONDAY_10 + timedelta(minutes=minutes)
    return AnswerChange(UUID(int=number), "acme", "r1", None, kind, at, changes)


def live_of(recorded: Answer, changes: list[AnswerChange], posted: str = "") -> Answer:
    stored = StoredAnswer(recorded, recorded, MONDAY_10, posted=posted)
    return folded(stored, changes, recorded.stakeholder_id).live


def test_per_field_the_newest_change_wins() -> None:
    changes = [change(1, 5, comment="second", score=9), change(2, 1, comment="first", touchpoint="support")]
    live = live_of(ANSWER, changes)
    assert (live.comment, live.score, live.touchpoint) == ("second", 9, "support")


@given(st.permutations([change(n, n % 3, comment=str(n), score=n) for n in range(5)] + [change(9, 0, "withdrawn")]))
def test_the_order_of_arrival_does_not_matter(changes: list[AnswerChange]) -> None:
    live = live_of(ANSWER, changes)
    assert (live.comment, live.withdrawn) == ("2", True)


def test_null_clears_what_can_be_cleared_and_nonsense_changes_nothing() -> None:
    assert live_of(ANSWER, [change(1, 1, comment=None, shoe_size=1)]) == replace(ANSWER, comment=None)
    for wrong in (
        {"score": None},
        {"score": "9"},
        {"score": 11},
        {"test": 1},
        {"answers": "none"},
        {"answers": ["none"]},
        {"answers": [{"question_id": "q", "type": "nps", "value": 3}]},
    ):
        assert live_of(ANSWER, [change(1, 1, comment=None, **wrong)]) == ANSWER


def test_a_change_that_speaks_of_somebody_else_counts_nowhere() -> None:
    mine = change(1, 1, comment="not mine")
    for foreign in (
        replace(mine, stakeholder_id="bob"),
        replace(mine, survey_type="csat"),
        replace(mine, posted="1" * 32),
    ):
        assert live_of(ANSWER, [foreign], posted="0" * 32) == ANSWER
    own = replace(mine, survey_type="nps", posted="0" * 32)
    assert live_of(ANSWER, [own], posted="0" * 32).comment == "not mine"
