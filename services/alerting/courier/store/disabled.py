"""Endpoints that were disabled by themselves: which ones people have not been told of, and their details."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from services.alerting.courier.domain.deliveries import DisabledEndpoint, DisabledReason
from shared.db.transaction import ReadTx, WriteTx

AT_ONCE = 100


async def disabled_notices(tx: ReadTx, held: Sequence[int]) -> Sequence[int]:
    """The ids of notices about disabled endpoints that people have not been told of, but for those that are held."""
    return await tx.column(
        "select notice_id from webhook_notices"
        " where announced_at is null and (kind = 'gone' or (kind = 'failing' and level = 100))"
        " and notice_id <> all(cast(:held as bigint[])) order by notice_id limit :limit",
        held=list(held),
        limit=AT_ONCE,
    )


async def claim_disabled_notices(
    tx: WriteTx, notice_ids: Sequence[int], now: datetime
) -> Sequence[tuple[int, str, str | None]]:
    """(number of the notice, endpoint, its owner) of those of the notices that nobody was told of and nobody else has
    taken; from here on they have been.
    """
    rows = await tx.all(
        """
        with fresh as (
            select notice_id from webhook_notices
            where announced_at is null and notice_id = any(cast(:ids as bigint[]))
            order by notice_id for update skip locked
        )
        update webhook_notices n set announced_at = :now from fresh, webhook_endpoints e
        where n.notice_id = fresh.notice_id and e.endpoint_id = n.endpoint_id
        returning n.notice_id, e.endpoint_id, e.owner_email
        """,
        now=now,
        ids=list(notice_ids),
    )
    return [(row["notice_id"], row["endpoint_id"], row["owner_email"]) for row in rows]


async def disabled_endpoints(tx: ReadTx, endpoint_ids: Iterable[str]) -> list[DisabledEndpoint]:
    """Those of the endpoints that are still disabled."""
    rows = await tx.all(
        "select endpoint_id, url, description, disabled_reason, disabled_at, (select count(*) from webhook_deliveries d"
        " where d.endpoint_id = e.endpoint_id and d.status = 'held') as held"
        " from webhook_endpoints e where status = 'disabled' and endpoint_id = any(cast(:ids as text[]))",
        ids=list(endpoint_ids),
    )
    return [
        DisabledEndpoint(
            endpoint_id=row["endpoint_id"],
            host=urlsplit(row["url"]).hostname or "",
            description=row["description"],
            reason=DisabledReason(row["disabled_reason"]),
            disabled_at=row["disabled_at"],
            held_count=row["held"],
        )
        for row in rows
    ]
