"""Indexes for what is read over all accounts."""

from alembic import op

revision = "scorer_0005"
down_revision = "scorer_0004"
branch_labels = None
depends_on = None

INDEXES = (
    # Lists in the order of time; new answers come at its end, where an index is cheap to keep.
    "create index responses_moments on responses (answered_at)",
    # What came back from an invitation; the answers that name none are not in it.
    "create index responses_invitation on responses (account_id, invitation_id) where invitation_id is not null",
    # Whether a snapshot was written after a reader looked at its clock.
    "create index snapshots_computed_at on snapshots (computed_at)",
)


def upgrade() -> None:
    """Make them."""
    for statement in INDEXES:
        op.execute(statement)
