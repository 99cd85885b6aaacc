"""Erasure of a person: nothing that leads to them stays or comes back, and their answers leave every figure."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.scorer.api.erasures import Erasure
from shared.db.erasures import Journal
from shared.events.context import ContextRecorded
from shared.events.envelope import Event
from shared.events.responses import Answer, StakeholderErased
from shared.events.scores import AccountScoreChanged, StakeholderAnswerCorrected
from shared.http.erasures import counts_of
from shared.ids import uuid7
from shared.topics import ACCOUNT_SCORE_CHANGED, CONTEXT_RECORDED, STAKEHOLDER_ANSWER_CORRECTED
from tests.integration.scorer.writing import (
    SUBJECT,
    Writer,
    amended,
    erased,
    event,
    invited,
    person,
    withdrawn,
    writer,
)
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded

HOUR = timedelta(hours=1)
NAME = "ann@acme.example"
EVERYTHING = (
    "responses",
    "response_answers",
    "response_changes",
    "pending_changes",
    "dropped_responses",
    "latest_pairs",
    "invitations",
    "context_marks",
    "stakeholders",
    "erasures",
    "dirty_accounts",
    "snapshots",
)


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(NOW + 2 * HOUR)) as ready:
        yield ready


def answer(response_id: str = "r1", **fields: Any) -> Event:
    """An answer of Ann's with everything that a person can leave behind."""
    values: dict[str, Any] = {
        "stakeholder_id": NAME,
        "email": NAME,
        "score": 2,
        "comment": f"call {NAME}",
        "attributes": {"phone": NAME},
        "answers": (Answer(question_id="why", type="text", value=NAME),),
        "sent": ("account_id", "email", "score", "comment"),
    }
    return recorded(response_id, **(values | fields))


def context(**more: Any) -> Event:
    """Something that happened to Ann."""
    fields: dict[str, Any] = {"kind": "incident", "at": NOW, "label": NAME, "recorded_at": NOW} | more
    data = ContextRecorded(event_id=uuid7(), account_id="acme", stakeholder_id=NAME, **fields)
    return event(CONTEXT_RECORDED, data)


FACTS = (
    answer(),
    amended("r1", {"comment": f"really, call {NAME}"}, stakeholder_id=NAME),
    invited("sent", "i1", NOW, stakeholder_id=NAME),
    context(),
    person(NAME, email=NAME, name="Ann"),
)


async def traces(scorer: Writer) -> list[str]:
    """The tables in which anything of Ann's is left."""
    return [name for name in EVERYTHING if NAME in json.dumps(await scorer.rows(name), default=str)]


async def latest_score(scorer: Writer) -> AccountScoreChanged:
    data = (await scorer.published(ACCOUNT_SCORE_CHANGED))[-1].data
    assert isinstance(data, AccountScoreChanged)
    return data


async def test_everything_of_the_person_goes_and_the_figures_forget_them(scorer: Writer) -> None:
    await scorer.take(*FACTS, recorded("r2", score=9, stakeholder_id="bob"))
    await scorer.project()
    assert "responses" in await traces(scorer)
    assert await scorer.outcomes(erased(NAME)) == ["change"]
    await scorer.project()
    assert await traces(scorer) == []
    figures = (await latest_score(scorer)).figures["30d"]["all"]
    assert (figures["nps"], figures["response_count"], figures["sent_count"]) == (100, 1, 0)
    assert len(await scorer.rows("responses")) == 2


async def test_the_pair_that_was_told_is_corrected(scorer: Writer) -> None:
    await scorer.take(answer())
    await scorer.project()
    await scorer.take(erased(NAME))
    await scorer.project()
    [event] = await scorer.published(STAKEHOLDER_ANSWER_CORRECTED)
    assert isinstance(event.data, StakeholderAnswerCorrected)
    assert (event.data.cause, event.data.new.latest, event.data.recorded_at) == ("erased", None, NOW + HOUR)


async def test_what_was_recorded_before_stays_out_whenever_it_turns_up(scorer: Writer) -> None:
    await scorer.take(erased(NAME))
    assert await scorer.outcomes(*FACTS) == ["change"] * len(FACTS)
    assert await scorer.outcomes(amended("r1", {"comment": NAME}), withdrawn("r1")) == ["change", "change"]
    assert await traces(scorer) == []
    assert await scorer.rows("responses") == []


