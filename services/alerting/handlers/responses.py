"""Topic responses: alerting keeps each answer as a fact and for its comment, and has judged whom it concerns.

What contradicts a stored answer is judged and shown by the scorer; here the first of its account stands and another
with the same id is a repeat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerting.courier.doors import messages, subscribed_types
from services.alerting.domain.answers import AMENDABLE, AnswerChange, Kept, live_answer
from services.alerting.domain.notices import Announcement, is_praise
from services.alerting.domain.people import FRESH, Answer
from services.alerting.handlers.judging import Batch, Told, judge
from services.alerting.handlers.notices import announce
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.world import World
from services.alerting.store import answers as store
from shared.db.transaction import WriteTx
from shared.erasure import Subject as SubjectName
from shared.events.envelope import Event
from shared.events.posted import posted
from shared.events.responses import ResponseAmended, ResponseRecorded, ResponseWithdrawn
from shared.ids import derived_uuid
from shared.verdicts import CHANGE, NEW, PENDING, REPEAT, BatchHandler, Received, Verdict

Key = tuple[str, str]
EARLY = timedelta(days=30)
"""How long an amendment waits for its answer: no longer than an erasure may take, since it may hold the words of
somebody who was erased, and says no name."""
MOST_EARLY = 100_000
"""Amendments of one sender that may wait for their answers."""
DROPPED_AT_ONCE = 50_000
"""Of those beyond it: one statement has 10 s."""


@dataclass(slots=True)
class Sorting:
    """The records of a batch while their verdicts are found."""

    answers: dict[Key, Kept]
    new_changes: set[UUID]
    erased: dict[str, datetime]
    subject: SubjectName
    touched: dict[Key, Event] = field(default_factory=dict)
    created: dict[Key, Event] = field(default_factory=dict)
    dropped: set[Key] = field(default_factory=set)
    overtaken: set[Key] = field(default_factory=set)

    def verdict(self, event: Event) -> Verdict:
        """What becomes of one record; a new answer is remembered."""
        data = event.data
        if isinstance(data, ResponseRecorded):
            return self._recorded(event, data)
        key = _key(event)
        if key in self.dropped or key in self.overtaken:
            return CHANGE
        if event.id not in self.new_changes:
            return REPEAT
        self.new_changes.discard(event.id)
        if key not in self.answers:
            return PENDING
        self.touched[key] = event
        return CHANGE

    def _recorded(self, event: Event, data: ResponseRecorded) -> Verdict:
        key = _key(event)
        if key in self.answers or key in self.dropped:
            return REPEAT
        until = self.erased.get(self.subject(data.account_id, data.stakeholder_id))
        if until is not None and data.recorded_at <= until:
            self.overtaken.add(key)
            return CHANGE
        answer = answer_of(data)
        self.answers[key] = Kept(answer, answer, data.recorded_at, posted=posted(vars(data)))
        self.touched[key] = self.created[key] = event
        return NEW


def record_responses(resources: Resources) -> BatchHandler:
    """The handler of answers, amendments and withdrawals."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        events = [record.event for record in records]
        stored = await store.answers_by_id(tx, map(_key, events))
        before = {key: kept.live for key, kept in stored.items()}
        dropped = await store.dropped_answers(tx, map(_key, events))
        changes = []
        for event in events:
            change = change_of(event)
            if change is not None and _key(event) not in dropped:
                changes.append((change, event.sender))
        new_changes = await store.add_changes(tx, changes)
        erased = await _erased(tx, resources, events)
        sorting = Sorting(stored, new_changes, erased, resources.subject, dropped=dropped)
        verdicts = [sorting.verdict(event) for event in events]
        await _save(tx, sorting)
        await store.drop_answers(tx, sorting.overtaken)
        await _praise(tx, resources, sorting, before)
        await _judge(tx, resources, sorting, before)
        return verdicts

    return handle


async def _erased(tx: WriteTx, resources: Resources, events: Sequence[Event]) -> dict[str, datetime]:
    """The newest erasure, by keyed hash, of each person of whom an answer was recorded."""
    subjects = []
    for event in events:
        if isinstance(event.data, ResponseRecorded):
            subjects.append(resources.subject(event.data.account_id, event.data.stakeholder_id))
    if not subjects:
        return {}
    return await store.erased_at(tx, subjects)


