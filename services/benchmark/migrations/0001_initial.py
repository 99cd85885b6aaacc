"""Benchmark's state: sets of figures with the six published industries of 2025 and 2026, snapshots, assessments."""

from alembic import op

from shared.db.directory import directory_ddl_v1
from shared.db.plumbing import plumbing_ddl_v1

revision = "benchmark_1"
down_revision = None
compatible_since = "benchmark_1"

NOTE = (
    "B2B averages; Pulse data supported by external research; n, quartiles and region are not published;"
    " the question goes with each business review"
)
STATEMENTS = [
    # A set is never overwritten: a correction is a set of its own with a higher version. All versions of one source,
    # year and region are a series, told apart by their content; the highest version stands.
    """
    create table benchmark_sets (
        set_id text primary key,
        series text not null,
        source text not null,
        year int not null,
        region text,
        version int not null default 1,
        method text,
        note text,
        digest text,
        loaded_by text,
        loaded_at timestamptz not null default now()
    )
    """,
    "create unique index benchmark_sets_version on benchmark_sets (series, version)",
    """
    create table benchmarks (
        set_id text not null references benchmark_sets,
        industry text not null,
        nps numeric not null check (nps between -100 and 100),
        n int,
        lower_quartile numeric,
        median numeric,
        upper_quartile numeric,
        note text,
        primary key (set_id, industry),
        constraint benchmarks_quartiles check (
            lower_quartile between -100 and 100 and median between -100 and 100 and upper_quartile between -100 and 100
        )
    )
    """,
    "create index benchmarks_industry on benchmarks (industry)",
    # The newest snapshot of every account, as the scorer published it.
    """
    create table snapshots (
        account_id text primary key,
        sequence bigint not null,
        computed_at timestamptz not null,
        account_class text not null,
        figures jsonb not null
    )
    """,
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
    # What is shipped counts as loaded before anything else, so that of two sources the one loaded here is taken.
    """
    insert into benchmark_sets (set_id, series, source, year, note, loaded_at) values
        ('clientshare-2025', 'clientshare-2025', 'Clientshare', 2025, 'NOTE', '2026-01-01T00:00:00Z'),
        ('clientshare-2026', 'clientshare-2026', 'Clientshare', 2026, 'NOTE', '2026-01-01T00:00:00Z')
    """.replace("NOTE", NOTE),
    """
    insert into benchmarks (set_id, industry, nps, note) values
        ('clientshare-2025', 'facilities_management', 32, null),
        ('clientshare-2025', 'contract_catering', 32, null),
        ('clientshare-2025', 'logistics', 43, null),
        ('clientshare-2025', 'manufacturing', 46, null),
        ('clientshare-2025', 'bpo', 48, null),
        ('clientshare-2025', 'it_services', 40, null),
        ('clientshare-2026', 'facilities_management', 41, 'costs settled, more consistent work'),
        ('clientshare-2026', 'contract_catering', 39, 'better food quality and choice, fewer supply problems'),
        ('clientshare-2026', 'logistics', 41, 'disruption weakened delivery reliability, communication poorer'),
        ('clientshare-2026', 'manufacturing', 49, 'steady climb, reliability and clearer lead times'),
        ('clientshare-2026', 'bpo', 52, 'fewer errors, clearer insight'),
        ('clientshare-2026', 'it_services', 42,
         'better monitoring and support, held back by cyber-risk and stretched teams')
    """,
]


def upgrade() -> None:
    """Create everything."""
    for statement in (*plumbing_ddl_v1(), *directory_ddl_v1(), *STATEMENTS):
        op.execute(statement)
