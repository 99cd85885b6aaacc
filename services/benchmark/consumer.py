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

_replica = DirectoryReplica()
HANDLERS = {
    ACCOUNT_SCORE_CHANGED: keep_snapshots,
    ACCOUNT_UPSERTED: _replica.apply,
    ACCOUNT_REMOVED: _replica.apply,
    STAKEHOLDER_UPSERTED: _replica.pass_over,
    STAKEHOLDER_REMOVED: _replica.pass_over,
}