async def _save(tx: WriteTx, sorting: Sorting) -> None:
    if not sorting.touched:
        return
    changes = await store.changes_by_answer(tx, sorting.touched)
    for key in sorting.touched:
        kept = sorting.answers[key]
        sorting.answers[key] = replace(kept, live=live_answer(kept.recorded, changes.get(key, ()), kept.posted))
    await store.save_answers(tx, [sorting.answers[key] for key in sorting.touched])


async def _judge(tx: WriteTx, resources: Resources, sorting: Sorting, before: Mapping[Key, Answer]) -> None:
    """Whoever answered is judged anew, open follow-ups hear of new words, and whoever subscribed, of answers."""
    batch = Batch()
    for key, event in sorting.touched.items():
        kept = sorting.answers[key]
        comment_before = None
        if key in before:
            comment_before = before[key].comment
        if kept.live.comment != comment_before:
            batch.comments[key] = (event.id, event.time)
        person = (kept.live.account_id, kept.live.stakeholder_id)
        if _may_open(kept, resources):
            batch.fresh.add(person)
        else:
            batch.others.add(person)
    for key in await _news(tx, sorting, before):
        batch.told.append(_told_of_answer(sorting, sorting.answers[key].live, before.get(key)))
    await judge(tx, resources, batch)


def _may_open(kept: Kept, resources: Resources) -> bool:
    """Whether a follow-up may come of it that is not there yet."""
    return kept.counts and kept.is_fresh and resources.clock.now() - kept.live.answered_at <= FRESH


async def _praise(tx: WriteTx, resources: Resources, sorting: Sorting, before: Mapping[Key, Answer]) -> None:
    """What promoters say, as soon as they say it, for whoever wants to hear it; it makes no follow-up."""
    praises = []
    for key in sorting.touched:
        kept = sorting.answers[key]
        had_comment = key in before and before[key].comment
        if kept.is_fresh and is_praise(kept.live) and not had_comment:
            praises.append(key)
    if not praises:
        return
    world = await World.read(tx, [(account_id, None) for account_id, _ in praises], ())
    news = []
    for account_id, response_id in praises:
        event_id = derived_uuid("praise", account_id, response_id)
        owner = world.account(account_id).owner
        news.append(Announcement("praise", event_id, account_id, "low", (owner,), response_id=response_id))
    await announce(tx, resources, world, news)


async def _news(tx: WriteTx, sorting: Sorting, before: Mapping[Key, Answer]) -> list[Key]:
    """The answers for which an endpoint has subscribed to a message: fresh, no test, and other than before."""
    subscribed = await subscribed_types(tx, (messages.SURVEY_RESPONSE_CREATED, messages.SURVEY_RESPONSE_UPDATED))
    if not subscribed:
        return []
    keys = []
    for key in sorting.touched:
        kept = sorting.answers[key]
        message_type = messages.SURVEY_RESPONSE_UPDATED
        if key in sorting.created:
            message_type = messages.SURVEY_RESPONSE_CREATED
        if message_type in subscribed and kept.is_fresh and not kept.live.test and kept.live != before.get(key):
            keys.append(key)
    return keys


def _told_of_answer(sorting: Sorting, answer: Answer, before: Answer | None) -> Told:
    key = (answer.account_id, answer.response_id)
    whose = (answer.account_id, answer.stakeholder_id, answer.response_id)
    if key in sorting.created:
        event_id = derived_uuid("created", answer.response_id)
        return Told(messages.SURVEY_RESPONSE_CREATED, event_id, sorting.created[key].time, *whose)
    event = sorting.touched[key]
    kind, amended = "amended", []
    if answer.withdrawn:
        kind = "withdrawn"
    if before is not None:
        amended = [name for name in AMENDABLE if getattr(before, name) != getattr(answer, name)]
    change = {"kind": kind, "response_id": answer.response_id, "fields": amended}
    return Told(messages.SURVEY_RESPONSE_UPDATED, event.id, event.time, *whose, change)


def answer_of(data: ResponseRecorded) -> Answer:
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


def _key(event: Event) -> Key:
    data = event.data
    if not isinstance(data, ResponseRecorded | ResponseAmended | ResponseWithdrawn):
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
