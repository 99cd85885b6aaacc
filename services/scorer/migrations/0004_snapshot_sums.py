"""Snapshots as integers that add up: what portfolio figures are summed from."""

from alembic import op

revision = "scorer_0004"
down_revision = "scorer_0003"
branch_labels = None
depends_on = None

SCORES = ", ".join(f"s{score} int not null" for score in range(11))
SCORES_BEFORE = ", ".join(f"p{score} int not null" for score in range(11))


def upgrade() -> None:
    """Make the table, and mark every account: the projector fills it."""
    op.execute(
        f"""
        create table snapshot_sums (
            account_id text not null,
            score_window text not null,
            method text not null,
            n int not null,
            total int not null,
            n_before int not null,
            total_before int not null,
            {SCORES},
            voices int not null,
            last_at timestamptz,
            {SCORES_BEFORE},
            voices_before int not null,
            last_before timestamptz,
            pairs int not null,
            pairs_sum int not null,
            pairs_squares int not null,
            known int not null,
            asked int not null,
            sent int not null,
            delivered int not null,
            opened int not null,
            bounced int not null,
            answered int not null,
            commented int not null,
            follow_up_requested int not null,
            primary key (score_window, method, account_id)
        )
        """
    )
    op.execute(
        "insert into marks (account_id, marked_at, loud) select account_id, now(), false from snapshots"
        " on conflict (account_id) do nothing"
    )
