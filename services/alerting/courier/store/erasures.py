"""Erasing a person, or an account, from what was sent and waits to be sent."""

import json
from collections.abc import Mapping
from typing import Any

from shared.db.transaction import WriteTx
from shared.erasure import Names


async def forget_person(tx: WriteTx, account_id: str, stakeholder_id: str, subject: str, names: Names) -> int:
    """Erase what messages say about a person: bodies and the receivers' answers go, waiting deliveries end, and the log
    names them by the hash. In other messages about the account `[erased]` takes the place of the names.

    Returns the number of messages about the person. What is being sent at this moment ends by itself.
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
    count = await tx.execute(
        "update webhook_messages set body = null, stakeholder_id = :subject"
        " where account_id = :account and stakeholder_id = :person",
        **person,
        subject=subject,
    )
    if names.all:
        await _redact(tx, names, {"account_id": account_id, "patterns": names.patterns()})
    return count


async def forget_messages_of(tx: WriteTx, account_id: str) -> None:
    """Erase what messages say about an account: bodies and the receivers' answers go, and waiting deliveries end. The
    log goes on saying that and when something was sent about its id."""
    await tx.execute(
        "update webhook_deliveries set status = 'cancelled', next_attempt_at = null, finished_at = now()"
        " where status in ('pending', 'held') and account_id = :account_id",
        account_id=account_id,
    )
    await tx.execute(
        "update webhook_attempts set response_text = '' where response_text <> '' and delivery_id in"
        " (select delivery_id from webhook_deliveries where account_id = :account_id)",
        account_id=account_id,
    )
    await tx.execute(
        "update webhook_messages set body = null, stakeholder_id = null where account_id = :account_id",
        account_id=account_id,
    )


async def _redact(tx: WriteTx, names: Names, bound: Mapping[str, Any]) -> None:
    """Bodies are JSON, and signed when they are sent; receivers' answers that hold a name go."""
    rows = await tx.all(
        "select message_id, body from webhook_messages where account_id = :account_id and body is not null"
        " and convert_from(body, 'UTF8') ilike any(cast(:patterns as text[])) for update",
        **bound,
    )
    await tx.execute_many(
        "update webhook_messages set body = :body where message_id = :message_id",
        [
            {
                "message_id": row["message_id"],
                "body": json.dumps(
                    names.redacted(json.loads(row["body"])), ensure_ascii=False, separators=(",", ":")
                ).encode(),
            }
            for row in rows
        ],
    )
    await tx.execute(
        "update webhook_attempts set response_text = '' where response_text ilike any(cast(:patterns as text[]))"
        " and delivery_id in (select delivery_id from webhook_deliveries where account_id = :account_id)",
        **bound,
    )
