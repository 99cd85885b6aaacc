"""What passes the collector's door is judged alike by all who keep answers: no client can make a dead letter."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from services.alerting.domain.answers import AMENDABLE, AnswerChange, StoredAnswer, folded
from services.alerting.domain.people import Answer
from services.collector.handlers import responses
from services.collector.handlers.inputs.responses import Amendment, NewResponse
from services.scorer.domain.history import defect
from shared.amendments import Change, Subject, fold, refusal
from shared.events.responses import ResponseAmended, ResponseRecorded

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MARK = "seen by alerting"
TYPES = ("nps", "csat", "ces")
TEXTS = st.text(max_size=6) | st.none()
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "question_id": st.sampled_from("abc"),
            "type": st.sampled_from([*TYPES, "rating", "choice", "text"]),
            "value": st.integers(-1, 11) | st.text(max_size=3),
        }
    ),
    max_size=3,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "survey_type": st.sampled_from(TYPES),
    "score": st.integers(-1, 11),
    "comment": TEXTS,
    "language": TEXTS,
    "answers": ENTRIES | st.none(),
    "attributes": st.dictionaries(st.sampled_from("xy"), st.integers() | st.floats() | TEXTS, max_size=2) | st.none(),
    "follow_up_requested": st.booleans() | st.none(),
    "test": st.booleans() | st.none(),
}

REQUIRED = ("survey_type", "score")


def taken(model: type[BaseModel], fields: dict[str, Any]) -> Any:
    """The body as the door takes it; None where it is refused."""
    try:
        return model.model_validate({"account_id": "acme", "stakeholder_id": "ann"} | fields)
    except ValidationError:
        return None


@given(st.fixed_dictionaries({}, optional=FIELDS), st.sampled_from(TYPES))
def test_an_amendment_counts_for_both_or_for_none(fields: dict[str, Any], survey_type: str) -> None:
    body = taken(Amendment, fields | {"touchpoint": MARK})
    if body is None:
        return
    data = responses.amended("r1", body, None, NOW).data
    assert isinstance(data, ResponseAmended)
    said = (data.recorded_at, data.changes, data.survey_type)
    reason = refusal(Subject("acme", "ann", survey_type), Change(UUID(int=1), "amended", "acme", "ann", *said))
    kept = Answer("acme", "r1", "ann", survey_type, 1, NOW)
    change = AnswerChange(UUID(int=1), "acme", "r1", "ann", "amended", *said)
    stored = StoredAnswer(kept, kept, NOW)
    assert (folded(stored, [change], "ann").live.touchpoint == MARK) is (reason is None)
    assert reason in ({None, "invalid_change"} if body.survey_type is None else {None, "wrong_response"})


CHANGED: dict[str, st.SearchStrategy[Any]] = {
    "score": st.integers(-1, 11) | st.none() | st.booleans(),
    "comment": TEXTS | st.integers(),
    "follow_up_requested": st.booleans() | st.none() | st.text(max_size=1),
    "answers": ENTRIES | st.none() | st.just("none"),
    "of_a_later_version": st.integers(),
}
CHANGES = st.builds(
    Change,
    event_id=st.uuids(),
    kind=st.sampled_from(["amended"] * 5 + ["withdrawn"]),
    account_id=st.just("acme"),
    stakeholder_id=st.sampled_from([None, None, "ann", "bob"]),
    recorded_at=st.integers(0, 3).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    changes=st.fixed_dictionaries({}, optional=CHANGED),
    survey_type=st.sampled_from([None, None, *TYPES]),
    posted=st.sampled_from([None, None, "this", "that"]),
)


@given(st.lists(CHANGES, max_size=6, unique_by=lambda change: change.event_id), st.sampled_from(TYPES), st.randoms())
def test_the_scorer_and_alerting_make_the_same_of_an_answer(
    changes: list[Change], survey_type: str, random: Random
) -> None:
    """Whatever was changed, and in whatever order it came: values, and whether it was withdrawn."""
    live = fold(Subject("acme", "ann", survey_type, "this"), changes)
    recorded = Answer("acme", "r1", "ann", survey_type, 1, NOW)
    came = random.sample(changes, len(changes))
    stored = StoredAnswer(recorded, recorded, NOW, posted="this")
    kept = folded(stored, [AnswerChange.of(change, "r1") for change in came], "ann").live
    expected = {name: live.values.get(name, getattr(recorded, name)) for name in AMENDABLE}
    assert {name: getattr(kept, name) for name in AMENDABLE} == expected
    assert kept.withdrawn == live.withdrawn


@given(
    st.fixed_dictionaries(
        {name: FIELDS[name] for name in REQUIRED},
        optional={name: values for name, values in FIELDS.items() if name not in REQUIRED},
    )
)
def test_a_response_that_is_taken_can_be_an_answer(fields: dict[str, Any]) -> None:
    body = taken(NewResponse, fields)
    if body is None:
        return
    data = responses.recorded(body, NOW).data
    assert isinstance(data, ResponseRecorded)
    entries = [entry.model_dump() for entry in data.answers]
    assert defect(data.survey_type, data.score, data.answered_at, entries) is None
