"""Which handler takes which event."""

from services.benchmark.handlers.directory import keep_accounts
from services.benchmark.handlers.snapshots import keep_snapshots
from shared.db.directory import pass_over
from shared.topics import (
    ACCOUNT_REMOVED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_UPSERTED,
    STAKEHOLDER_REMOVED,
    STAKEHOLDER_UPSERTED,
)

HANDLERS = {
    ACCOUNT_SCORE_CHANGED: keep_snapshots,
    ACCOUNT_UPSERTED: keep_accounts,
    ACCOUNT_REMOVED: keep_accounts,
    STAKEHOLDER_UPSERTED: pass_over,
    STAKEHOLDER_REMOVED: pass_over,
}
