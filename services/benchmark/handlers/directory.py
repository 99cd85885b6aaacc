"""Keeps the accounts of the directory, and drops the figures of those that were erased."""

from collections.abc import Sequence

from services.benchmark.store.accounts import forget_snapshot
from shared.db.account_erasures import erased_accounts
from shared.db.directory import keep_directory
from shared.db.transaction import WriteTx
from shared.verdicts import Received, Verdict


async def keep_accounts(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
    """CHANGE where the record replaced what stood, REPEAT otherwise."""
    verdicts = await keep_directory(tx, records)
    for account in erased_accounts(records, verdicts):
        await forget_snapshot(tx, account.account_id)
    return verdicts
