"""Endpoints that were disabled by themselves: those nobody was told of yet, and how they stand."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from services.alerting.domain.notices import Disabled
from shared.db.transaction import ReadTx, WriteTx

AT_ONCE = 100


async def take_unannounced(tx: WriteTx, now: datetime) -> Sequence[tuple[int, str, str | None]]:
    """(number of the notice, endpoint, its owner) of those nobody was told of; from here on they have been."""
    rows = await tx.all(
        """
        with fresh as (
            select notice_id from webhook_notices
            where announced_at is null and (kind = 'gone' or (kind = 'failing' and level = 100))
            order by notice_id limit :limit for update skip locked
        )
        update webhook_notices n set announced_at = :now from fresh, webhook_endpoints e
        where n.notice_id = fresh.notice_id and e.endpoint_id = n.endpoint_id
        returning n.notice_id, e.endpoint_id, e.owner_email
        """,
        now=now,
        limit=AT_ONCE,
    )
    return [(row["notice_id"], row["endpoint_id"], row["owner_email"]) for row in rows]


async def disabled_endpoints(tx: ReadTx, endpoint_ids: Iterable[str]) -> dict[str, Disabled]:
    """Those of the endpoints that are still disabled."""
    rows = await tx.all(
        "select endpoint_id, url, description, disabled_reason, disabled_at, (select count(*) from webhook_deliveries d"
        " where d.endpoint_id = e.endpoint_id and d.status = 'held') as held"
        " from webhook_endpoints e where status = 'disabled' and endpoint_id = any(cast(:ids as text[]))",
        ids=list(endpoint_ids),
    )
    return {
        row["endpoint_id"]: Disabled(
            row["endpoint_id"],
            urlsplit(row["url"]).hostname or "",
            row["description"],
            row["disabled_reason"],
            row["disabled_at"],
            row["held"],
        )
        for row in rows
    }
