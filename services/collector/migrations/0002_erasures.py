"""The journal of erased people."""

from alembic import op

revision = "collector_0002"
down_revision = "collector_0001"
branch_labels = None
depends_on = None

STATEMENTS = [
    # The person is a keyed hash. The account stays readable: it is a company, and the receipt is its owner's to see.
    """
    create table erasures (
        receipt_id uuid primary key,
        subject text not null,
        account_id text not null,
        erased_at timestamptz not null,
        applied_at timestamptz not null,
        stakeholders int not null,
        events int not null
    )
    """,
    "create index erasures_subject on erasures (subject, erased_at)",
    "create index erasures_account on erasures (account_id, erased_at)",
]


def upgrade() -> None:
    """Create it."""
    for statement in STATEMENTS:
        op.execute(statement)
