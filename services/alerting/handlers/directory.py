"""Topic directory: alerting keeps its copy, and evaluates the rules for the account or person."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import compress
from uuid import UUID

from services.alerting.courier.interface import change_owners, forget_messages_of
from services.alerting.domain.occasions import YEAR
from services.alerting.domain.people import PersonKey
from services.alerting.handlers.evaluation import EvaluationRequest
from services.alerting.handlers.identities import follow_people
from services.alerting.handlers.recording import Recorder
from services.alerting.handlers.resources import Resources
from services.alerting.store.account_erasures import forget_account
from services.alerting.store.accounts import accounts_by_id
from services.alerting.store.identities import ids_without_a_person
from services.alerting.store.watches import note_known
from shared.db.account_erasures import erased_accounts, note_erased
from shared.db.directory import keep_directory
from shared.db.erasures import Person
from shared.db.transaction import WriteTx
from shared.events.directory import AccountRemoved, AccountUpserted, StakeholderRemoved, StakeholderUpserted
from shared.events.envelope import Event
from shared.verdicts import CHANGE, Received, Verdict


def record_directory(resources: Resources) -> Recorder:
    """The recorder of everything on the topic directory."""

    async def handle(tx: WriteTx, records: Sequence[Received], request: EvaluationRequest) -> Sequence[Verdict]:
        erased = await _erased(tx, records, resources)
        people = _people(records)
        without_own = await ids_without_a_person(tx, people)
        applied = iter(await keep_directory(tx, [record for record in records if record.event.id not in erased]))
        verdicts: list[Verdict] = []
        changes: list[Event] = []
        renewing: set[str] = set()
        for record in records:
            event, verdict = record.event, CHANGE
            if event.id not in erased:
                verdict = next(applied)
            verdicts.append(verdict)
            if verdict is CHANGE:
                changes.append(event)
                request.others.add((event.account_id, getattr(event.data, "stakeholder_id", None)))
                if _renews(event, resources):
                    renewing.add(event.account_id)
        # Who is a person again, as when a merge is undone, has answers again that nobody follows up.
        request.fresh |= without_own - await ids_without_a_person(tx, people)
        await follow_people(tx, resources, _with_ids(changes))
        request.renewing |= renewing
        await note_known(tx, renewing, resources.clock.now())
        await _change_owners(tx, changes)
        for account in erased_accounts(records, verdicts):
            await forget_account(tx, account)
            await forget_messages_of(tx, account.account_id)
            await note_erased(tx, account, resources.clock.now())
        return verdicts

    return handle


def _people(records: Sequence[Received]) -> set[PersonKey]:
    """The people whom the records are about."""
    people: set[PersonKey] = set()
    for record in records:
        data = record.event.data
        if isinstance(data, StakeholderUpserted | StakeholderRemoved):
            people.add((data.account_id, data.stakeholder_id))
    return people


def _with_ids(events: Sequence[Event]) -> set[PersonKey]:
    """The people with further ids whose records have changed."""
    people: set[PersonKey] = set()
    for event in events:
        data = event.data
        if isinstance(data, StakeholderUpserted) and data.aliases:
            people.add((data.account_id, data.stakeholder_id))
    return people


async def _change_owners(tx: WriteTx, events: Sequence[Event]) -> None:
    """Of callers who are limited to an owner, only the account's owner of now may read what was sent about it."""
    changed = {event.account_id for event in events if isinstance(event.data, AccountUpserted | AccountRemoved)}
    if not changed:
        return
    accounts = await accounts_by_id(tx, changed)
    await change_owners(tx, {account_id: account.owner.email for account_id, account in accounts.items()})


def _renews(event: Event, resources: Resources) -> bool:
    """Whether a contract ends so soon that a rule may want a follow-up."""
    data = event.data
    if not isinstance(data, AccountUpserted) or data.renewal_on is None:
        return False
    today = resources.policy.calendar.local_date(resources.clock.now())
    return today <= data.renewal_on <= today + timedelta(days=YEAR)


async def _erased(tx: WriteTx, records: Sequence[Received], resources: Resources) -> set[UUID]:
    """The ids of the events about somebody who was erased after the event was recorded."""
    people: list[Person] = []
    concerned: list[UUID] = []
    for record in records:
        data = record.event.data
        if isinstance(data, StakeholderUpserted | StakeholderRemoved):
            people.append((data.account_id, data.stakeholder_id, data.recorded_at))
            concerned.append(record.event.id)
    overtaken = await resources.journal.overtaken(tx, people)
    return set(compress(concerned, overtaken))
