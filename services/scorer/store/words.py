"""Words of old answers: which responses have any, and taking them out."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.scorer.store.feed import CHANGED
from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.words import HELD

# Each part has an index of its own of what still has words, so a look costs the same however much there is.
OLD: Final = f"""
    select response_id from (
        (select response_id, answered_at from responses
            where answered_at < :before and (comment is not null or {HELD.format("base")})
            order by answered_at limit :most)
        union all
        (select response_id, answered_at from response_answers
            where answered_at < :before and type = 'text' and value_text is distinct from ''
            order by answered_at limit :most)
        union all
        (select response_id, r.answered_at from response_changes c join responses r using (response_id)
            where r.answered_at < :before and {HELD.format("c.changes")} limit :most)
    ) as old group by response_id order by min(answered_at) limit :most
"""
FORGET: Final = f"""
    update responses set comment = null, base = r.base::jsonb, {CHANGED}
    from unnest(cast(:response_id as text[]), cast(:base as text[])) as r(response_id, base)
    where responses.response_id = r.response_id
"""
# A change that names the digest of its response was held against it when it came; without the words nobody can again.
FORGET_IN_CHANGES: Final = """
    update response_changes set changes = r.changes::jsonb, posted = null
    from unnest(cast(:event_id as uuid[]), cast(:changes as text[])) as r(event_id, changes)
    where response_changes.event_id = r.event_id
"""


async def old(tx: ReadTx, before: datetime, most: int) -> Sequence[str]:
    """The responses given before a moment that still have words, at most so many, the oldest first."""
    return await tx.column(OLD, before=before, most=most)


async def forget(tx: WriteTx, bases: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Take the words out of these responses, which are locked: response_id -> `base`, without words."""
    rows = []
    for response_id, base in bases.items():
        document = None
        if base is not None:
            document = json.dumps(base)
        rows.append({"response_id": response_id, "base": document})
    await tx.execute(FORGET, **as_columns(rows))
    await tx.execute(
        "update response_answers set value_text = '', value_number = null"
        " where response_id = any(cast(:ids as text[])) and type = 'text'",
        ids=list(bases),
    )


async def forget_in_changes(tx: WriteTx, changes: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Put changes, event_id -> values by field, in place of those that have words."""
    if changes:
        rows = [{"event_id": event_id, "changes": json.dumps(values)} for event_id, values in changes.items()]
        await tx.execute(FORGET_IN_CHANGES, **as_columns(rows))
