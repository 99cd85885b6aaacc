"""Calls of the other services that outreach has to make: written in the transaction that causes them, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from shared.db.transaction import WriteTx
from shared.http.client import ServiceName


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """A call to be made at `due_at` or later, those of one ask in the order in which they were written. `key` names it:
    a further one with the same key is the same call; it is sent as the `Idempotency-Key`."""

    key: str
    service: ServiceName
    method: Literal["POST", "PATCH"]
    path: str
    body: Mapping[str, Any]
    account_id: str
    due_at: datetime
    stakeholder_id: str | None = None
    ask_id: UUID | None = None


async def queue(tx: WriteTx, now: datetime, *calls: OutgoingCall) -> None:
    """Write calls, in their order; those whose key is there already are passed over."""
    rows = [
        {
            "key": call.key,
            "service": call.service,
            "method": call.method,
            "path": call.path,
            "body": dict(call.body),
            "account_id": call.account_id,
            "due_at": call.due_at,
            "stakeholder_id": call.stakeholder_id,
            "ask_id": call.ask_id,
            "created_at": now,
        }
        for call in calls
    ]
    await tx.execute_many(
        "insert into outgoing (key, service, method, path, body, ask_id, account_id, stakeholder_id, due_at,"
        " created_at) values (:key, :service, :method, :path, cast(:body as jsonb), :ask_id, :account_id,"
        " :stakeholder_id, :due_at, :created_at) on conflict (key) do nothing",
        rows,
    )
