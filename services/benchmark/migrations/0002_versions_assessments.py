"""Sets as series of versions, told apart by their content; assessments of maturity; the order of snapshots."""

from alembic import op

revision = "benchmark_0002"
down_revision = "benchmark_0001"
branch_labels = None
depends_on = None

STATEMENTS = [
    # All versions of one source, year and region are a series; the highest version stands.
    "alter table benchmark_sets add column series text",
    "alter table benchmark_sets add column digest text",
    "alter table benchmark_sets add column loaded_by text",
    # What is shipped counts as loaded before anything else, so that of two sources the one loaded here is taken.
    "update benchmark_sets set series = set_id, loaded_at = '2026-01-01T00:00:00Z'",
    "alter table benchmark_sets alter column series set not null",
    "create unique index benchmark_sets_version on benchmark_sets (series, version)",
    """
    alter table benchmarks add constraint benchmarks_quartiles check (
        lower_quartile between -100 and 100 and median between -100 and 100 and upper_quartile between -100 and 100
    )
    """,
    "create index benchmarks_industry on benchmarks (industry)",
    # What somebody answered, and the result of then: rules may change, an assessment stays what it was.
    """
    create table assessments (
        assessment_id uuid primary key,
        owner_email text,
        answers jsonb not null,
        result jsonb not null,
        created_at timestamptz not null,
        created_by text not null
    )
    """,
    "create index assessments_order on assessments (created_at desc, assessment_id desc)",
]


def upgrade() -> None:
    """Add to what stands."""
    for statement in STATEMENTS:
        op.execute(statement)
