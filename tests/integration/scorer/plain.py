"""What must stand after a history, worked out the plain way: all events at once, no batches, no state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.events.envelope import Event
from shared.events.responses import ResponseAmended, ResponseRecorded, ResponseWithdrawn, StakeholderErased
from shared.events.scores import StakeholderAnswerCorrected, StakeholderAnswered
from tests.support.reference.scores import category
from tests.support.reference.world import Submission, World

EMPTY = {"comment": None, "touchpoint": None, "follow_up_requested": False, "test": False}
Series = tuple[str, str, str, str]


@dataclass(frozen=True)
class Plain:
    """One response as it should stand."""

    data: ResponseRecorded
    values: dict[str, Any]
    withdrawn: bool
    erased: bool
    revision: int

    @property
    def live(self) -> bool:
        """Whether it counts."""
        return not (self.withdrawn or self.erased or self.values["test"])

    @property
    def series(self) -> Series:
        """What it follows other answers in."""
        return self.data.account_id, self.data.stakeholder_id, self.data.survey_type, self.data.nps_kind

    @property
    def fresh(self) -> bool:
        """Whether anybody may be told."""
        return not self.data.quiet and self.data.answered_at >= self.data.recorded_at - timedelta(days=30)

    def reference(self) -> tuple[str, datetime, int]:
        """How a pair names it."""
        return self.data.response_id, self.data.answered_at, self.values["score"]


def responses_of(events: Sequence[Event]) -> dict[str, Plain]:
    """Every response that the history leaves, by id, dropped ones included; the first to arrive stands."""
    erasures = [event.data for event in events if isinstance(event.data, StakeholderErased)]
    found: dict[str, Plain] = {}
    for event in events:
        data = event.data
        if isinstance(data, ResponseRecorded) and data.response_id not in found:
            erased = any(
                (erasure.account_id, erasure.stakeholder_id) == (data.account_id, data.stakeholder_id)
                and min(data.recorded_at, data.answered_at) <= erasure.erased_at
                for erasure in erasures
            )
            found[data.response_id] = changed(data, changes_of(data, events), erased)
    return found


def changes_of(response: ResponseRecorded, events: Sequence[Event]) -> list[ResponseAmended | ResponseWithdrawn]:
    """The changes that count for a response, oldest first; of equal event ids only the first recorded."""
    by_id: dict[Any, ResponseAmended | ResponseWithdrawn] = {}
    for event in events:
        data = event.data
        if not isinstance(data, ResponseAmended | ResponseWithdrawn) or data.response_id != response.response_id:
            continue
        known = by_id.get(data.event_id)
        if known is None or data.recorded_at < known.recorded_at:
            by_id[data.event_id] = data
    fitting = [
        change for change in by_id.values() if change.account_id == response.account_id and fits(change, response)
    ]
    return sorted(fitting, key=lambda change: (change.recorded_at, change.event_id))


def fits(change: ResponseAmended | ResponseWithdrawn, response: ResponseRecorded) -> bool:
    """A score must be on the scale of its survey."""
    top = {"nps": 10, "csat": 5}[response.survey_type]
    score = change.changes.get("score", top) if isinstance(change, ResponseAmended) else top
    return bool(top - 10 <= score <= top and (response.survey_type == "nps" or score >= 1))


def changed(data: ResponseRecorded, changes: Sequence[ResponseAmended | ResponseWithdrawn], erased: bool) -> Plain:
    """The response after its changes."""
    values = {name: getattr(data, name) for name in ("score", *EMPTY)}
    for change in changes:
        if isinstance(change, ResponseAmended):
            for name, value in change.changes.items():
                values[name] = EMPTY[name] if value is None else value
    gone = any(isinstance(change, ResponseWithdrawn) for change in changes)
    return Plain(data, values, gone, erased, 1 + len(changes))


def world_of(found: dict[str, Plain]) -> World:
    """The answers as the reference of the figures takes them."""
    return World(
        submissions=tuple(
            Submission(
                response_id=response.data.response_id,
                account_id=response.data.account_id,
                stakeholder_id=response.data.stakeholder_id,
                survey_type=response.data.survey_type,
                score=response.values["score"],
                answered_at=response.data.answered_at,
                nps_kind=response.data.nps_kind,
            )
            for response in found.values()
            if response.live
        )
    )


def pairs_of(found: dict[str, Plain]) -> dict[Series, list[Plain]]:
    """The latest live answer of each series and the one before."""
    series: dict[Series, list[Plain]] = {}
    for response in sorted(found.values(), key=lambda response: (response.data.answered_at, response.data.response_id)):
        if response.live:
            series.setdefault(response.series, []).append(response)
    return {key: answers[-2:][::-1] for key, answers in series.items()}


def change_of(pair: Sequence[Plain]) -> str | None:
    """The category change that a pair shows."""
    if pair[0].data.survey_type != "nps":
        return None
    now = category(pair[0].values["score"])
    if len(pair) == 1:
        return f"new_{now}"
    before = category(pair[1].values["score"])
    return None if before == now else f"{before}_to_{now}"


def check_row(row: Mapping[str, Any], expected: Plain) -> None:
    """A row of `responses` is as it should stand."""
    assert row["erased"] is expected.erased
    if expected.erased:
        assert row["stakeholder_id"] != expected.data.stakeholder_id
        assert (row["comment"], row["email"], row["base"]) == (None, None, None)
        return
    assert (row["account_id"], row["stakeholder_id"]) == expected.series[:2]
    assert {name: row[name] for name in expected.values} == expected.values
    assert (row["withdrawn"], row["revision"]) == (expected.withdrawn, expected.revision)


def listen(outgoing: Sequence[Event], *, gaps: bool = False) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """What a reader of score-events knows in the end: series -> latest, previous, change. There are `gaps` in the
    numbers where an erasure has met events that waited in the outbox."""
    heard: dict[tuple[str, ...], tuple[Any, ...]] = {}
    sequences: dict[str, list[int]] = {}
    for event in outgoing:
        data: Any = event.data
        sequences.setdefault(data.account_id, []).append(data.sequence)
        if isinstance(data, StakeholderAnswered):
            latest: Any = (data.response_id, data.answered_at, data.score)
            heard[series(data)] = (latest, named(data.previous), data.change)
        elif isinstance(data, StakeholderAnswerCorrected):
            heard[series(data)] = (named(data.new.latest), named(data.new.previous), data.new.change)
    for numbers in sequences.values():
        assert len(set(numbers)) == len(numbers)
        assert gaps or sorted(numbers) == list(range(1, len(numbers) + 1))
    return heard


def series(data: Any) -> tuple[str, ...]:
    """What an event is about."""
    return data.account_id, data.stakeholder_id, data.survey_type, data.nps_kind


def named(reference: Any) -> tuple[str | None, datetime | None, int | None]:
    """How an event names an answer."""
    if reference is None:
        return None, None, None
    return reference.response_id, reference.answered_at, reference.score
