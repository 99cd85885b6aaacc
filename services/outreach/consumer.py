"""Which handler serves which event."""

from shared.db.directory import DirectoryReplica
from shared.topics import ACCOUNT_REMOVED, ACCOUNT_UPSERTED, STAKEHOLDER_REMOVED, STAKEHOLDER_UPSERTED

HANDLERS = {
    ACCOUNT_UPSERTED: DirectoryReplica.apply,
    ACCOUNT_REMOVED: DirectoryReplica.apply,
    STAKEHOLDER_UPSERTED: DirectoryReplica.apply,
    STAKEHOLDER_REMOVED: DirectoryReplica.apply,
}
