"""Score-events: what the scorer noticed becomes follow-ups and messages, each event once."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from services.alerting.domain import messages
from services.alerting.domain.lifecycle import close
from services.alerting.domain.payloads import Subject
from services.alerting.domain.rules import Rule
from services.alerting.domain.tasks import SYSTEM, Change, Closing, Task
from services.alerting.handlers.bursts import Bursts
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.chances import drop_chances
from services.alerting.handlers.corrections import Correction, category_of_ref
from services.alerting.handlers.facts import trigger_of
from services.alerting.handlers.recoveries import tell, tie, untie
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.rules import rules_in_force
from services.alerting.handlers.triggers import act_on
from services.alerting.store.answers import erased_at
from services.alerting.store.tasks import closed_with_score
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.scores import AccountScoreDropped, StakeholderAnswerCorrected, StakeholderAnswered
from shared.verdicts import CHANGE, NEW, REPEAT, BatchHandler, Received, Verdict

Key = tuple[str, str]


def record_score_events(resources: Resources) -> BatchHandler:
    """The handler of everything on the topic score-events."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        events = [record.event for record in records]
        await tx.lock_accounts({event.account_id for event in events})
        verdicts = await _sorted_out(tx, events, resources.subject)
        fresh = [event for event, verdict in zip(events, verdicts, strict=True) if verdict is NEW]
        if fresh:
            people, answers, corrected = map(_person_of, fresh), _answers_of(fresh), _corrected_of(fresh)
            casework = await Casework.around(tx, resources, people, answers, corrected)
            casework.keep(await closed_with_score(tx, map(_person_of, fresh), [one for _, one in answers]))
            rules = await rules_in_force(tx, resources.clock)
            bursts = await Bursts.around(tx, resources.burst, fresh)
            for event in fresh:
                _apply(casework, event, rules, resources, bursts)
            await casework.save(tx)
        return verdicts

    return handle


async def _sorted_out(tx: WriteTx, events: Sequence[Event], subject: Callable[[str, str], str]) -> list[Verdict]:
    """NEW for what is to be acted on, REPEAT for what came before, CHANGE for what an erasure has taken back."""
    seen = await tx.seen(*(event.id for event in events))
    names = {_person_of(event): _subject_of(event, subject) for event in events}
    erased = await erased_at(tx, [name for name in names.values() if name])
    verdicts = []
    for event in events:
        if event.id in seen:
            verdicts.append(REPEAT)
        else:
            until = erased.get(names[_person_of(event)] or "")
            verdicts.append(CHANGE if until is not None and _recorded_at(event) <= until else NEW)
        seen.add(event.id)
    return verdicts


def _apply(casework: Casework, event: Event, rules: Sequence[Rule], resources: Resources, bursts: Bursts) -> None:
    data = event.data
    if isinstance(data, StakeholderAnswerCorrected):
        correction = Correction(casework, event, rules, resources.policy)
        correction.apply()
        untie(casework, event, data)
        if correction.changed_category:
            _tell_change(casework, event, data.response_id, correction.change())
        return
    person = casework.world.person(*_person_of(event))
    world = casework.world
    trigger = trigger_of(event, world.account(event.account_id), person, world.known_since.get(event.account_id))
    change: dict[str, Any] | None = None
    tied: list[Task] = []
    if isinstance(data, StakeholderAnswered):
        tied = tie(casework, data)
        _close_answered(casework, data, event.time)
        drop_chances(casework, data, data.change, event.time)
        if data.change is not None:
            change = change_block(data)
            _tell_change(casework, event, data.response_id, change)
    if isinstance(data, AccountScoreDropped):
        change = data.model_dump(mode="json", exclude={"account_id", "at"})
        subject = Subject(casework.world.account(event.account_id), change=change)
        casework.tell(messages.ACCOUNT_SCORE_DROPPED, event.id, event.time, subject)
    act_on(casework, bursts.counted(event, trigger, casework), rules, resources.policy, change)
    tell(casework, event, tied)


def _close_answered(casework: Casework, data: StakeholderAnswered, at: datetime) -> None:
    """Who was silent has answered: nothing is left to do."""
    for task in casework.open_tasks(data.account_id, data.stakeholder_id):
        if task.closes_on_answer:
            casework.record(close(task, Change(SYSTEM, at, "the answer came"), Closing("answered")))


def _tell_change(casework: Casework, event: Event, response_id: str, change: dict[str, object]) -> None:
    world = casework.world
    subject = Subject(
        world.account(event.account_id),
        world.person(*_person_of(event)),
        world.answer(event.account_id, response_id),
        change=change,
    )
    casework.tell(messages.CATEGORY_CHANGED, event.id, event.time, subject)


def change_block(data: StakeholderAnswered) -> dict[str, object]:
    """What a message says about a change of category."""
    return {
        "kind": data.change,
        "from": category_of_ref(data.previous),
        "to": data.category,
        "score": data.score,
        "previous_score": data.previous.score if data.previous else None,
        "response_id": data.response_id,
        "previous_response_id": data.previous.response_id if data.previous else None,
        "changed_at": data.answered_at.isoformat().replace("+00:00", "Z"),
        "falls_in_a_row": data.falls_in_a_row,
        "survey_type": data.survey_type,
        "nps_kind": data.nps_kind,
    }


def _person_of(event: Event) -> tuple[str, str | None]:
    return event.account_id, getattr(event.data, "stakeholder_id", None)


def _answers_of(events: Iterable[Event]) -> list[Key]:
    found: list[Key] = []
    for event in events:
        data = event.data
        if isinstance(data, StakeholderAnswered):
            found.append((event.account_id, data.response_id))
        elif isinstance(data, StakeholderAnswerCorrected):
            refs = (data.old.latest, data.new.latest)
            found += [(event.account_id, ref.response_id) for ref in refs if ref is not None]
    return found


def _corrected_of(events: Iterable[Event]) -> list[Key]:
    """The answers whose earlier decisions a correction has to look at."""
    found: list[Key] = []
    for event in events:
        if isinstance(event.data, StakeholderAnswerCorrected):
            old = event.data.old.latest
            found += [(event.account_id, event.data.response_id)]
            found += [(event.account_id, old.response_id)] if old else []
    return found


def _subject_of(event: Event, subject: Callable[[str, str], str]) -> str | None:
    account_id, stakeholder_id = _person_of(event)
    return None if stakeholder_id is None else subject(account_id, stakeholder_id)


def _recorded_at(event: Event) -> datetime:
    recorded = getattr(event.data, "recorded_at", None)
    return recorded if isinstance(recorded, datetime) else event.time
