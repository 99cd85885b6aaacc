"""Topic directory: outreach keeps its copy, and calls off what has not been sent to those who leave."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from services.outreach.store import asks
from services.outreach.store.erasures import erase_account
from shared.clock import Clock
from shared.db.account_erasures import erased_accounts, note_erased
from shared.db.directory import keep_directory
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx
from shared.events.directory import AccountRemoved, AccountUpserted, StakeholderRemoved
from shared.events.envelope import EventData
from shared.verdicts import CHANGE, BatchHandler, Outcome, Received, Verdict


def read_directory(journal: Journal, clock: Clock) -> BatchHandler:
    """The handler of everything on the topic directory."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        await tx.lock_accounts({record.event.account_id for record in records})
        people = []
        for record in records:
            data: Any = record.event.data
            people.append((data.account_id, getattr(data, "stakeholder_id", ""), data.recorded_at))
        overtaken = await journal.overtaken(tx, people)
        kept = [record for record, erased in zip(records, overtaken, strict=True) if not erased]
        applied = iter(await keep_directory(tx, kept))
        verdicts: list[Verdict] = []
        changed = []
        for record, erased in zip(records, overtaken, strict=True):
            verdict = CHANGE
            if not erased:
                verdict = next(applied)
                if verdict.outcome is Outcome.CHANGE:
                    changed.append(record.event.data)
            verdicts.append(verdict)
        await _call_off(tx, changed, clock)
        for account in erased_accounts(records, verdicts):
            await erase_account(tx, account)
            await note_erased(tx, account, clock.now())
        return verdicts

    return handle


async def _call_off(tx: WriteTx, changed: Sequence[EventData], clock: Clock) -> None:
    """Withdraw what waits for people and accounts that have left; links that were sent stay open until they close."""
    now = clock.now()
    accounts: set[str] = set()
    removed: set[tuple[str, str]] = set()
    merged: set[tuple[str, str]] = set()
    for data in changed:
        if isinstance(data, AccountRemoved | AccountUpserted) and _has_left(data, now.date()):
            accounts.add(data.account_id)
        elif isinstance(data, StakeholderRemoved) and data.merged_into is not None:
            merged.add((data.account_id, data.stakeholder_id))
        elif isinstance(data, StakeholderRemoved):
            for given in (data.stakeholder_id, *data.aliases):
                removed.add((data.account_id, given))
    await asks.call_off_accounts(tx, "removed", accounts, now)
    await asks.call_off(tx, "removed", removed, now)
    await asks.call_off(tx, "merged", merged, now)


def _has_left(account: AccountRemoved | AccountUpserted, today: date) -> bool:
    """Whether an account was removed, or is no client any more."""
    if isinstance(account, AccountRemoved):
        return True
    return account.closed_on is not None and account.closed_on <= today
