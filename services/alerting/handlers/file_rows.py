"""Rows of imported files, in alerting's copy: the same rule as the scorer's, by `shared.events.files`."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.alerting.domain.answers import AMENDABLE, AnswerChange, AnswerKey, StoredAnswer
from services.alerting.store import answers as store
from shared.db.directory import own_ids
from shared.db.transaction import ReadTx, WriteTx
from shared.events.envelope import Event
from shared.events.files import NO_DIGESTS, import_of, judge, origin_in
from shared.events.response_fast_reader import PlainResponse, Recorded
from shared.events.responses import ResponseRecorded

Known = dict[AnswerKey, dict[UUID, AnswerChange]]
"""The changes of answers, by their ids."""


class FileRows:
    """The rows of files in a batch: which imports are undone, the changes of the answers that rows are about, whose the
    ids are that they name, and the changes that rows make. `unsaid`: of which fields of an answer given at a moment a
    row says nothing any more."""

    def __init__(
        self,
        undone: set[tuple[UUID, str]],
        known: Known,
        people: Mapping[tuple[str, str], str] | None = None,
        unsaid: Callable[[datetime], Collection[str]] = lambda _: (),
    ) -> None:
        self._undone = undone
        self._known = known
        self._people = people or {}
        self._unsaid = unsaid
        self._made: list[AnswerChange] = []
        self._freed: set[AnswerKey] = set()

    @classmethod
    async def read(
        cls,
        tx: ReadTx,
        events: Sequence[Event],
        found: Mapping[AnswerKey, StoredAnswer],
        unsaid: Callable[[datetime], Collection[str]],
    ) -> "FileRows":
        """What the rows among these events depend on; `found` are the answers that are known. To be read before the
        changes of the batch are stored."""
        imports: set[UUID] = set()
        known: Known = {}
        again, seen = set(found), set()
        for event in events:
            data = event.data
            if not isinstance(data, PlainResponse | ResponseRecorded):
                continue
            key = (data.account_id, data.response_id)
            if key in seen:
                again.add(key)
            seen.add(key)
            import_id = import_of(event.file)
            if import_id is not None:
                imports.add(import_id)
                known[key] = {}
        if not imports:
            return cls(set(), known)
        for key, changes in (await store.changes_by_answer(tx, known.keys() & again)).items():
            known[key] = {change.event_id: change for change in changes}
        people = await own_ids(tx, _people_in(events, again, found))
        return cls(await store.undone_imports(tx, imports), known, people, unsaid)

    def is_undone(self, event: Event) -> bool:
        """Whether the record is of an import that was undone: it is read again."""
        return (import_of(event.file), event.account_id) in self._undone

    def note(self, change: AnswerChange) -> None:
        """A client has changed an answer before the next row."""
        key = (change.account_id, change.response_id)
        if key in self._known:
            self._known[key][change.event_id] = change

    def freed(self, key: AnswerKey) -> None:
        """The answer was undone and is another one now: what files have said of it counts no longer."""
        self._freed.add(key)
        known = self._known.get(key, {})
        self._known[key] = {event_id: change for event_id, change in known.items() if change.import_id is None}

    def changes(self, event: Event, data: Recorded, first: StoredAnswer) -> bool:
        """Whether the record is a row of a file that changes the answer that is known under its id."""
        origin = origin_in(event.file)
        if origin is None:
            return False
        recorded = {**{name: getattr(first.recorded, name) for name in AMENDABLE}, **NO_DIGESTS, **first.digests}
        for name in self._unsaid(first.recorded.answered_at):
            recorded.pop(name, None)
        known = self._known[data.account_id, data.response_id]
        person_id = self._people[data.account_id, data.stakeholder_id]
        subject = first.subject(self._people[data.account_id, first.recorded.stakeholder_id])
        before = [change.change() for change in known.values()]
        judged = judge(origin, data, person_id, subject, recorded, before)
        if judged.change is None:
            return False
        change = AnswerChange.of(judged.change, data.response_id)
        known[change.event_id] = change
        self._made.append(change)
        return True

    async def save(self, tx: WriteTx) -> None:
        """Store the changes that the rows make."""
        await store.forget_of_files(tx, self._freed)
        made = []
        for change in self._made:
            made.append((change, None))
        await store.add_changes(tx, made)


def _people_in(
    events: Iterable[Event], again: Collection[AnswerKey], found: Mapping[AnswerKey, StoredAnswer]
) -> Iterator[tuple[str, str]]:
    """The people, by account, whom answers name of which there is more than one record."""
    for stored in found.values():
        yield stored.recorded.account_id, stored.recorded.stakeholder_id
    for event in events:
        data = event.data
        if isinstance(data, PlainResponse | ResponseRecorded) and (data.account_id, data.response_id) in again:
            yield data.account_id, data.stakeholder_id


def is_free(first: StoredAnswer, recorded_at: datetime) -> bool:
    """Whether the answer was undone before another record of its id was recorded."""
    return first.undone_at is not None and first.undone_at <= recorded_at
