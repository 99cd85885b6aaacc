"""Words of old answers: taking them out of the answers, and out of what was changed about them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.alerting.domain.answers import AnswerKey
from services.alerting.store.binds import answer_binds
from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.words import HELD

OLD: Final = f"""
    select account_id, response_id from (
        (select account_id, response_id, answered_at from responses
            where answered_at < :before and (comment is not null or {HELD.format("base")})
            order by answered_at limit :most)
        union all
        (select account_id, response_id, r.answered_at
            from response_changes c join responses r using (account_id, response_id)
            where r.answered_at < :before and {HELD.format("c.changes")} limit :most)
    ) as old group by account_id, response_id order by min(answered_at) limit :most
"""
FORGET: Final = """
    update responses set comment = null,
        base = case when base ? 'comment' then jsonb_set(base, '{comment}', 'null') else base end
    where (account_id, response_id) in (
        select * from unnest(cast(:accounts as text[]), cast(:responses as text[])))
"""
FORGET_IN_CHANGES: Final = """
    update response_changes set changes = r.changes::jsonb
    from unnest(cast(:event_id as uuid[]), cast(:changes as text[])) as r(event_id, changes)
    where response_changes.event_id = r.event_id
"""


async def old(tx: ReadTx, before: datetime, most: int) -> list[AnswerKey]:
    """The answers given before a moment that still have words, at most so many, the oldest first."""
    rows = await tx.all(OLD, before=before, most=most)
    return [(row["account_id"], row["response_id"]) for row in rows]


async def forget(tx: WriteTx, keys: Sequence[AnswerKey]) -> None:
    """Take the comments out of these answers."""
    await tx.execute(FORGET, **answer_binds(keys))


async def forget_in_changes(tx: WriteTx, changes: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Put changes, event_id -> values by field, in place of those that have words."""
    if changes:
        rows = [{"event_id": event_id, "changes": json.dumps(values)} for event_id, values in changes.items()]
        await tx.execute(FORGET_IN_CHANGES, **as_columns(rows))
