"""What is deleted of an account that is erased."""

from collections.abc import Mapping

from shared.db.account_erasures import EVER, forget_parked_of, forget_rows
from shared.db.transaction import WriteTx
from shared.events.directory import AccountRemoved

_TABLES: Mapping[str, str] = {
    "notices": EVER,
    "tasks": "opened_at",
    "responses": "recorded_at",
    "response_changes": "recorded_at",
    "invitations": "recorded_at",
    "contract_events": "at",
    "account_scores": EVER,
    "account_watches": "known_since",
    "past_triggers": "at",
    "stakeholders": "recorded_at",
    "aliases": "recorded_at",
}
"""Table → the SQL of when a row came to be; what hangs on a follow-up goes before it."""
_OF_FOLLOW_UPS = ("task_history", "task_escalations", "task_occasions", "callbacks")


async def forget_account(tx: WriteTx, account: AccountRemoved) -> None:
    """Delete what is kept of an account up to its erasure: its follow-ups with all that hangs on them, and every fact
    that they were judged by. The count of its messages stays, so that one that comes later has the next number."""
    for table in _OF_FOLLOW_UPS:
        await tx.execute(
            f"delete from {table} where follow_up_id in"
            " (select follow_up_id from tasks where account_id = :account_id and opened_at <= :until)",
            account_id=account.account_id,
            until=account.erased_at,
        )
    await forget_rows(tx, account, _TABLES)
    await forget_parked_of(tx, account.account_id)
