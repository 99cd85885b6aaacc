"""The first form of the collector's state: the directory itself, and import jobs with their files and reports."""

from alembic import op

from shared.db.directory import directory_ddl_v1
from shared.db.plumbing import plumbing_ddl_v1

revision = "collector_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = [
    # A claim is `claimed_by` until `lease_until`; progress is written together with the events of the rows.
    """
    create table imports (
        import_id uuid primary key,
        kind text not null check (kind in ('responses', 'accounts', 'stakeholders')),
        state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
        file_name text,
        file_lines bigint not null,
        columns jsonb not null,
        date_format text,
        answered_at timestamptz,
        quiet boolean not null,
        created_by text not null,
        owner_email text,
        created_at timestamptz not null,
        started_at timestamptz,
        finished_at timestamptz,
        rows_read bigint not null default 0,
        taken bigint not null default 0,
        skipped bigint not null default 0,
        bad bigint not null default 0,
        error_code text,
        error_detail text,
        claimed_by uuid,
        lease_until timestamptz,
        attempts int not null default 0
    )
    """,
    "create index imports_open on imports (created_at) where state in ('queued', 'running')",
    "create index imports_finished on imports (finished_at) where finished_at is not null",
    # The uploaded file in pieces, until the job is done: any replica can go on with it.
    """
    create table import_pieces (
        import_id uuid not null references imports on delete cascade,
        position int not null,
        bytes bytea not null,
        primary key (import_id, position)
    )
    """,
    # How often the same values have come in a file, until the job is done: gives equal rows ids of their own.
    """
    create table import_occurrences (
        import_id uuid not null references imports on delete cascade,
        digest uuid not null,
        seen int not null,
        primary key (import_id, digest)
    )
    """,
    """
    create table import_problems (
        import_id uuid not null references imports on delete cascade,
        line bigint not null,
        outcome text not null check (outcome in ('skipped', 'bad')),
        code text not null,
        field text,
        reason text not null,
        primary key (import_id, line)
    )
    """,
]


def upgrade() -> None:
    """Create everything."""
    for statement in (*plumbing_ddl_v1(), *directory_ddl_v1(), *STATEMENTS):
        op.execute(statement)
