"""Which handler takes which event."""

from services.benchmark.handlers.snapshots import keep_snapshots
from shared.db.directory import DirectoryReplica
from shared.topics import (
    ACCOUNT_REMOVED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_UPSERTED,
    STAKEHOLDER_REMOVED,
    STAKEHOLDER_UPSERTED,
)

HANDLERS = {
    ACCOUNT_SCORE_CHANGED: keep_snapshots,
    ACCOUNT_UPSERTED: DirectoryReplica.apply,
    ACCOUNT_REMOVED: DirectoryReplica.apply,
    STAKEHOLDER_UPSERTED: DirectoryReplica.pass_over,
    STAKEHOLDER_REMOVED: DirectoryReplica.pass_over,
}
