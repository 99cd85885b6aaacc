"""Rows of imported files as events, and what becomes of them by plain rules: a model to hold services against."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from shared.events.envelope import Event
from shared.events.files import Mode, Origin
from shared.events.responses import ImportUndone, ResponseAmended, ResponseRecorded, ResponseWithdrawn
from shared.ids import uuid7
from shared.topics import IMPORT_UNDONE, RESPONSE_AMENDED, RESPONSE_WITHDRAWN
from tests.support.events import NOW, recorded

FIELDS: Mapping[str, Sequence[Any]] = {
    "score": [2, 9],
    "comment": ["good", "bad"],
    "touchpoint": ["support"],
    "attributes": [{"plan": "gold"}],
    "follow_up_requested": [True, False],
}
ANNS_OTHER_ID = "A-1"
"""An id that the directory has as another one of `ann`."""
_LAST = 1 << 40
"""A call that is as old as a row to the microsecond stands over it."""
DEFAULTS: Mapping[str, Any] = {"comment": None, "touchpoint": None, "attributes": {}, "follow_up_requested": False}


def row(origin: Origin, response_id: str, account_id: str = "acme", quiet: bool = True, **fields: Any) -> Event:
    """A row of a file as the collector publishes it: a response whose header names the row."""
    sent = ("account_id", "stakeholder_id", "survey_type", *(name for name in fields if name != "recorded_at"))
    values = {"score": 9} | fields
    event = recorded(response_id, account_id, sent=tuple(dict.fromkeys((*sent, "score"))), quiet=quiet, **values)
    return event.of_file(origin.header())


def amendment(response_id: str, account_id: str, at: datetime, changes: Mapping[str, Any]) -> Event:
    """A response.amended event."""
    data = ResponseAmended(
        event_id=uuid7(), response_id=response_id, account_id=account_id, changes=dict(changes), recorded_at=at
    )
    return Event(data.event_id, RESPONSE_AMENDED, "/tests", at, account_id, data)


def withdrawal(response_id: str, account_id: str, at: datetime) -> Event:
    """A response.withdrawn event."""
    data = ResponseWithdrawn(event_id=uuid7(), response_id=response_id, account_id=account_id, recorded_at=at)
    return Event(data.event_id, RESPONSE_WITHDRAWN, "/tests", at, account_id, data)


def undone(import_id: UUID, account_id: str, at: datetime) -> Event:
    """An import.undone event."""
    data = ImportUndone(event_id=uuid7(), import_id=import_id, account_id=account_id, recorded_at=at)
    return Event(data.event_id, IMPORT_UNDONE, "/tests", at, account_id, data)


def _person(data: ResponseRecorded) -> str:
    if data.stakeholder_id == ANNS_OTHER_ID:
        return "ann"
    return data.stakeholder_id


@dataclass
class First:
    """A response as the model keeps it: the first of its id, and whatever was said of it since."""

    person: str
    values: dict[str, Any]
    import_id: UUID | None
    said: list[tuple[int, datetime, int, dict[str, Any], UUID | None]] = field(default_factory=list)

    def live(self) -> dict[str, Any]:
        values = dict(self.values)
        for _, _, _, fields, _ in sorted(self.said, key=lambda said: said[:3]):
            values |= fields
        return values


@dataclass
class Model:
    """What a log about one account comes to, record by record, by rules that are as plain as they can be."""

    found: dict[str, First] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)
    calls: dict[str, list[tuple[int, datetime, int, dict[str, Any], UUID | None]]] = field(default_factory=dict)
    outcomes: dict[UUID, Counter[str]] = field(default_factory=dict)

    def read(self, event: Event, origin: Origin | None) -> None:
        data = event.data
        if isinstance(data, ResponseRecorded):
            outcome = self._row(data, origin)
            if origin is not None:
                self.outcomes.setdefault(origin.import_id, Counter())[outcome] += 1
        elif isinstance(data, ResponseAmended):
            said = (1, data.recorded_at, _LAST, data.changes, None)
            self.calls.setdefault(data.response_id, []).append(said)
            if data.response_id in self.found:
                self.found[data.response_id].said.append(said)
        elif isinstance(data, ResponseWithdrawn):
            self.withdrawn.add(data.response_id)
        elif isinstance(data, ImportUndone):
            for response_id, first in self.found.items():
                first.said = [said for said in first.said if said[4] != data.import_id]
                if first.import_id == data.import_id:
                    self.undone.add(response_id)

    def _row(self, data: ResponseRecorded, origin: Origin | None) -> str:
        fields = {name: getattr(data, name) for name in data.sent if name in FIELDS}
        first = self.found.get(data.response_id)
        if first is None or data.response_id in self.undone:
            self.undone.discard(data.response_id)
            values = {**DEFAULTS, **fields}
            import_id = origin.import_id if origin is not None else None
            self.found[data.response_id] = First(_person(data), values, import_id)
            self.found[data.response_id].said += self.calls.get(data.response_id, [])
            return "new"
        if origin is None:
            return "repeat"
        if first.person != _person(data) or data.response_id in self.withdrawn:
            return "conflict"
        before = first.live()
        differing = {name for name in fields if before[name] != fields[name]}
        if origin.mode == "only_new":
            return "kept" if differing else "same"
        rank = 1 if origin.mode == "overwrite" else 0
        first.said.append((rank, origin.written_at, origin.line, fields, origin.import_id))
        after = first.live()
        if any(after[name] == fields[name] for name in differing):
            return "amended"
        return "kept" if differing else "same"

    def state(self) -> dict[str, dict[str, Any] | None]:
        """Response → its live values; None where it counts no longer."""
        return {
            response_id: None if response_id in self.withdrawn | self.undone else first.live()
            for response_id, first in self.found.items()
        }


def history(seed: int, account_id: str) -> list[tuple[Event, Origin | None]]:
    """Files, calls and undoings about some responses of an account, in the order in which the log has them. As the
    collector sees to it, files come one after the other, and one that was written before another is `only_new`."""
    random = Random(seed)
    log: list[tuple[Event, Origin | None]] = []
    ids = [f"{account_id}-{number}" for number in range(2)]
    imports: list[UUID] = []
    newest = NOW

    def some() -> dict[str, Any]:
        return {name: random.choice(values) for name, values in FIELDS.items() if random.random() < 0.5}

    for step in range(random.randint(6, 20)):
        at = NOW + timedelta(minutes=step)
        action = random.random()
        if action < 0.5:
            written_at = at - timedelta(minutes=random.choice([0, 0, 0, 3]), seconds=-step)
            mode: Mode = random.choice(["upsert", "upsert", "upsert", "only_new", "overwrite"])
            if mode == "upsert" and written_at < newest:
                mode = "only_new"
            newest = max(newest, written_at)
            imports.append(uuid7())
            for line in range(2, random.randint(3, 6)):
                origin = Origin(imports[-1], line, mode, written_at)
                person = random.choice(["ann", "ann", ANNS_OTHER_ID, "bob"])
                fields = {"score": random.choice(FIELDS["score"])} | some()
                response_id = random.choice(ids)
                event = row(origin, response_id, account_id, recorded_at=at, stakeholder_id=person, **fields)
                log.append((event, origin))
        elif action < 0.6:
            sent = ("account_id", "stakeholder_id", "survey_type", "score")
            log.append((recorded(random.choice(ids), account_id, score=7, sent=sent, recorded_at=at), None))
        elif action < 0.8:
            changes = some() or {"comment": None}
            log.append((amendment(random.choice(ids), account_id, at, changes), None))
        elif action < 0.85:
            log.append((withdrawal(random.choice(ids), account_id, at), None))
        elif imports:
            log.append((undone(random.choice(imports), account_id, at), None))
    return log
