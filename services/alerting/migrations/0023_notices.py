"""Notices to people: whom to tell of what, and what is on its way to them."""

from alembic import op

revision = "alerting_0023"
down_revision = "alerting_0022"
branch_labels = None
depends_on = None

STATEMENTS = [
    """
    create table notifications (
        notification_id text primary key,
        channel text not null check (channel in ('mail', 'slack', 'teams')),
        topics text[] not null,
        address text,
        host text,
        sealed_url bytea,
        min_severity text not null check (min_severity in ('critical', 'high', 'medium', 'low')),
        quiet_hours boolean not null,
        description text,
        owner_email text,
        created_by text not null,
        created_at timestamptz not null,
        deleted_at timestamptz,
        check ((channel = 'mail') = (sealed_url is null))
    )
    """,
    "create index notifications_listed on notifications (created_at, notification_id) where deleted_at is null",
    # Ids only: the words are found when it is sent, so what was erased meanwhile is not in them.
    """
    create table notices (
        notice_id bigint generated always as identity primary key,
        notification_id text not null references notifications (notification_id),
        recipient text not null,
        account_id text not null,
        topic text not null check (topic in ('follow_ups', 'escalations', 'praise')),
        event_id uuid not null,
        follow_up_id uuid,
        response_id text,
        cause text,
        status text not null check (status in ('waiting', 'sending', 'sent', 'dropped', 'failed')),
        created_at timestamptz not null,
        due_at timestamptz,
        lease_until timestamptz,
        attempts int not null default 0,
        last_failure text,
        sent_at timestamptz,
        message_id text,
        unique (notification_id, recipient, event_id),
        check ((status = 'waiting') = (due_at is not null)),
        check ((status = 'sending') = (lease_until is not null))
    )
    """,
    "create index notices_due on notices (due_at) where status = 'waiting'",
    "create index notices_waiting on notices (notification_id, recipient, account_id) where status = 'waiting'",
    "create index notices_leases on notices (lease_until) where status = 'sending'",
    "create index notices_follow_up on notices (follow_up_id)",
    "create index notices_age on notices (created_at)",
]


def upgrade() -> None:
    """Add them."""
    for statement in STATEMENTS:
        op.execute(statement)
