"""What time brings about: since when accounts are known, and when the daily watch has judged them."""

from alembic import op

revision = "alerting_0021"
down_revision = "alerting_0020"
branch_labels = None
depends_on = None

STATEMENTS = [
    """
    create table account_watches (
        account_id text primary key,
        known_since timestamptz not null,
        watched_on date
    )
    """,
    "create index accounts_renewal on accounts (renewal_on) where renewal_on is not null",
    # The first answer of an account is found at once, however many there are.
    "create index responses_known on responses (account_id, recorded_at)",
]


def upgrade() -> None:
    """Add them."""
    for statement in STATEMENTS:
        op.execute(statement)
