"""Topic responses: alerting keeps each answer as a fact and for its comment, and evaluates the rules for its person.

The scorer decides on records that contradict a stored answer, and shows them. Here the first record of an id counts,
and further ones are repeats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import compress
from uuid import UUID

from services.alerting.courier.interface import messages
from services.alerting.domain.answers import AMENDABLE, AnswerChange, AnswerKey, StoredAnswer, folded
from services.alerting.domain.notices import Announcement, is_praise
from services.alerting.domain.people import FRESH, Answer
from services.alerting.handlers.context import Context
from services.alerting.handlers.evaluation import EvaluationRequest, MessageRequest
from services.alerting.handlers.file_rows import FileRows, is_free
from services.alerting.handlers.notices import announce
from services.alerting.handlers.recording import Recorder
from services.alerting.handlers.resources import Resources
from services.alerting.store import answers as store
from shared.db.directory import own_ids
from shared.db.erasures import Person
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.files import digests_of, import_of
from shared.events.posted import posted
from shared.events.response_fast_reader import PlainResponse, Recorded
from shared.events.responses import ResponseAmended, ResponseRecorded, ResponseWithdrawn
from shared.ids import derived_uuid
from shared.verdicts import CHANGE, NEW, PENDING, REPEAT, Received, Verdict

EARLY = timedelta(days=30)
"""How long an amendment waits for its answer: no longer than an erasure may take, since it may hold the words of
somebody who was erased, and says no name."""
MOST_EARLY = 100_000
"""Amendments of one sender that may wait for their answers."""
DROPPED_AT_ONCE = 50_000
"""How many amendments beyond `MOST_EARLY` one statement deletes: it has 10 s."""


@dataclass(slots=True)
class ResponseBatch:
    """The records of one batch, with the answers that their verdicts depend on. `erased`: the events that an erasure
    has overtaken. `quietly`: answers that only rows of a
    quiet file, or an undoing, have touched: they are kept, and nothing comes of them."""

    answers: dict[AnswerKey, StoredAnswer]
    new_changes: set[UUID]
    erased: set[UUID]
    files: FileRows
    touched: dict[AnswerKey, Event] = field(default_factory=dict)
    created: dict[AnswerKey, Event] = field(default_factory=dict)
    dropped: set[AnswerKey] = field(default_factory=set)
    overtaken: set[AnswerKey] = field(default_factory=set)
    quietly: set[AnswerKey] = field(default_factory=set)

    def verdict(self, event: Event) -> Verdict:
        """The verdict on one record; notes a new answer."""
        data = event.data
        if isinstance(data, PlainResponse | ResponseRecorded):
            return self._recorded(event, data)
        key = _key(event)
        if key in self.dropped or key in self.overtaken:
            return CHANGE
        if event.id not in self.new_changes:
            return REPEAT
        self.new_changes.discard(event.id)
        change = change_of(event)
        if change is not None:
            self.files.note(change)
        if key not in self.answers:
            return PENDING
        self.touch(key, event)
        return CHANGE

    def touch(self, key: AnswerKey, event: Event, *, quietly: bool = False) -> None:
        """The answer is new or another."""
        if not quietly:
            self.quietly.discard(key)
        elif key not in self.touched:
            self.quietly.add(key)
        self.touched[key] = event

    def _recorded(self, event: Event, data: Recorded) -> Verdict:
        key = _key(event)
        if key in self.dropped or self.files.is_undone(event):
            return REPEAT
        first = self.answers.get(key)
        if first is not None and not is_free(first, data.recorded_at):
            return self._again(event, data, first)
        if event.id in self.erased:
            self.overtaken.add(key)
            return CHANGE
        answer = answer_of(data)
        self.answers[key] = StoredAnswer(
            answer,
            answer,
            data.recorded_at,
            posted=posted(data.model_dump()),
            digests=digests_of(data),
            import_id=import_of(event.file),
        )
        self.touch(key, event)
        if first is not None:
            self.files.freed(key)
            return CHANGE
        self.created[key] = event
        return NEW

    def _again(self, event: Event, data: Recorded, first: StoredAnswer) -> Verdict:
        """A record whose id is known is a repeat, unless a row of a file changes the answer."""
        if not self.files.changes(event, data, first):
            return REPEAT
        self.touch(_key(event), event, quietly=data.quiet)
        return CHANGE


def record_responses(resources: Resources) -> Recorder:
    """The recorder of answers, amendments and withdrawals."""

    async def handle(tx: WriteTx, records: Sequence[Received], request: EvaluationRequest) -> Sequence[Verdict]:
        events = [record.event for record in records]
        found = await store.answers_by_id(tx, map(_key, events))
        before = {key: stored.live for key, stored in found.items()}
        dropped = await store.dropped_answers(tx, map(_key, events))
        unsaid = partial(resources.retention.unsaid, now=resources.clock.now())
        files = await FileRows.read(tx, events, found, unsaid)
        changes = []
        for event in events:
            change = change_of(event)
            if change is not None and _key(event) not in dropped:
                changes.append((change, event.sender))
        new_changes = await store.add_changes(tx, changes)
        erased = await _erased(tx, resources, events)
        batch = ResponseBatch(found, new_changes, erased, files, dropped=dropped)
        verdicts = [batch.verdict(event) for event in events]
        await files.save(tx)
        await store.drop_answers(tx, batch.overtaken)
        await settle(tx, resources, batch, before, request)
        return verdicts

    return handle


async def _erased(tx: WriteTx, resources: Resources, events: Sequence[Event]) -> set[UUID]:
    """The events about answers that were given or recorded before their person was erased."""
    people: list[Person] = []
    recorded: list[UUID] = []
    for event in events:
        data = event.data
        if isinstance(data, PlainResponse | ResponseRecorded):
            people.append((data.account_id, data.stakeholder_id, min(data.recorded_at, data.answered_at)))
            recorded.append(event.id)
    return set(compress(recorded, await resources.journal.overtaken(tx, people)))


async def settle(
    tx: WriteTx,
    resources: Resources,
    batch: ResponseBatch,
    before: Mapping[AnswerKey, Answer],
    request: EvaluationRequest,
) -> None:
    """Save the answers that were touched, and act on what they are now."""
    await _save(tx, batch)
    await _praise(tx, resources, batch, before)
    for key in batch.touched:
        if key not in batch.quietly:
            _wake(request, resources, batch, key, before.get(key))


async def _save(tx: WriteTx, batch: ResponseBatch) -> None:
    if not batch.touched:
        return
    changes = await store.changes_by_answer(tx, batch.touched)
    given = {key: (key[0], batch.answers[key].recorded.stakeholder_id) for key in changes}
    people = await own_ids(tx, given.values())
    for key, changed in changes.items():
        batch.answers[key] = folded(batch.answers[key], changed, people[given[key]])
    await store.save_answers(tx, [batch.answers[key] for key in batch.touched])


def _wake(
    request: EvaluationRequest, resources: Resources, batch: ResponseBatch, key: AnswerKey, before: Answer | None
) -> None:
    """Add whoever answered, a comment that has changed, and the message about the answer to the request."""
    stored, event = batch.answers[key], batch.touched[key]
    comment_before = None
    if before is not None:
        comment_before = before.comment
    if stored.live.comment != comment_before:
        request.comments[key] = (event.id, event.time)
    person = (stored.live.account_id, stored.live.stakeholder_id)
    if _may_open(stored, resources):
        request.fresh.add(person)
    else:
        request.others.add(person)
    if stored.is_fresh and not stored.live.test and stored.live != before:
        request.messages.append(_message_about(batch, stored.live, before))


def _may_open(stored: StoredAnswer, resources: Resources) -> bool:
    """Whether a follow-up may come of it that is not there yet."""
    return stored.counts and stored.is_fresh and resources.clock.now() - stored.live.answered_at <= FRESH


async def _praise(tx: WriteTx, resources: Resources, batch: ResponseBatch, before: Mapping[AnswerKey, Answer]) -> None:
    """Announce the comments of promoters to the notifications for praise; no follow-up opens."""
    praises = []
    for key in batch.touched:
        stored = batch.answers[key]
        had_comment = key in before and before[key].comment
        if key not in batch.quietly and stored.is_fresh and is_praise(stored.live) and not had_comment:
            praises.append(key)
    if not praises:
        return
    context = await Context.read(tx, [(account_id, None) for account_id, _ in praises], ())
    announcements = []
    for account_id, response_id in praises:
        event_id = derived_uuid("praise", account_id, response_id)
        owner = context.account(account_id).owner
        announcements.append(Announcement("praise", event_id, account_id, "low", (owner,), response_id=response_id))
    await announce(tx, resources, context, announcements)


def _message_about(batch: ResponseBatch, answer: Answer, before: Answer | None) -> MessageRequest:
    key = (answer.account_id, answer.response_id)
    whose = (answer.account_id, answer.stakeholder_id, answer.response_id)
    if key in batch.created:
        event_id = derived_uuid("created", answer.response_id)
        return MessageRequest(messages.SURVEY_RESPONSE_CREATED, event_id, batch.created[key].time, *whose)
    event = batch.touched[key]
    kind, amended = "amended", []
    if answer.withdrawn:
        kind = "withdrawn"
    if before is not None:
        amended = [name for name in AMENDABLE if getattr(before, name) != getattr(answer, name)]
    change = {"kind": kind, "response_id": answer.response_id, "fields": amended}
    return MessageRequest(messages.SURVEY_RESPONSE_UPDATED, event.id, event.time, *whose, change)


def answer_of(data: Recorded) -> Answer:
    """The part of a response that alerting keeps."""
    return Answer(
        account_id=data.account_id,
        response_id=data.response_id,
        stakeholder_id=data.stakeholder_id,
        survey_type=data.survey_type,
        score=data.score,
        answered_at=data.answered_at,
        nps_kind=data.nps_kind,
        comment=data.comment,
        touchpoint=data.touchpoint,
        product=data.product,
        follow_up_requested=data.follow_up_requested,
        language=data.language,
        quiet=data.quiet,
        test=data.test,
    )


def change_of(event: Event) -> AnswerChange | None:
    """An amendment or withdrawal as a change; None for an answer."""
    data = event.data
    if isinstance(data, ResponseAmended):
        return AnswerChange(
            event.id,
            data.account_id,
            data.response_id,
            data.stakeholder_id,
            "amended",
            data.recorded_at,
            data.changes,
            data.survey_type,
            data.posted,
        )
    if isinstance(data, ResponseWithdrawn):
        return AnswerChange(event.id, data.account_id, data.response_id, None, "withdrawn", data.recorded_at)
    return None


def _key(event: Event) -> AnswerKey:
    data = event.data
    if not isinstance(data, PlainResponse | ResponseRecorded | ResponseAmended | ResponseWithdrawn):
        raise TypeError(f"not a response event: {event.name}")
    return data.account_id, data.response_id


async def give_up_early(tx: WriteTx, resources: Resources, most: int = MOST_EARLY) -> int:
    """Delete amendments whose answer has not come in all this time, and those that are too many of one sender; returns
    how many."""
    given_up = await store.forget_early_amendments(tx, resources.clock.now() - EARLY)
    dropped = DROPPED_AT_ONCE
    while dropped == DROPPED_AT_ONCE:
        dropped = await store.forget_early_beyond(tx, most, DROPPED_AT_ONCE)
        given_up += dropped
    return given_up
