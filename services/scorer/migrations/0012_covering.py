"""The index that answers are counted by holds all that counting asks: what is live, of which survey, in which order. So
an account is counted without a look at its rows, which lie anywhere in the table."""

from alembic import op

revision = "scorer_0012"
down_revision = "scorer_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it in place of the narrower one; two seconds for a million answers."""
    op.execute(
        "create index responses_covering on responses (account_id, stakeholder_id, answered_at)"
        " include (score, response_id, survey_type, withdrawn, erased, test)"
    )
    op.execute("drop index responses_reading")
    # An index alone answers only of what a vacuum has seen, and by default that comes after a fifth more of answers.
    op.execute("alter table responses set (autovacuum_vacuum_insert_scale_factor = 0.02)")
