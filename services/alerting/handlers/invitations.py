"""Topic invitations: a bounce says that a contact is lost. How far invitations came is counted by the scorer."""

from collections.abc import Sequence

from services.alerting.domain.people import FRESH
from services.alerting.domain.triggers import Trigger
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.facts import around
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.rules import rules_in_force
from services.alerting.handlers.triggers import act_on
from services.alerting.store.answers import erased_at
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.topics import INVITATION_BOUNCED
from shared.verdicts import CHANGE, NEW, REPEAT, BatchHandler, Received, Verdict


def record_invitations(resources: Resources) -> BatchHandler:
    """The handler of everything on the topic invitations."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        events = [record.event for record in records]
        bounced = [event for event in events if event.name == INVITATION_BOUNCED]
        if bounced:
            await tx.lock_accounts({event.account_id for event in bounced})
        seen = await tx.seen(*(event.id for event in events))
        verdicts = []
        for event in events:
            verdicts.append(REPEAT if event.id in seen else NEW)
            seen.add(event.id)
        fresh = [event for event, verdict in zip(events, verdicts, strict=True) if verdict is NEW and event in bounced]
        erased = await _erased(tx, fresh, resources) if fresh else set()
        await _act(tx, resources, [event for event in fresh if event.id not in erased])
        return [
            CHANGE if event.id in erased and verdict is NEW else verdict
            for event, verdict in zip(events, verdicts, strict=True)
        ]

    return handle


async def _act(tx: WriteTx, resources: Resources, bounced: Sequence[Event]) -> None:
    facts = [(event, _fact(event)) for event in bounced]
    news = [(event, fact) for event, fact in facts if fact.recorded_at - fact.at <= FRESH]
    if not news:
        return
    people = [(fact.account_id, fact.stakeholder_id) for _, fact in news]
    casework = await Casework.around(tx, resources, people, ())
    rules = await rules_in_force(tx, resources.clock)
    for event, fact in news:
        account = casework.world.account(fact.account_id)
        person = casework.world.person(fact.account_id, fact.stakeholder_id)
        known = around(account, person) | {"channel": fact.channel}
        trigger = Trigger(event.id, event.name, event.time, fact.account_id, fact.stakeholder_id, None, known)
        act_on(casework, trigger, rules, resources.policy)
    await casework.save(tx)


async def _erased(tx: WriteTx, events: Sequence[Event], resources: Resources) -> set[object]:
    """The bounces of people who were erased after they were recorded."""
    names = {event.id: resources.subject(event.account_id, _fact(event).stakeholder_id) for event in events}
    journal = await erased_at(tx, names.values())
    return {
        event.id
        for event in events
        if (until := journal.get(names[event.id])) is not None and _fact(event).recorded_at <= until
    }


def _fact(event: Event) -> InvitationFact:
    if not isinstance(event.data, InvitationFact):
        raise TypeError(f"not an invitation event: {event.name}")
    return event.data
