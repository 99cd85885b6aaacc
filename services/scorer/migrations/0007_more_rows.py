"""How the projector hands over what it found: arrays of rows instead of one array a column, as responses are. And
responses once more, with `sent` as text: few lists of fields are ever sent, and each is written out once."""

from alembic import op

revision = "scorer_0007"
down_revision = "scorer_0006"
branch_labels = None
depends_on = None

SCORES = ", ".join(f"s{score} int" for score in range(11))
SCORES_BEFORE = ", ".join(f"p{score} int" for score in range(11))
TYPES = (
    """
    create type response_row_v2 as (
        response_id text,
        account_id text,
        stakeholder_id text,
        email text,
        survey_type text,
        score smallint,
        comment text,
        answered_at timestamptz,
        recorded_at timestamptz,
        nps_kind text,
        touchpoint text,
        product text,
        channel text,
        survey_id text,
        invitation_id text,
        language text,
        follow_up_requested boolean,
        test boolean,
        quiet boolean,
        sent text,
        attributes text
    )
    """,
    """
    create type snapshot_row_v1 as (
        account_id text,
        sequence bigint,
        computed_at timestamptz,
        account_class text,
        class_numbers text,
        attributes text,
        figures text,
        dropped boolean,
        dropped_until timestamptz,
        next_border timestamptz
    )
    """,
    """
    create type latest_pair_row_v1 as (
        account_id text,
        stakeholder_id text,
        survey_type text,
        nps_kind text,
        response_id text,
        answered_at timestamptz,
        score smallint,
        follow_up_requested boolean,
        fresh boolean,
        previous_response_id text,
        previous_answered_at timestamptz,
        previous_score smallint,
        falls_in_a_row int
    )
    """,
    f"""
    create type snapshot_sums_row_v1 as (
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
        asked int,
        sent int,
        delivered int,
        opened int,
        bounced int,
        answered int,
        commented int,
        follow_up_requested int
    )
    """,
)


def upgrade() -> None:
    """Make the rows. They never change, since the release before goes on writing them: more columns are a `_v2`."""
    for statement in TYPES:
        op.execute(statement)
