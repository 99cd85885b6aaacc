"""The words of old answers are forgotten; the answers stay. Nothing is told of it, and no follow-up rests on words."""

from typing import Any
from uuid import UUID

from services.alerting.handlers.resources import Resources
from services.alerting.store import words
from services.alerting.store.answers import changes_by_answer
from shared.db.transaction import WriteTx
from shared.words import without_words

AT_ONCE = 1_000


async def forget_words(tx: WriteTx, resources: Resources) -> int:
    """Take the words out of some answers that were given long enough ago; returns how many."""
    before = resources.retention.forgotten_before(resources.clock.now())
    if before is None:
        return 0
    keys = await words.old(tx, before, AT_ONCE)
    if not keys:
        return 0
    await words.forget(tx, keys)
    changed: dict[UUID, dict[str, Any]] = {}
    for changes in (await changes_by_answer(tx, keys)).values():
        for change in changes:
            changed[change.event_id] = without_words(change.changes)
    await words.forget_in_changes(tx, changed)
    return len(keys)
