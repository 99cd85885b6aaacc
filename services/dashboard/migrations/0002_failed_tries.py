"""Failed sign-ins are counted here, for all processes and beyond a restart."""

from alembic import op

revision = "dashboard_0002"
down_revision = "dashboard_0001"
branch_labels = None
depends_on = None

STATEMENTS = [
    # `who` is the hash of what tries are counted for, such as a name with an address: somebody may have typed the
    # password into the field of the name.
    """
    create table failed_tries (
        who bytea primary key,
        times timestamptz[] not null,
        last_at timestamptz not null
    )
    """,
    "create index failed_tries_last_at on failed_tries (last_at)",
]


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
