"""Alerting's copy of an answer changes as the scorer's does, and nothing that a client sends is a dead letter."""

from typing import Any

import pytest

from services.alerting.handlers.responses import give_up_early
from shared.events.posted import posted
from tests.integration.alerting.cases import Case
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment


async def live(alerting: RunningAlerting, case: Case, response_id: str) -> Any:
    async with alerting.plumbing.database.read() as tx:
        return await tx.one("select * from responses where response_id = :id", id=case.id(response_id))


@pytest.mark.parametrize("early", [True, False])
async def test_who_posted_something_else_under_the_same_id_amends_nothing(
    alerting: RunningAlerting, acme: Case, early: bool
) -> None:
    sent = ("account_id", "stakeholder_id", "survey_type", "score", "comment")
    mine, others = (acme.response("r1", comment=comment, sent=sent) for comment in ("mine", "I was here"))
    amendments = [
        acme.amended("r1", 1, posted(vars(mine.data)), comment="mine, later"),
        acme.amended("r1", 2, posted(vars(others.data)), comment="owned"),
    ]
    await alerting.emit(*(amendments if early else []), mine, others, *([] if early else amendments))
    assert (await live(alerting, acme, "r1"))["comment"] == "mine, later"


async def test_an_answer_is_kept_once_and_of_what_was_changed_what_it_was_first(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.response("r1", 8, comment="fine"), acme.response("r2", 8, comment="fine"))
    await alerting.emit(acme.amended("r2", 1, score=3), acme.withdrawn("r2"))
    unchanged, changed = [await live(alerting, acme, name) for name in ("r1", "r2")]
    assert (unchanged["score"], unchanged["comment"], unchanged["base"]) == (8, "fine", None)
    assert (changed["score"], changed["comment"], changed["base"]) == (3, "fine", {"score": 8, "withdrawn": False})
    await alerting.emit(acme.amended("r2", 2, score=8))
    assert (await live(alerting, acme, "r2"))["base"] == {"withdrawn": False}


async def test_what_does_not_fit_the_survey_changes_nothing_and_is_no_dead_letter(
    environment: Environment, acme: Case
) -> None:
    async with running_alerting(environment) as alone:
        await alone.emit(
            acme.response("r1", survey_type="csat", score=4, comment="good"),
            acme.amended("r1", score=9, comment="off the scale"),
            acme.amended("r1", answers=[{"question_id": "q", "type": "csat", "value": 3}], comment="a second score"),
        )
        found = await live(alone, acme, "r1")
        assert (found["score"], found["comment"]) == (4, "good")
        assert await alone.outcomes() == {"new": 1, "change": 2}


async def test_of_each_sender_only_the_newest_amendments_wait_for_their_answers(
    alerting: RunningAlerting, acme: Case
) -> None:
    early = [acme.amended(f"early{number}", number, comment="x").by("flood") for number in range(4)]
    await alerting.emit(acme.response("r1"), acme.amended("r1", comment="fine").by("flood"))
    await alerting.emit(*early, acme.amended("r2", comment="x").by("ours"), acme.withdrawn("r3").by("flood"))
    resources = alerting.app.state.service.resources
    assert await alerting.plumbing.database.retrying(lambda tx: give_up_early(tx, resources, most=2)) == 2
    async with alerting.plumbing.database.read() as tx:
        left = await tx.column("select response_id from response_changes where account_id = :id", id=acme.account_id)
    assert set(left) == {acme.id(name) for name in ("r1", "early2", "early3", "r2", "r3")}
