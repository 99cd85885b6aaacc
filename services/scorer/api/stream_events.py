"""What a stream sends: events of the scorer's topics as server-sent events, and the position as their id."""

import json
import re
from collections.abc import Mapping
from typing import Any

from services.scorer.domain.changes import categories_of
from shared.db.erasures import Person
from shared.errors import Invalid
from shared.events.envelope import Event
from shared.events.scores import (
    AccountClassChanged,
    AccountScoreChanged,
    AccountScoreDropped,
    AnswerPair,
    StakeholderAnswerCorrected,
    StakeholderAnswered,
)
from shared.kafka.tail import Place, Positions
from shared.topics import ACCOUNT_SCORES, SCORE_EVENTS

TOPICS = (ACCOUNT_SCORES, SCORE_EVENTS)
CATEGORY_CHANGED = "stakeholder.category_changed"
MAX_ID_LENGTH = 4_000
_POSITION = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})*_[0-9]{1,18}(?:\.[0-9]{1,18})*")
_SCORE = ("nps", "nps_rounded", "response_count", "stakeholder_count", "change")


def position_id(positions: Mapping[Place, int]) -> str:
    """The position vector as an id: the offsets of each topic by partition, `12.0.7_3.4.1`."""
    offsets: dict[str, list[str]] = {topic.name: [] for topic in TOPICS}
    for topic, partition in sorted(positions):
        offsets[topic].append(str(positions[topic, partition]))
    return "_".join(".".join(of_topic) for of_topic in offsets.values())


def position_of(text: str, known: Mapping[Place, int]) -> Positions:
    """The position that an id says. Raises `Invalid` for anything else, also for another number of partitions."""
    found: dict[Place, int] = {}
    if len(text) <= MAX_ID_LENGTH and _POSITION.fullmatch(text):
        for topic, offsets in zip(TOPICS, text.split("_"), strict=True):
            for partition, offset in enumerate(offsets.split(".")):
                found[topic.name, partition] = int(offset)
    if found.keys() != known.keys():
        problem = {"field": "Last-Event-ID", "code": "invalid_position", "detail": "is no id that this stream gave"}
        raise Invalid("invalid_position", "Last-Event-ID is no id that this stream gave", errors=[problem])
    return found


def streamed(event: Event) -> tuple[str, dict[str, Any]] | None:
    """(name, data) of what is a change of a score or a category; None for the rest."""
    match event.data:
        case AccountScoreChanged() as data:
            return event.name, _score(data)
        case StakeholderAnswered(change=str()) as data:
            return CATEGORY_CHANGED, _change(event, data)
        case StakeholderAnswerCorrected(survey_type="nps") as data if _stand(data.old) != _stand(data.new):
            names = ("account_id", "stakeholder_id", "nps_kind", "response_id", "cause", "recorded_at", "sequence")
            found = data.model_dump(mode="json", include=set(names))
            return event.name, found | {"old": _stand(data.old), "new": _stand(data.new)}
        case AccountScoreDropped() as data:
            return event.name, data.model_dump(mode="json")
        case AccountClassChanged() as data:
            return event.name, data.model_dump(mode="json")
    return None


def person_of(event: Event) -> Person | None:
    """The person whom a streamed event names, and when it was recorded, or the answer given, if that was earlier; None
    where it names nobody, or takes an answer back because its person was erased."""
    match event.data:
        case StakeholderAnswered() as data:
            return data.account_id, data.stakeholder_id, min(data.recorded_at, data.answered_at)
        case StakeholderAnswerCorrected() as data if data.cause != "erased":
            return data.account_id, data.stakeholder_id, data.recorded_at
    return None


def as_text(name: str, data: Mapping[str, Any], position: str) -> str:
    """One server-sent event."""
    return f"id: {position}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


def _score(data: AccountScoreChanged) -> dict[str, Any]:
    scores: dict[str, dict[str, Any]] = {}
    for window, by_method in data.figures.items():
        scores[window] = {}
        for method, figures in by_method.items():
            scores[window][method] = {name: figures[name] for name in _SCORE}
    found = data.model_dump(mode="json", include={"account_id", "sequence", "computed_at"})
    return found | {"class": data.account_class, "scores": scores}


def _change(event: Event, data: StakeholderAnswered) -> dict[str, Any]:
    """As /v1/changes shows it."""
    before, now = categories_of(str(data.change))
    found = data.model_dump(mode="json")
    previous = found["previous"] or {}
    return {
        "event_id": str(event.id),
        "kind": data.change,
        "account_id": found["account_id"],
        "stakeholder_id": found["stakeholder_id"],
        "nps_kind": found["nps_kind"],
        "from": before,
        "to": now,
        "from_score": previous.get("score"),
        "to_score": data.score,
        "response_id": data.response_id,
        "previous_response_id": previous.get("response_id"),
        "changed_at": found["answered_at"],
        "recorded_at": found["recorded_at"],
        "sequence": data.sequence,
    }


def _stand(pair: AnswerPair) -> dict[str, Any]:
    if pair.latest is None:
        return {"score": None, "category": None, "change": pair.change}
    return {"score": pair.latest.score, "category": pair.latest.category, "change": pair.change}
