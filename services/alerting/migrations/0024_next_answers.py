"""The person's next score, tied to the follow-up; which question it answers."""

from alembic import op

revision = "alerting_0024"
down_revision = "alerting_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.execute(
        """
        alter table tasks
            add column survey_type text,
            add column nps_kind text,
            add column next_response_id text,
            add column next_score int,
            add column next_answered_at timestamptz,
            add column next_result text check (next_result in ('recovered', 'unchanged', 'worse'))
        """
    )
