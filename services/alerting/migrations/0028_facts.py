"""Facts that follow-ups are judged by: how far invitations came, and contracts that were renewed or lost."""

from alembic import op

revision = "alerting_0028"
down_revision = "alerting_0027"
branch_labels = None
depends_on = None

STATEMENTS = [
    # The first moment of each kind, whatever the order of arrival; `silent_at` and what follows it from the scorer.
    """
    create table invitations (
        account_id text not null,
        invitation_id text not null,
        stakeholder_id text not null,
        channel text,
        sent_at timestamptz,
        delivered_at timestamptz,
        opened_at timestamptz,
        started_at timestamptz,
        bounced_at timestamptz,
        unsubscribed_at timestamptz,
        withdrawn_at timestamptz,
        bounce_recorded_at timestamptz,
        recorded_at timestamptz not null,
        asked_at timestamptz,
        silent_at timestamptz,
        silent_days int,
        furthest text,
        silent_type text,
        primary key (account_id, stakeholder_id, invitation_id)
    )
    """,
    """
    create table contract_events (
        event_id uuid primary key,
        account_id text not null,
        kind text not null check (kind in ('contract_renewed', 'contract_lost')),
        at timestamptz not null
    )
    """,
    "create index contract_events_account on contract_events (account_id, at)",
    # What is open, and what facts have closed lately and may open again.
    "create index tasks_closed_by_facts on tasks (account_id, closed_at) where closed_by = 'facts'",
]


def upgrade() -> None:
    """Add them."""
    for statement in STATEMENTS:
        op.execute(statement)
