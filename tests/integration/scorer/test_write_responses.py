"""What becomes of answers, amendments and withdrawals, in whatever order and number they come."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.events.responses import Answer
from shared.ids import uuid7
from tests.integration.scorer.writing import Writer, amended, withdrawn, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(LATER)) as ready:
        yield ready


async def live(scorer: Writer, response_id: str = "r1") -> dict[str, object]:
    [row] = await scorer.rows("responses", response_id=response_id)
    return row


async def test_a_response_is_new_once_and_then_a_repeat(scorer: Writer) -> None:
    assert await scorer.outcomes(recorded("r1"), recorded("r2"), recorded("r1")) == ["new", "new", "repeat"]
    assert await scorer.outcomes(recorded("r2")) == ["repeat"]
    assert len(await scorer.rows("responses")) == 2


async def test_what_the_collector_filled_in_is_not_compared(scorer: Writer) -> None:
    again = recorded("r1", answered_at=NOW + timedelta(seconds=9), recorded_at=LATER, touchpoint=None)
    assert await scorer.outcomes(recorded("r1"), again) == ["new", "repeat"]


async def test_the_same_id_with_another_content_is_a_conflict_and_the_first_stands(scorer: Writer) -> None:
    sent = ("account_id", "stakeholder_id", "score", "answered_at")
    other = recorded("r1", score=2, answered_at=LATER, sent=sent)
    [_, verdict] = await scorer.take(recorded("r1"), other)
    assert (verdict.outcome, verdict.reason) == ("conflict", "response_id_taken")
    assert verdict.detail == "differs in answered_at, score"
    assert (await live(scorer))["score"] == 9


async def test_the_same_id_at_another_account_is_a_conflict(scorer: Writer) -> None:
    assert await scorer.outcomes(recorded("r1"), recorded("r1", "other", sent=())) == ["new", "conflict"]


async def test_a_repeat_is_compared_with_what_was_first_said_not_with_what_was_amended(scorer: Writer) -> None:
    entries = (Answer(question_id="q1", type="rating", value=4), Answer(question_id="q2", type="text", value="fine"))
    sent = ("account_id", "stakeholder_id", "score", "answers", "comment", "attributes")
    first = recorded("r1", answers=entries, comment="good", attributes={"plan": "pro"}, sent=sent)
    change = amended("r1", {"score": 3, "answers": None, "comment": None, "attributes": {"plan": "lite"}})
    assert await scorer.outcomes(first, change) == ["new", "change"]
    assert await scorer.outcomes(first) == ["repeat"]
    as_amended = recorded("r1", score=3, attributes={"plan": "lite"}, sent=sent)
    assert await scorer.outcomes(as_amended) == ["conflict"]


async def test_an_amendment_changes_only_what_it_names_and_null_clears(scorer: Writer) -> None:
    await scorer.take(recorded("r1", comment="good", touchpoint="support"))
    assert await scorer.outcomes(amended("r1", {"score": 6, "touchpoint": None})) == ["change"]
    row = await live(scorer)
    assert (row["score"], row["comment"], row["touchpoint"], row["revision"]) == (6, "good", None, 2)
    assert row["base"] == {"score": 9, "touchpoint": "support"}


async def test_of_two_amendments_of_a_field_the_later_recorded_wins_whichever_comes_last(scorer: Writer) -> None:
    later = amended("r1", {"score": 1}, recorded_at=LATER)
    earlier = amended("r1", {"score": 5, "comment": "meh"}, recorded_at=LATER - timedelta(minutes=1))
    await scorer.take(recorded("r1"))
    await scorer.take(later)
    await scorer.take(earlier)
    row = await live(scorer)
    assert (row["score"], row["comment"], row["revision"]) == (1, "meh", 3)


async def test_of_equal_event_ids_only_the_first_recorded_counts(scorer: Writer) -> None:
    event_id = uuid7()
    second = amended("r1", {"score": 1, "comment": "no"}, event_id=event_id, recorded_at=LATER)
    first = amended("r1", {"score": 5}, event_id=event_id, recorded_at=LATER - timedelta(seconds=1))
    assert await scorer.outcomes(recorded("r1"), second) == ["new", "change"]
    assert await scorer.outcomes(first, second) == ["repeat", "repeat"]
    row = await live(scorer)
    assert (row["score"], row["comment"], row["revision"]) == (5, None, 2)


async def test_an_amendment_that_overtakes_its_response_is_pending_and_then_applied(scorer: Writer) -> None:
    assert await scorer.outcomes(amended("r1", {"score": 2})) == ["pending"]
    assert await scorer.outcomes(recorded("r1")) == ["new"]
    assert (await live(scorer))["score"] == 2


async def test_within_a_batch_an_amendment_before_its_response_is_pending_too(scorer: Writer) -> None:
    batch = (amended("r1", {"score": 2}), recorded("r1"), amended("r1", {"comment": "sorry"}))
    assert await scorer.outcomes(*batch) == ["pending", "new", "change"]
    row = await live(scorer)
    assert (row["score"], row["comment"]) == (2, "sorry")


async def test_a_withdrawal_is_final_also_before_its_response(scorer: Writer) -> None:
    assert await scorer.outcomes(withdrawn("r1")) == ["pending"]
    change = amended("r1", {"score": 2}, recorded_at=LATER)
    assert await scorer.outcomes(recorded("r1"), change) == ["new", "change"]
    assert (await live(scorer))["withdrawn"] is True
    assert await scorer.outcomes(recorded("r1")) == ["repeat"]


async def test_a_change_from_another_account_or_person_is_a_conflict(scorer: Writer) -> None:
    await scorer.take(recorded("r1"))
    verdicts = await scorer.take(
        withdrawn("r1", "other"),
        amended("r1", {"score": 1}, "other"),
        amended("r1", {"score": 1}, stakeholder_id="bob"),
    )
    assert [verdict.reason for verdict in verdicts] == ["wrong_account", "wrong_account", "wrong_stakeholder"]
    row = await live(scorer)
    assert (row["withdrawn"], row["score"]) == (False, 9)


async def test_a_pending_change_from_another_account_never_counts(scorer: Writer) -> None:
    assert await scorer.outcomes(withdrawn("r1", "other")) == ["pending"]
    await scorer.take(recorded("r1"))
    assert (await live(scorer))["withdrawn"] is False


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"score": 6}, id="above the scale"),
        pytest.param({"score": None}, id="no score"),
        pytest.param({"score": True}, id="a flag for a score"),
        pytest.param({"comment": 5}, id="a number for a comment"),
        pytest.param({"answers": [{"question_id": "q", "type": "csat", "value": 3}]}, id="a second score"),
    ],
)
async def test_a_change_that_cannot_be_is_a_conflict_whichever_comes_first(
    scorer: Writer, changes: dict[str, object]
) -> None:
    csat: dict[str, Any] = {"survey_type": "csat", "score": 4, "comment": "good"}
    await scorer.take(recorded("r1", **csat))
    [verdict] = await scorer.take(amended("r1", changes | {"touchpoint": "support"}))
    assert (verdict.outcome, verdict.reason) == ("conflict", "invalid_change")
    await scorer.take(amended("r2", changes | {"touchpoint": "support"}))
    await scorer.take(recorded("r2", **csat))
    for response_id in ("r1", "r2"):
        row = await live(scorer, response_id)
        assert (row["score"], row["comment"], row["touchpoint"]) == (4, "good", None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"score": 11}, "score_out_of_range", id="score"),
        pytest.param({"answered_at": NOW.replace(year=1970)}, "answered_at_out_of_range", id="epoch"),
        pytest.param({"answered_at": NOW.replace(year=9999)}, "answered_at_out_of_range", id="end of time"),
        pytest.param(
            {"answers": (Answer(question_id="q", type="nps", value=3),)}, "invalid_answers", id="a second score"
        ),
    ],
)
async def test_a_response_that_cannot_be_is_a_dead_letter(scorer: Writer, fields: dict[str, Any], reason: str) -> None:
    [bad, good] = await scorer.take(recorded("r1", **fields), recorded("r2"))
    assert (bad.outcome, bad.reason) == ("dead_lettered", reason)
    assert good.outcome == "new"
    assert [row["response_id"] for row in await scorer.rows("responses")] == ["r2"]


async def test_answers_are_replaced_as_a_whole_and_come_back_in_the_order_sent(scorer: Writer) -> None:
    first = (Answer(question_id="z", type="rating", value=4), Answer(question_id="a", type="csat", value=5))
    await scorer.take(recorded("r1", answers=first))
    new = [{"question_id": "a", "type": "csat", "value": 1}, {"question_id": "b", "type": "choice", "value": "blue"}]
    await scorer.take(amended("r1", {"answers": new}))
    rows = {row["question_id"]: row for row in await scorer.rows("response_answers")}
    assert {name: (row["position"], row["value_number"], row["value_text"]) for name, row in rows.items()} == {
        "a": (0, 1, None),
        "b": (1, None, "blue"),
    }
    base = (await live(scorer))["base"]
    assert isinstance(base, dict)
    assert [entry["question_id"] for entry in base["answers"]] == ["z", "a"]
