"""Figures at the ends of months: what trends of the portfolio are summed from; and which answers do not count."""

from alembic import op

revision = "scorer_0008"
down_revision = "scorer_0007"
branch_labels = None
depends_on = None

COUNTS = (
    *("n", "total", "n_before", "total_before"),
    *(f"s{score}" for score in range(11)),
    *(f"p{score}" for score in range(11)),
    *("voices", "voices_before", "pairs", "pairs_sum", "pairs_squares", "known"),
    *("asked", "sent", "delivered", "opened", "bounced", "answered", "commented", "follow_up_requested"),
)


def upgrade() -> None:
    """Make the tables, which fill themselves. A mark says how far back it changes things: by default, all the way."""
    op.execute("alter table marks add column since timestamptz not null default '-infinity'")
    # Most counts of one account are 0; as null they take no room.
    op.execute(
        f"""
        create table month_sums (
            score_window text not null,
            method text not null,
            account_id text not null,
            moment timestamptz not null,
            last_at timestamptz,
            last_before timestamptz,
            {", ".join(f"{name} int" for name in COUNTS)},
            primary key (score_window, method, account_id, moment)
        )
        """
    )
    op.execute(
        """
        create table months_told (
            account_id text not null,
            score_window text not null,
            upto timestamptz not null,
            primary key (account_id, score_window)
        )
        """
    )
    # The few answers that do not count: those of a million that do need not be looked at to leave these out.
    op.execute("create index responses_dead on responses (response_id) where withdrawn or erased or test")
