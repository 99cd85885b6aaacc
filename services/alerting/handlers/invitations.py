"""Topic invitations: how far each came, the first moment of every step, and the last of bounces, since an invitation
goes once more to a corrected address; the rules are evaluated for the person.

A contact that is lost opens a follow-up; whoever is reached later ends it.
"""

from collections.abc import Sequence
from itertools import compress
from typing import Any
from uuid import UUID

from services.alerting.domain.people import FRESH
from services.alerting.handlers.dry_run_triggers import RuleEvent
from services.alerting.handlers.evaluation import EvaluationRequest
from services.alerting.handlers.recording import Recorder
from services.alerting.handlers.resources import Resources
from services.alerting.store.facts import MOMENTS, InvitationKey, invitations_by_key, save_invitations
from shared.db.erasures import Person
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.topics import INVITATION_BOUNCED
from shared.verdicts import CHANGE, NEW, REPEAT, Received, Verdict


def record_invitations(resources: Resources) -> Recorder:
    """The recorder of everything on the topic invitations: NEW where something was learned, else REPEAT."""

    async def handle(tx: WriteTx, records: Sequence[Received], request: EvaluationRequest) -> Sequence[Verdict]:
        events = [record.event for record in records]
        erased = await _erased(tx, events, resources)
        rows = await invitations_by_key(tx, [_key(_fact(event)) for event in events])
        learned, verdicts = {}, []
        for event in events:
            fact = _fact(event)
            if event.id in erased:
                verdicts.append(CHANGE)
                continue
            before = rows.get(_key(fact), {})
            after = _with(before, fact)
            if after == before:
                verdicts.append(REPEAT)
                continue
            verdicts.append(NEW)
            rows[_key(fact)] = learned[_key(fact)] = after
            _wake(request, event, fact, resources)
        await save_invitations(tx, list(learned.values()))
        return verdicts

    return handle


def _with(before: dict[str, Any], fact: InvitationFact) -> dict[str, Any]:
    """The invitation with this fact in it: of two moments of one step the earlier, of two bounces the later, whichever
    came first."""
    account_id, stakeholder_id, invitation_id = _key(fact)
    row = {"account_id": account_id, "stakeholder_id": stakeholder_id, "invitation_id": invitation_id} | before
    values: dict[str, Any] = {"recorded_at": fact.recorded_at, "channel": fact.channel}
    step = _step(fact)
    if step == "bounced":
        row = _bounced(row, fact)
    elif step is not None:
        values[f"{step}_at"] = fact.at
    for name, value in values.items():
        if value is None:
            continue
        if row.get(name) is None:
            row[name] = value
        else:
            row[name] = min(value, row[name])
    return row


def _bounced(row: dict[str, Any], fact: InvitationFact) -> dict[str, Any]:
    """The invitation with a bounce in it: the last one counts, and of two records of it the first."""
    known = row.get("bounced_at")
    if known is None or known < fact.at:
        return row | {"bounced_at": fact.at, "bounce_recorded_at": fact.recorded_at}
    if known == fact.at:
        return row | {"bounce_recorded_at": min(row["bounce_recorded_at"], fact.recorded_at)}
    return row


def _step(fact: InvitationFact) -> str | None:
    """The step, one of MOMENTS, that the fact reports. None where no rule depends on it: of an invitation that
    merely expired the scorer publishes a silence.
    """
    if fact.kind == "expired" and fact.reason == "withdrawn":
        return "withdrawn"
    if fact.kind == "expired" or fact.kind not in MOMENTS:
        return None
    return fact.kind


def _wake(request: EvaluationRequest, event: Event, fact: InvitationFact, resources: Resources) -> None:
    person = (fact.account_id, fact.stakeholder_id)
    now = resources.clock.now()
    if event.name == INVITATION_BOUNCED and fact.recorded_at - fact.at <= FRESH and now - fact.at <= FRESH:
        request.fresh.add(person)
        request.rule_events.append(RuleEvent(event.id, event.name, event.time, *person, fact.invitation_id))
    else:
        request.others.add(person)


async def _erased(tx: WriteTx, events: Sequence[Event], resources: Resources) -> set[UUID]:
    """The ids of the events about somebody who was erased after the event was recorded, or after it happened."""
    people: list[Person] = []
    for event in events:
        fact = _fact(event)
        people.append((event.account_id, fact.stakeholder_id, min(fact.recorded_at, fact.at)))
    overtaken = await resources.journal.overtaken(tx, people)
    return set(compress([event.id for event in events], overtaken))


def _key(fact: InvitationFact) -> InvitationKey:
    return fact.account_id, fact.stakeholder_id, fact.invitation_id


def _fact(event: Event) -> InvitationFact:
    if not isinstance(event.data, InvitationFact):
        raise TypeError(f"not an invitation event: {event.name}")
    return event.data
