"""The words of old answers are forgotten; the answers, and with them the scores, stay."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from services.scorer.store import changes, dirty_accounts, responses, words
from shared.db.transaction import WriteTx
from shared.telemetry.metrics import words_forgotten_total
from shared.words import without_words

AT_ONCE = 1_000


async def forget_words(tx: WriteTx, before: datetime, now: datetime) -> int:
    """Take the words out of some responses that were given before a moment; returns how many. Who keeps a copy is told
    of them, and what is counted of comments is counted anew. Any number of replicas may do it at once."""
    rows = await responses.lock(tx, await words.old(tx, before, AT_ONCE))
    if not rows:
        return 0
    bases: dict[str, dict[str, Any] | None] = {}
    affects_from: dict[str, datetime] = {}
    for row in rows:
        bases[row["response_id"]] = None
        if row["base"] is not None:
            bases[row["response_id"]] = without_words(row["base"])
        account_id, answered_at = row["account_id"], row["answered_at"]
        affects_from[account_id] = min(answered_at, affects_from.get(account_id, answered_at))
    await words.forget(tx, bases)
    changed: dict[UUID, dict[str, Any]] = {}
    for of_response in (await changes.by_response(tx, bases)).values():
        for change in of_response:
            changed[change.event_id] = without_words(change.changes)
    await words.forget_in_changes(tx, changed)
    await dirty_accounts.mark(tx, dict.fromkeys(affects_from, False), now, affects_from)
    tx.after_commit(partial(words_forgotten_total.inc, len(rows)))
    return len(rows)
