"""Escalation: the levels of each follow-up with their times, pauses, and who took it on and then did nothing."""

from alembic import op

revision = "alerting_0022"
down_revision = "alerting_0021"
branch_labels = None
depends_on = None

STATEMENTS = [
    """
    alter table tasks
        add column escalations jsonb not null default '[]',
        add column next_escalation_at timestamptz check (isfinite(next_escalation_at)),
        add column paused_since timestamptz,
        add column paused_seconds int not null default 0,
        add column ack_expires_at timestamptz check (isfinite(ack_expires_at)),
        add column unacknowledged_at timestamptz
    """,
    "create index tasks_escalation on tasks (next_escalation_at) where next_escalation_at is not null",
    "create index tasks_ack on tasks (ack_expires_at) where state = 'acknowledged' and ack_expires_at is not null",
    # The primary key is the promise: a level of a follow-up fires once.
    """
    create table task_escalations (
        follow_up_id uuid not null references tasks (follow_up_id),
        level int not null,
        cause text not null check (cause in ('overdue', 'promise_near', 'promise_past')),
        recipient text not null,
        fired_at timestamptz not null,
        primary key (follow_up_id, level)
    )
    """,
]


def upgrade() -> None:
    """Add them."""
    for statement in STATEMENTS:
        op.execute(statement)