async def test_amendments_that_waited_for_a_dropped_response_go_with_it(scorer: Writer) -> None:
    assert await scorer.outcomes(amended("r1", {"comment": NAME})) == ["pending"]
    await scorer.take(erased(NAME))
    await scorer.take(answer())
    assert await traces(scorer) == []


async def test_the_same_answers_sent_again_later_bring_nothing_back(scorer: Writer) -> None:
    await scorer.take(answer("r1"), erased(NAME))
    await scorer.take(answer("r2"))
    later = NOW + 2 * HOUR
    again = [answer(response_id, answered_at=later, recorded_at=later) for response_id in ("r1", "r2")]
    assert await scorer.outcomes(*again) == ["repeat", "repeat"]
    assert await traces(scorer) == []


async def test_new_answers_after_the_erasure_count_again(scorer: Writer) -> None:
    later = NOW + HOUR + timedelta(seconds=1)
    await scorer.take(answer(), erased(NAME), answer("r2", score=10, answered_at=later, recorded_at=later))
    await scorer.project()
    assert (await latest_score(scorer)).figures["30d"]["latest"]["nps"] == 100


LATE: dict[str, Any] = {"recorded_at": NOW + 2 * HOUR}
WAITED = (
    answer(**LATE),
    amended("r1", {"comment": f"really, call {NAME}"}, **LATE),
    invited("sent", "i1", NOW, stakeholder_id=NAME, **LATE),
    context(**LATE),
)
"""What was said and done before the erasure, and recorded after it."""


async def test_what_happened_before_and_is_recorded_later_stays_out(scorer: Writer) -> None:
    await scorer.take(erased(NAME))
    assert await scorer.outcomes(*WAITED) == ["change"] * len(WAITED)
    await scorer.project()
    assert await traces(scorer) == []
    assert await scorer.rows("responses") == []
    assert await scorer.rows("invitations") == []


async def test_what_happened_before_and_is_recorded_later_goes_where_the_erasure_comes_last(scorer: Writer) -> None:
    await scorer.take(*WAITED)
    assert "responses" in await traces(scorer)
    await scorer.take(erased(NAME))
    await scorer.project()
    assert await traces(scorer) == []
    assert [row["erased"] for row in await scorer.rows("responses")] == [True]
    assert await scorer.rows("invitations") == []


async def test_what_happens_after_the_erasure_is_kept(scorer: Writer) -> None:
    later = NOW + 2 * HOUR
    facts = (answer("r2", answered_at=later, **LATE), invited("sent", "i2", later, stakeholder_id=NAME))
    await scorer.take(erased(NAME), *facts)
    [row] = await scorer.rows("responses")
    assert (row["erased"], row["stakeholder_id"]) == (False, NAME)
    assert [row["invitation_id"] for row in await scorer.rows("invitations")] == ["i2"]


async def test_others_with_the_same_id_at_another_account_stay(scorer: Writer) -> None:
    await scorer.take(answer(), answer("r2", account_id="other"))
    await scorer.take(erased(NAME))
    assert [row["erased"] for row in await scorer.rows("responses", account_id="other")] == [False]


async def test_an_erased_record_never_takes_the_place_of_somebody_elses(scorer: Writer) -> None:
    await scorer.take(recorded("r1", stakeholder_id="bob", score=9), erased(NAME))
    assert await scorer.outcomes(answer("r1"), amended("r1", {"score": 7})) == ["change", "change"]
    [row] = await scorer.rows("responses")
    assert (row["stakeholder_id"], row["score"]) == ("bob", 7)


async def test_the_receipt_says_what_was_done_once(scorer: Writer) -> None:
    request = erased(NAME)
    assert isinstance(request.data, StakeholderErased)
    await scorer.take(*FACTS)
    assert await scorer.outcomes(request, request) == ["change", "repeat"]
    async with scorer.database.read() as tx:
        found = await Journal.receipt(tx, request.data.receipt_id, None, counts_of(Erasure))
    assert found is not None
    assert (found["responses"], found["invitations"], found["context_marks"]) == (1, 1, 1)
    assert found["erased_at"] == NOW + HOUR
    [row] = await scorer.rows("erasures")
    assert row["subject"] == SUBJECT("acme", NAME)
