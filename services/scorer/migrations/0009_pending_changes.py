"""Changes that wait for their response get a table of their own, as they were read: few, found at once, and forgotten
together with the change."""

from alembic import op

revision = "scorer_0009"
down_revision = "scorer_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it, and enter those that wait already: of these nobody knows where they were read."""
    op.execute(
        """
        create table pending_changes (
            event_id uuid primary key references response_changes on delete cascade,
            response_id text not null,
            recorded_at timestamptz not null,
            partition int,
            record_offset bigint,
            headers jsonb,
            value bytea,
            sender text
        )
        """
    )
    op.execute("create index pending_changes_response on pending_changes (response_id)")
    op.execute("create index pending_changes_age on pending_changes (recorded_at)")
    op.execute(
        "insert into pending_changes (event_id, response_id, recorded_at)"
        " select event_id, response_id, recorded_at from response_changes c"
        " where not exists (select 1 from responses r where r.response_id = c.response_id)"
    )
    op.execute("drop index response_changes_age")
