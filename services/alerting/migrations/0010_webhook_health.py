"""The health of webhook endpoints: a breaker, rest that a receiver asked for, notices with what they are about."""

from alembic import op

revision = "alerting_0010"
down_revision = "alerting_0003"
branch_labels = None
depends_on = None

STATEMENTS = [
    """
    alter table webhook_endpoints
        add column failure_days smallint not null default 0,
        add column recent jsonb not null default '[]',
        add column breaker_opened_at timestamptz,
        add column rest_until timestamptz
    """,
    """
    alter table webhook_notices
        add column level smallint,
        add column event_type text,
        add column message_id text,
        drop constraint webhook_notices_endpoint_id_kind_subject_key,
        add constraint webhook_notices_once unique nulls not distinct (endpoint_id, kind, subject, level)
    """,
]


def upgrade() -> None:
    """Add the columns."""
    for statement in STATEMENTS:
        op.execute(statement)
