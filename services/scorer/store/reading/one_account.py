"""One account beside its figures: the directory's row, and what it was ever asked about."""

from typing import Any

from services.scorer.store.reading.pool import LIVE
from shared.db.transaction import ReadTx

DIRECTORY_COLUMNS = (
    *("name", "industry", "tier", "region", "revenue_amount", "revenue_currency", "renewal_on", "owner_name"),
    *("owner_email", "sponsor_name", "sponsor_email", "parent_account_id", "record", "removed"),
)
"""What is told of an account beside its id."""


async def directory_row(tx: ReadTx, account_id: str) -> dict[str, Any]:
    """The columns of the directory with account_id; all others are None where the directory does not know it."""
    row = await tx.one(f"select {', '.join(DIRECTORY_COLUMNS)} from accounts where account_id = :id", id=account_id)
    return {"account_id": account_id, **dict.fromkeys(DIRECTORY_COLUMNS), **(row or {})}


async def surveys_of(tx: ReadTx, account_id: str) -> list[tuple[str, str | None]]:
    """(survey type, touchpoint) of the account's live responses, each once."""
    rows = await tx.rows(
        f"select distinct r.survey_type, r.touchpoint from responses r where {LIVE} and r.account_id = :account_id",
        account_id=account_id,
    )
    return list(map(tuple, rows))
