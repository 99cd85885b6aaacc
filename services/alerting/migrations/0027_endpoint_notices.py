"""People are told of webhook endpoints that were disabled."""

from alembic import op

revision = "alerting_0027"
down_revision = "alerting_0026"
branch_labels = None
depends_on = None

STATEMENTS = [
    "alter table notices drop constraint notices_topic_check",
    "alter table notices add constraint notices_topic_check"
    " check (topic in ('follow_ups', 'escalations', 'praise', 'webhooks'))",
    "alter table webhook_notices add column announced_at timestamptz",
    # What came about before this release is known by now.
    "update webhook_notices set announced_at = created_at",
    "create index webhook_notices_unannounced on webhook_notices (notice_id)"
    " where announced_at is null and (kind = 'gone' or (kind = 'failing' and level = 100))",
]


def upgrade() -> None:
    """Add them."""
    for statement in STATEMENTS:
        op.execute(statement)
