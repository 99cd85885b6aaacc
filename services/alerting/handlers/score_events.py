"""Score-events: each event becomes a fact and a message, once; the rules are evaluated for its subject."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import compress
from uuid import UUID

from services.alerting.courier.interface import messages
from services.alerting.domain.rule_facts import AccountState, ClassChange, Drop
from services.alerting.handlers.dry_run_triggers import RuleEvent
from services.alerting.handlers.evaluation import EvaluationRequest, MessageRequest
from services.alerting.handlers.placeholders import save_placeholders
from services.alerting.handlers.recording import Recorder
from services.alerting.handlers.resources import Resources
from services.alerting.store.facts import (
    KEPT_CHANGES,
    InvitationKey,
    account_states,
    invitations_by_key,
    save_account_states,
    save_invitations,
)
from shared.db.erasures import Journal, Person
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.scores import (
    AccountClassChanged,
    AccountScoreDropped,
    AccountScoreRecovered,
    AnswerRef,
    StakeholderAnswerCorrected,
    StakeholderAnswered,
    StakeholderWentSilent,
)
from shared.topics import STAKEHOLDER_ANSWERED
from shared.verdicts import CHANGE, NEW, REPEAT, Received, Verdict


def record_score_events(resources: Resources) -> Recorder:
    """The recorder of everything on the topic score-events."""

    async def handle(tx: WriteTx, records: Sequence[Received], request: EvaluationRequest) -> Sequence[Verdict]:
        events = [record.event for record in records]
        verdicts = await _sorted_out(tx, events, resources.journal)
        fresh = [event for event, verdict in zip(events, verdicts, strict=True) if verdict is NEW]
        if fresh:
            await save_placeholders(tx, fresh)
            await _record_account_states(tx, fresh)
            await _record_silences(tx, fresh)
            for event in fresh:
                _wake(request, event)
        return verdicts

    return handle


async def _sorted_out(tx: WriteTx, events: Sequence[Event], journal: Journal) -> list[Verdict]:
    """NEW for what is to be acted on, REPEAT for what came before, CHANGE for what an erasure has taken back."""
    seen = await tx.seen(*(event.id for event in events))
    erased = await _erased(tx, events, journal)
    verdicts = []
    for event in events:
        if event.id in seen:
            verdicts.append(REPEAT)
        elif event.id in erased:
            verdicts.append(CHANGE)
        else:
            verdicts.append(NEW)
        seen.add(event.id)
    return verdicts


async def _erased(tx: WriteTx, events: Sequence[Event], journal: Journal) -> set[UUID]:
    """The ids of the events about somebody who was erased after what they tell of."""
    people: list[Person] = []
    concerned: list[UUID] = []
    for event in events:
        account_id, stakeholder_id = _person_of(event)
        if stakeholder_id is not None:
            people.append((account_id, stakeholder_id, _recorded_at(event)))
            concerned.append(event.id)
    return set(compress(concerned, await journal.overtaken(tx, people)))


async def _record_account_states(tx: WriteTx, events: Sequence[Event]) -> None:
    """Keep what events say of accounts: of drops, recoveries and classes each the one of the greatest sequence."""
    about = [event for event in events if isinstance(event.data, _ABOUT_ACCOUNTS)]
    if not about:
        return
    by_account = await account_states(tx, [event.account_id for event in about])
    for event in about:
        account_state, sequence = by_account.get(event.account_id, (AccountState(), -1))
        by_account[event.account_id] = _with(account_state, sequence, event)
    await save_account_states(tx, {event.account_id: by_account[event.account_id] for event in about})


_ABOUT_ACCOUNTS = (AccountClassChanged, AccountScoreDropped, AccountScoreRecovered)


def _with(account_state: AccountState, sequence: int, event: Event) -> tuple[AccountState, int]:
    data, name = event.data, str(event.id)
    if isinstance(data, AccountScoreDropped):
        if account_state.drop is not None and account_state.drop.sequence > data.sequence:
            return account_state, sequence
        drop = Drop(name, data.sequence, round(data.previous_nps - data.nps, 1), data.at)
        return replace(account_state, drop=drop), sequence
    if isinstance(data, AccountScoreRecovered):
        recovered = max(account_state.recovered_sequence, data.sequence)
        return replace(account_state, recovered_sequence=recovered), sequence
    if isinstance(data, AccountClassChanged):
        change = ClassChange(name, data.sequence, data.old, data.new, data.at)
        changes = sorted((*account_state.changes, change), key=lambda change: (change.sequence, change.occasion))
        account_state = replace(account_state, changes=tuple(changes[-KEPT_CHANGES:]))
        if data.sequence > sequence:
            return replace(account_state, account_class=data.new), data.sequence
        return account_state, sequence
    raise TypeError(f"not about an account: {event.name}")


async def _record_silences(tx: WriteTx, events: Sequence[Event]) -> None:
    """An invitation went unanswered for too long: the scorer counts the days."""
    silences = [event.data for event in events if isinstance(event.data, StakeholderWentSilent)]
    if not silences:
        return
    rows = await invitations_by_key(tx, [_invitation_of(silence) for silence in silences])
    for silence in silences:
        key = _invitation_of(silence)
        bare = {
            "account_id": silence.account_id,
            "stakeholder_id": silence.stakeholder_id,
            "invitation_id": silence.invitation_id,
            "recorded_at": silence.asked_at,
        }
        rows[key] = rows.get(key, bare) | {
            "asked_at": silence.asked_at,
            "silent_at": silence.at,
            "silent_days": silence.days,
            "furthest": silence.furthest,
            "silent_type": silence.stakeholder_type,
        }
    await save_invitations(tx, list(rows.values()))


def _invitation_of(silence: StakeholderWentSilent) -> InvitationKey:
    return silence.account_id, silence.stakeholder_id, silence.invitation_id


def _wake(request: EvaluationRequest, event: Event) -> None:
    """Add the subject of an event, and the messages about the event, to the request."""
    data, person = event.data, _person_of(event)
    if isinstance(data, StakeholderAnswered):
        if data.latest:
            request.fresh.add(person)
            request.rule_events.append(_rule_event(event, STAKEHOLDER_ANSWERED, data.response_id, data.response_id))
        if data.change is not None:
            request.messages.append(_category_message(event, data.response_id, change_block(data)))
    elif isinstance(data, StakeholderAnswerCorrected):
        _wake_corrected(request, event, data)
    elif isinstance(data, AccountScoreRecovered):
        if not data.quiet:
            request.others.add(person)
    elif isinstance(data, StakeholderWentSilent):
        request.fresh.add(person)
        request.rule_events.append(_rule_event(event, event.name, data.invitation_id))
    else:
        request.fresh.add(person)
        request.rule_events.append(_rule_event(event, event.name, str(event.id)))
        if isinstance(data, AccountClassChanged):
            request.renewing.add(event.account_id)
        if isinstance(data, AccountScoreDropped):
            change = data.model_dump(mode="json", exclude={"account_id", "at"})
            request.messages.append(
                MessageRequest(messages.ACCOUNT_SCORE_DROPPED, event.id, event.time, event.account_id, change=change)
            )


def _wake_corrected(request: EvaluationRequest, event: Event, data: StakeholderAnswerCorrected) -> None:
    if data.cause != "late":
        request.corrected_answers.append((event.account_id, data.response_id))
    if data.quiet:
        return  # the fact is kept; the next event of the account that is not quiet evaluates it
    request.fresh.add(_person_of(event))
    if data.cause == "late":
        return
    latest = data.new.latest
    if data.cause == "amended" and latest is not None and latest.response_id == data.response_id:
        request.rule_events.append(_rule_event(event, STAKEHOLDER_ANSWERED, data.response_id, data.response_id))
    if data.cause == "amended" and data.new.fresh and data.new.change not in (None, data.old.change):
        request.messages.append(_category_message(event, data.response_id, corrected_block(data)))


def _rule_event(event: Event, name: str, occasion: str, response_id: str | None = None) -> RuleEvent:
    account_id, stakeholder_id = _person_of(event)
    return RuleEvent(event.id, name, event.time, account_id, stakeholder_id, occasion, response_id)


def _category_message(event: Event, response_id: str, change: dict[str, object]) -> MessageRequest:
    account_id, stakeholder_id = _person_of(event)
    return MessageRequest(
        messages.CATEGORY_CHANGED, event.id, event.time, account_id, stakeholder_id, response_id, change
    )


def change_block(data: StakeholderAnswered) -> dict[str, object]:
    """What a message says about a change of category."""
    return {
        "kind": data.change,
        "from": _category_of(data.previous),
        "to": data.category,
        "score": data.score,
        "previous_score": _score_of(data.previous),
        "response_id": data.response_id,
        "previous_response_id": _response_of(data.previous),
        "changed_at": data.answered_at.isoformat().replace("+00:00", "Z"),
        "falls_in_a_row": data.falls_in_a_row,
        "survey_type": data.survey_type,
        "nps_kind": data.nps_kind,
    }


def corrected_block(data: StakeholderAnswerCorrected) -> dict[str, object]:
    """What a message says about a change of category that an amendment has made."""
    old, new = data.old, data.new
    return {
        "kind": new.change,
        "cause": data.cause,
        "response_id": data.response_id,
        "from": _category_of(new.previous),
        "to": _category_of(new.latest),
        "score": _score_of(new.latest),
        "previous_score": _score_of(new.previous),
        "corrected_from_score": _score_of(old.latest),
    }


def _category_of(ref: AnswerRef | None) -> str | None:
    if ref is None:
        return None
    return ref.category


def _score_of(ref: AnswerRef | None) -> int | None:
    if ref is None:
        return None
    return ref.score


def _response_of(ref: AnswerRef | None) -> str | None:
    if ref is None:
        return None
    return ref.response_id


def _person_of(event: Event) -> tuple[str, str | None]:
    return event.account_id, getattr(event.data, "stakeholder_id", None)


def _recorded_at(event: Event) -> datetime:
    """When it was recorded, or the answer given that it tells of, if that was earlier."""
    if isinstance(event.data, StakeholderAnswered):
        return min(event.data.recorded_at, event.data.answered_at)
    recorded_at = getattr(event.data, "recorded_at", None)
    if isinstance(recorded_at, datetime):
        return recorded_at
    return event.time
