"""Topic directory: alerting keeps its copy, open follow-ups go along with an account to its new owner, and a contract
that ends soon is looked at.
"""

from collections.abc import Sequence

from services.alerting.domain.lifecycle import follow_directory
from services.alerting.domain.people import addressed_to
from services.alerting.domain.tasks import SYSTEM, Change
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.watches import watch_renewals
from services.alerting.store.answers import erased_at
from services.alerting.store.tasks import open_tasks_of_account
from shared.db.directory import DirectoryReplica
from shared.db.transaction import WriteTx
from shared.events.directory import AccountUpserted, StakeholderRemoved, StakeholderUpserted
from shared.events.envelope import Event
from shared.verdicts import CHANGE, BatchHandler, Received, Verdict


def record_directory(resources: Resources) -> BatchHandler:
    """The handler of everything on the topic directory."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        erased = await _erased(tx, records, resources)
        kept = [record for record in records if record.event.id not in erased]
        applied = iter(await DirectoryReplica.apply(tx, kept))
        verdicts = [CHANGE if record.event.id in erased else next(applied) for record in records]
        moved = [
            record.event
            for record, verdict in zip(records, verdicts, strict=True)
            if verdict is CHANGE and isinstance(record.event.data, AccountUpserted)
        ]
        renewing = {event.account_id for event in moved if _renews(event)}
        working = await _with_open_tasks(tx, moved)
        await tx.lock_accounts(renewing | working)
        await _reassign(tx, resources, working, moved)
        if renewing:
            await watch_renewals(tx, resources, renewing)
        return verdicts

    return handle


def _renews(event: Event) -> bool:
    return isinstance(event.data, AccountUpserted) and event.data.renewal_on is not None


async def _erased(tx: WriteTx, records: Sequence[Received], resources: Resources) -> set[object]:
    """The events that speak of somebody who was erased after they were recorded."""
    people = {
        record.event.id: (resources.subject(data.account_id, data.stakeholder_id), data.recorded_at)
        for record in records
        if isinstance(data := record.event.data, StakeholderUpserted | StakeholderRemoved)
    }
    journal = await erased_at(tx, [name for name, _ in people.values()]) if people else {}
    return {
        event_id for event_id, (name, recorded_at) in people.items() if name in journal and recorded_at <= journal[name]
    }


async def _with_open_tasks(tx: WriteTx, moved: Sequence[Event]) -> set[str]:
    accounts = {event.account_id for event in moved}
    return {task.account_id for task in await open_tasks_of_account(tx, accounts)} if accounts else set()


async def _reassign(tx: WriteTx, resources: Resources, accounts: set[str], moved: Sequence[Event]) -> None:
    """Tasks that nobody was given by hand follow the directory, also those that waited at the default owner."""
    if not accounts:
        return
    newest = {event.account_id: event for event in moved}
    casework = await Casework.of(tx, resources, await open_tasks_of_account(tx, accounts))
    for task in casework.tasks():
        address = addressed_to(task.recipient, casework.world.account(task.account_id), resources.policy.staff)
        change = Change(SYSTEM, newest[task.account_id].time, "the directory names another owner")
        step = follow_directory(task, change, address.owner, address.source)
        if step is not None:
            casework.record(step)
    await casework.save(tx)
