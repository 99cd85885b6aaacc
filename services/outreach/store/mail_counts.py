"""How many mails went, which the caps of a day are counted by: invitations, reminders and what customers are told."""

from datetime import datetime

from shared.db.transaction import ReadTx


async def counts_since(tx: ReadTx, since: datetime) -> dict[tuple[str | None, str], int]:
    """(programme_id, account_id) -> mails that were given to the relay since a moment; no programme is that of
    loop-backs."""
    rows = await tx.rows(
        "select a.programme_id, a.account_id, count(*) from sends d join asks a on a.ask_id = d.ask_id"
        " where d.data_started_at >= :since and a.programme_id is not null group by 1, 2"
        " union all select null, account_id, count(*) from notices"
        " where data_started_at >= :since and kind = 'loop_back' group by 1, 2",
        since=since,
    )
    return {(programme_id, account_id): count for programme_id, account_id, count in rows}
