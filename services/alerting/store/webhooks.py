"""Messages on their way out: written beside what they tell about, one delivery for each endpoint that wants
them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.alerting.domain.messages import WebhookMessage
from shared.db.transaction import WriteTx
from shared.ids import uuid7

MAX_BODY_BYTES = 64 * 1024


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


async def enqueue(tx: WriteTx, *messages: WebhookMessage) -> int:
    """Write the messages and their deliveries in this transaction; returns the number of new deliveries.

    A message that was enqueued before adds nothing. An endpoint gets what it subscribed to, limited to its
    owner's accounts if it has one; for a disabled one deliveries are held. Without a subscriber nothing is
    stored. The sender has to be woken after the commit.
    """
    wanted = await _subscriptions(tx, messages)
    if not wanted:
        return 0
    told = {message_id for message_id, _, _ in wanted}
    new = await _insert_messages(tx, [message for message in messages if message_id_of(message) in told])
    return await insert_deliveries(tx, [row for row in wanted if row[0] in new])


async def forget_person(tx: WriteTx, account_id: str, stakeholder_id: str) -> int:
    """Erase what messages say about a person: bodies and the receivers' answers go, waiting deliveries end.

    Returns the number of messages. What is being sent at this moment ends by itself.
    """
    person = {"account": account_id, "person": stakeholder_id}
    concerned = (
        "message_id in (select message_id from webhook_messages"
        " where account_id = :account and stakeholder_id = :person)"
    )
    await tx.execute(
        "update webhook_deliveries set status = 'cancelled', next_attempt_at = null, finished_at = now()"
        f" where status in ('pending', 'held') and {concerned}",
        **person,
    )
    await tx.execute(
        "update webhook_attempts set response_text = '' where response_text <> '' and delivery_id in"
        f" (select delivery_id from webhook_deliveries where {concerned})",
        **person,
    )
    return await tx.execute(
        "update webhook_messages set body = null where account_id = :account and stakeholder_id = :person"
        " and body is not null",
        **person,
    )


async def insert_deliveries(tx: WriteTx, rows: Sequence[tuple[str, str, str]]) -> int:
    """Deliveries from (message_id, endpoint_id, endpoint status); what exists already stays as it is."""
    if not rows:
        return 0
    return await tx.execute(
        """
        insert into webhook_deliveries
            (delivery_id, endpoint_id, message_id, account_id, sequence, status, next_attempt_at)
        select w.delivery_id, w.endpoint_id, m.message_id, m.account_id, m.sequence,
            case when w.enabled then 'pending' else 'held' end, case when w.enabled then now() end
        from unnest(cast(:deliveries as text[]), cast(:endpoints as text[]), cast(:messages as text[]),
            cast(:enabled as boolean[])) as w (delivery_id, endpoint_id, message_id, enabled)
        join webhook_messages m using (message_id)
        on conflict (endpoint_id, message_id) do nothing
        """,
        deliveries=[new_delivery_id() for _ in rows],
        messages=[row[0] for row in rows],
        endpoints=[row[1] for row in rows],
        enabled=[row[2] == "enabled" for row in rows],
    )


def new_delivery_id() -> str:
    """A fresh id; later ones sort behind earlier ones."""
    return f"dlv_{uuid7().hex}"


async def _subscriptions(tx: WriteTx, messages: Sequence[WebhookMessage]) -> list[tuple[str, str, str]]:
    """Who wants what: (message_id, endpoint_id, endpoint status), in the order of the messages."""
    endpoints = await tx.all(
        "select endpoint_id, event_types, owner_email, status from webhook_endpoints"
        " where status <> 'deleted' order by endpoint_id"
    )
    if not endpoints:
        return []
    owners: dict[str, str | None] = {}
    if any(endpoint["owner_email"] for endpoint in endpoints):
        rows = await tx.all(
            "select account_id, owner_email from accounts where account_id = any(cast(:accounts as text[]))",
            accounts=list({message.account_id for message in messages}),
        )
        owners = {row["account_id"]: row["owner_email"] for row in rows}
    return [
        (message_id_of(message), endpoint["endpoint_id"], endpoint["status"])
        for message in messages
        for endpoint in endpoints
        if (endpoint["event_types"] is None or message.type in endpoint["event_types"])
        and endpoint["owner_email"] in (None, owners.get(message.account_id))
    ]


async def _insert_messages(tx: WriteTx, messages: Sequence[WebhookMessage]) -> set[str]:
    """Store the messages; returns the ids of those that are new."""
    rows = await tx.all(
        """
        insert into webhook_messages (message_id, event_type, account_id, stakeholder_id, sequence, body)
        select * from unnest(cast(:ids as text[]), cast(:types as text[]), cast(:accounts as text[]),
            cast(:people as text[]), cast(:sequences as bigint[]), cast(:bodies as bytea[]))
        on conflict (message_id) do nothing returning message_id
        """,
        ids=[message_id_of(message) for message in messages],
        types=[message.type for message in messages],
        accounts=[message.account_id for message in messages],
        people=[message.stakeholder_id for message in messages],
        sequences=[message.sequence for message in messages],
        bodies=[body_of(message) for message in messages],
    )
    return {row["message_id"] for row in rows}
