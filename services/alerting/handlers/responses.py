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
    """The records of a batch while they are told apart."""

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
        known = await store.answers_by_id(tx, map(_key, events))
        before = {key: kept.live for key, kept in known.items()}
        dropped = await store.dropped_answers(tx, map(_key, events))
        changes = [
            (change, event.sender)
            for event in events
            if _key(event) not in dropped and (change := change_of(event)) is not None
        ]
        subjects = [
            resources.subject(event.data.account_id, event.data.stakeholder_id)
            for event in events
            if isinstance(event.data, ResponseRecorded)
        ]
        sorting = Sorting(
            known,
            await store.add_changes(tx, changes),
            await store.erased_at(tx, subjects) if subjects else {},
            resources.subject,
            dropped=dropped,
        )
        verdicts = [sorting.verdict(event) for event in events]
        await _save(tx, sorting)
        await store.drop_answers(tx, sorting.overtaken)
        await _praise(tx, resources, sorting, before)
        await _judge(tx, resources, sorting, before)
        return verdicts

    return handle


async def _save(tx: WriteTx, sorting: Sorting) -> None:
    changes = await store.changes_by_answer(tx, sorting.touched) if sorting.touched else {}
    for key in sorting.touched:
        kept = sorting.answers[key]
        sorting.answers[key] = replace(kept, live=live_answer(kept.recorded, changes.get(key, ()), kept.posted))
    await store.save_answers(tx, [sorting.answers[key] for key in sorting.touched])


async def _judge(tx: WriteTx, resources: Resources, sorting: Sorting, before: Mapping[Key, Answer]) -> None:
    """Whoever answered is judged anew, open follow-ups hear of new words, and whoever subscribed, of answers."""
    batch = Batch()
    for key, event in sorting.touched.items():
        kept = sorting.answers[key]
        said = before[key].comment if key in before else None
        if kept.live.comment != said:
            batch.comments[key] = (event.id, event.time)
        concerned = batch.fresh if _may_open(kept, resources) else batch.others
        concerned.add((key[0], kept.live.stakeholder_id))
    for key in await _news(tx, sorting, before):
        batch.told.append(_told_of_answer(sorting, sorting.answers[key].live, before.get(key)))
    await judge(tx, resources, batch)


def _may_open(kept: Kept, resources: Resources) -> bool:
    """Whether a follow-up may come of it that is not there yet."""
    return kept.counts and kept.is_fresh and resources.clock.now() - kept.live.answered_at <= FRESH


async def _praise(tx: WriteTx, resources: Resources, sorting: Sorting, before: Mapping[Key, Answer]) -> None:
    """What promoters say, as soon as they say it, for whoever wants to hear it; it makes no follow-up."""
    said = []
    for key in sorting.touched:
        kept = sorting.answers[key]
        if kept.is_fresh and is_praise(kept.live) and not (key in before and before[key].comment):
            said.append(key)
    if not said:
        return
    world = await World.read(tx, [(account_id, None) for account_id, _ in said], ())
    news = [
        Announcement(
            "praise",
            derived_uuid("praise", *key),
            key[0],
            "low",
            (world.account(key[0]).owner,),
            response_id=key[1],
        )
        for key in said
    ]
    await announce(tx, resources, world, news)


async def _news(tx: WriteTx, sorting: Sorting, before: Mapping[Key, Answer]) -> list[Key]:
    """The answers that somebody may want to hear of: live, fresh, loud, and other than before."""
    wanted = await subscribed_types(tx, (messages.SURVEY_RESPONSE_CREATED, messages.SURVEY_RESPONSE_UPDATED))
    found = []
    for key in sorting.touched if wanted else ():
        kept = sorting.answers[key]
        told = messages.SURVEY_RESPONSE_CREATED if key in sorting.created else messages.SURVEY_RESPONSE_UPDATED
        if told in wanted and kept.is_fresh and not kept.live.test and kept.live != before.get(key):
            found.append(key)
    return found


def _told_of_answer(sorting: Sorting, answer: Answer, before: Answer | None) -> Told:
    key = (answer.account_id, answer.response_id)
    whose = (answer.account_id, answer.stakeholder_id, answer.response_id)
    if key in sorting.created:
        event_id = derived_uuid("created", answer.response_id)
        return Told(messages.SURVEY_RESPONSE_CREATED, event_id, sorting.created[key].time, *whose)
    event = sorting.touched[key]
    change = {
        "kind": "withdrawn" if answer.withdrawn else "amended",
        "response_id": answer.response_id,
        "fields": [name for name in AMENDABLE if before and getattr(before, name) != getattr(answer, name)],
    }
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
