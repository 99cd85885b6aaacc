"""Rules that people edit: escalation steps, the reach of inhibition, and the past events to try a rule on."""

from alembic import op

revision = "alerting_0003"
down_revision = "alerting_0002"
branch_labels = None
depends_on = None

STATEMENTS = [
    """
    alter table rules
        add column inhibited_within text not null default 'person' check (inhibited_within in ('person', 'account')),
        add column escalation jsonb not null default '[]'
    """,
    # Every event that rules were asked about; kept for a while, so that a changed rule can be tried on it.
    """
    create table past_triggers (
        event_id uuid primary key,
        event text not null,
        at timestamptz not null,
        account_id text not null,
        stakeholder_id text,
        response_id text,
        facts jsonb not null,
        follow_up_id uuid
    )
    """,
    "create index past_triggers_at on past_triggers (at, event_id)",
    "create index past_triggers_person on past_triggers (account_id, stakeholder_id)",
    "create index past_triggers_response on past_triggers (account_id, response_id) where response_id is not null",
]


def upgrade() -> None:
    """Add them."""
    for statement in STATEMENTS:
        op.execute(statement)
