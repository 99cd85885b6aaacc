"""Snapshots say what was told by 16 bytes instead of by all figures, which nothing reads but the view of scores; what
that shows stands beside the counts. `figures` stays to be compared with once, and is empty when an account has been
projected. The release before does not know the digest: its scorers have to be stopped first."""

from alembic import op

revision = "scorer_0011"
down_revision = "scorer_0010"
branch_labels = None
depends_on = None

SHOWN = {
    "nps": "float8",
    "ci_low": "float8",
    "ci_high": "float8",
    "previous_nps": "float8",
    "change": "float8",
    "significant": "boolean",
    "response_rate": "float8",
}
SCORES = ", ".join(f"s{score} int" for score in range(11))
SCORES_BEFORE = ", ".join(f"p{score} int" for score in range(11))
REACH = ("asked", "sent", "delivered", "opened", "bounced", "answered", "commented", "follow_up_requested")
TYPES = (
    """
    create type snapshot_row_v2 as (
        account_id text,
        sequence bigint,
        computed_at timestamptz,
        account_class text,
        class_numbers text,
        attributes text,
        digest bytea,
        dropped boolean,
        dropped_until timestamptz,
        next_border timestamptz
    )
    """,
    f"""
    create type snapshot_sums_row_v2 as (
        account_id text,
        score_window text,
        method text,
        n int,
        total int,
        n_before int,
        total_before int,
        {SCORES},
        voices int,
        last_at timestamptz,
        {SCORES_BEFORE},
        voices_before int,
        last_before timestamptz,
        pairs int,
        pairs_sum int,
        pairs_squares int,
        known int,
        {", ".join(f"{name} int" for name in REACH)},
        {", ".join(f"{name} {kind}" for name, kind in SHOWN.items())}
    )
    """,
)
VIEW = """
    create or replace view analytics.account_scores as
    select s.account_id, r.score_window, r.method, s.account_class, s.computed_at, r.nps,
        r.s9 + r.s10 as promoter_count, r.s7 + r.s8 as passive_count,
        r.s0 + r.s1 + r.s2 + r.s3 + r.s4 + r.s5 + r.s6 as detractor_count,
        r.n as response_count, r.voices as stakeholder_count, r.ci_low, r.ci_high, r.previous_nps, r.change,
        r.significant, r.response_rate, r.last_at as last_answered_at
    from snapshots s join snapshot_sums r using (account_id)
"""


def upgrade() -> None:
    """Make room, and mark every account: the projector fills it, and tells nothing that was told."""
    op.execute("alter table snapshots add column digest bytea")
    op.execute("alter table snapshots alter column figures drop not null")
    for name, kind in SHOWN.items():
        op.execute(f"alter table snapshot_sums add column {name} {kind}")
    for statement in TYPES:
        op.execute(statement)
    op.execute(VIEW)
    op.execute(
        "insert into marks (account_id, marked_at, since) select account_id, now(), 'infinity' from snapshots"
        " on conflict (account_id) do nothing"
    )
