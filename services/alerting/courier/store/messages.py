"""Messages to be sent: written in the transaction that causes them, with one delivery for each endpoint that
subscribed."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.alerting.courier.domain.messages import WebhookMessage
from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.ids import uuid7

MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An endpoint as far as it decides on who gets what. Without `event_types` it gets all."""

    endpoint_id: str
    event_types: Sequence[str] | None
    owner_email: str | None
    status: str

    def wants(self, message_type: str) -> bool:
        """Whether it asked for messages of this type."""
        return self.event_types is None or message_type in self.event_types

    def gets(self, message: WebhookMessage) -> bool:
        """Whether the message is for it: of a type it asked for, about an account of its owner if it has one."""
        return self.wants(message.type) and self.owner_email in (None, message.owner_email)


def message_id_of(message: WebhookMessage) -> str:
    """The `webhook-id`: the same for every endpoint, attempt, resend and replay of the event."""
    return f"msg_{message.event_id}"


def body_of(message: WebhookMessage) -> bytes:
    """The bytes that are stored, signed and sent, at most 64 KiB: of larger data only the ids are left."""
    body = _body(message, message.data)
    if len(body) <= MAX_BODY_BYTES:
        return body
    ids: dict[str, Any] = {
        "account": {"account_id": message.account_id},
        "stakeholder": message.stakeholder_id and {"stakeholder_id": message.stakeholder_id},
        "truncated": True,
    }
    if isinstance(task := message.data.get("task"), dict):
        ids["task"] = {"follow_up_id": task.get("follow_up_id")}
    return _body(message, ids)


def _body(message: WebhookMessage, data: Mapping[str, Any]) -> bytes:
    envelope = {
        "type": message.type,
        "timestamp": message.timestamp.isoformat().replace("+00:00", "Z"),
        "data": data,
        "sequence": message.sequence,
    }
    return json.dumps(envelope, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


async def subscribers(tx: ReadTx) -> list[Subscriber]:
    """Every endpoint that may be sent something, enabled or not, in a fixed order."""
    rows = await tx.all(
        "select endpoint_id, event_types, owner_email, status from webhook_endpoints"
        " where status <> 'deleted' order by endpoint_id"
    )
    return [Subscriber(**row) for row in rows]


async def subscribed_types(tx: ReadTx, types: Collection[str]) -> frozenset[str]:
    """The message types that some endpoint has subscribed to: only these are numbered and stored."""
    wanted: set[str] = set()
    for endpoint in await subscribers(tx):
        wanted.update(filter(endpoint.wants, types))
    return frozenset(wanted)


async def enqueue(tx: WriteTx, *messages: WebhookMessage, to: Sequence[Subscriber] | None = None) -> int:
    """Write the messages and their deliveries in this transaction; returns the number of new deliveries.

    A message that was enqueued before adds nothing. An endpoint gets what it subscribed to, limited to its
    owner's accounts if it has one; for a disabled one deliveries are held. Without a subscriber nothing is
    stored. `to` are the subscribers, where they were read before in this transaction. The sender has to be woken after
    the commit.
    """
    if to is None:
        to = await subscribers(tx)
    wanted = []
    for message in messages:
        for endpoint in to:
            if endpoint.gets(message):
                wanted.append((message, endpoint))
    if not wanted:
        return 0
    new = await _insert_messages(tx, {message_id_of(message): message for message, _ in wanted})
    return await _insert_deliveries(tx, [pair for pair in wanted if message_id_of(pair[0]) in new])


async def change_owners(tx: WriteTx, owners: Mapping[str, str | None]) -> None:
    """Let the accounts' owners (account -> e-mail address) read what was sent about them, and nobody who owned them
    before."""
    await tx.execute(
        "update webhook_messages m set owner_email = w.owner_email"
        " from unnest(cast(:accounts as text[]), cast(:owners as text[])) as w (account_id, owner_email)"
        " where m.account_id = w.account_id and m.owner_email is distinct from w.owner_email",
        accounts=list(owners),
        owners=list(owners.values()),
    )


def new_delivery_id() -> str:
    """A fresh id; later ones sort behind earlier ones."""
    return f"dlv_{uuid7().hex}"


async def _insert_messages(tx: WriteTx, messages: Mapping[str, WebhookMessage]) -> set[str]:
    """Store the messages, given by their ids; returns the ids of those that are new."""
    rows = await tx.all(
        """
        insert into webhook_messages (message_id, event_type, account_id, stakeholder_id, owner_email, sequence, body)
        select * from unnest(cast(:ids as text[]), cast(:types as text[]), cast(:accounts as text[]),
            cast(:people as text[]), cast(:owners as text[]), cast(:sequences as bigint[]), cast(:bodies as bytea[]))
        on conflict (message_id) do nothing returning message_id
        """,
        **as_columns(
            {
                "ids": message_id,
                "types": message.type,
                "accounts": message.account_id,
                "people": message.stakeholder_id,
                "owners": message.owner_email,
                "sequences": message.sequence,
                "bodies": body_of(message),
            }
            for message_id, message in messages.items()
        ),
    )
    return {row["message_id"] for row in rows}


async def _insert_deliveries(tx: WriteTx, pairs: Sequence[tuple[WebhookMessage, Subscriber]]) -> int:
    """A delivery for each pair; what exists already stays as it is."""
    if not pairs:
        return 0
    return await tx.execute(
        """
        insert into webhook_deliveries
            (delivery_id, endpoint_id, message_id, account_id, sequence, status, next_attempt_at)
        select delivery_id, endpoint_id, message_id, account_id, sequence,
            case when enabled then 'pending' else 'held' end, case when enabled then now() end
        from unnest(cast(:deliveries as text[]), cast(:endpoints as text[]), cast(:messages as text[]),
            cast(:accounts as text[]), cast(:sequences as bigint[]), cast(:enabled as boolean[]))
            as w (delivery_id, endpoint_id, message_id, account_id, sequence, enabled)
        on conflict (endpoint_id, message_id) do nothing
        """,
        **as_columns(
            {
                "deliveries": new_delivery_id(),
                "endpoints": endpoint.endpoint_id,
                "messages": message_id_of(message),
                "accounts": message.account_id,
                "sequences": message.sequence,
                "enabled": endpoint.status == "enabled",
            }
            for message, endpoint in pairs
        ),
    )
