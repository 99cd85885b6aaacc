"""The collector's state: the directory itself, import jobs with their files and reports, the journal of erasures."""

from alembic import op

from shared.db.directory import directory_ddl_v1
from shared.db.plumbing import plumbing_ddl_v1

revision = "collector_1"
down_revision = None
compatible_since = "collector_1"

STATEMENTS = [
    # A claim is `claimed_by` until `lease_until`; progress is written together with the events of the rows.
    """
    create table imports (
        import_id uuid primary key,
        kind text not null check (kind in ('responses', 'accounts', 'stakeholders')),
        state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
        file_name text,
        file_rows bigint not null,
        columns jsonb not null,
        date_format text,
        time_zone text not null,
        answered_at timestamptz,
        remarks jsonb not null,
        quiet boolean not null,
        file_digest bytea,
        same_as uuid,
        mode text not null default 'upsert' check (mode in ('upsert', 'only_new', 'overwrite')),
        written_at timestamptz,
        older_than timestamptz,
        undone_at timestamptz,
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
    # Tells a file that was imported before.
    "create index imports_file_digest on imports (file_digest)",
    # Every file of answers that was ever begun, by the digest of its bytes: when it was written, and of which survey.
    """
    create table import_files (
        digest bytea primary key,
        survey text not null,
        written_at timestamptz not null
    )
    """,
    "create index import_files_survey on import_files (survey, written_at)",
    # The accounts that rows of an import were taken for: each is told when the import is undone.
    """
    create table import_accounts (
        import_id uuid not null references imports on delete cascade,
        account_id text not null,
        primary key (import_id, account_id)
    )
    """,
    # The uploaded file in pieces, until the job is done: any replica can go on with it.
    """
    create table import_pieces (
        import_id uuid not null references imports on delete cascade,
        position int not null,
        bytes bytea not null,
        primary key (import_id, position)
    )
    """,
    # Files that wait for their sender to begin them, for a day.
    """
    create table import_drafts (
        draft_id uuid primary key,
        kind text not null check (kind in ('responses', 'accounts', 'stakeholders')),
        file_name text,
        created_by text not null,
        created_at timestamptz not null
    )
    """,
    "create index import_drafts_sender on import_drafts (created_by, created_at)",
    """
    create table import_draft_pieces (
        draft_id uuid not null references import_drafts on delete cascade,
        position int not null,
        bytes bytea not null,
        primary key (draft_id, position)
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
        outcome text not null check (outcome in ('skipped', 'bad', 'noted')),
        code text not null,
        field text,
        reason text not null,
        primary key (import_id, line)
    )
    """,
    # Rows to be mended, for a week: they hold what the file says of people.
    """
    create table import_bad_rows (
        import_id uuid not null references imports on delete cascade,
        line bigint not null,
        cells jsonb not null,
        kept_at timestamptz not null,
        primary key (import_id, line)
    )
    """,
    "create index import_bad_rows_kept on import_bad_rows (kept_at)",
    # The further ids of people: each belongs to one record.
    """
    create table stakeholder_aliases (
        account_id text not null,
        alias_id text not null,
        stakeholder_id text not null,
        primary key (account_id, alias_id)
    )
    """,
    "create index stakeholder_aliases_holder on stakeholder_aliases (account_id, stakeholder_id)",
    # Records that were merged into another one, with what undoing it needs: their further ids and, where there was one,
    # the record.
    """
    create table stakeholder_merges (
        account_id text not null,
        stakeholder_id text not null,
        into_id text not null,
        aliases text[] not null,
        record jsonb,
        merged_at timestamptz not null,
        primary key (account_id, stakeholder_id)
    )
    """,
    # Finds the later line of somebody who went to another account.
    """
    create index stakeholders_previous
        on stakeholders ((record #>> '{previous,account_id}'), (record #>> '{previous,stakeholder_id}'))
        where record #>> '{previous,account_id}' is not null
    """,
    # The journal of erased people, an entry for each id. The person is a keyed hash. The account stays readable: it
    # is a company, and the receipt is its owner's to see.
    """
    create table erasures (
        receipt_id uuid not null,
        subject text not null,
        account_id text not null,
        erased_at timestamptz not null,
        applied_at timestamptz not null,
        asked_for boolean not null,
        stakeholders int not null,
        events int not null,
        primary key (receipt_id, subject)
    )
    """,
    "create index erasures_subject on erasures (subject, erased_at)",
    "create index erasures_account on erasures (account_id, erased_at)",
]


def upgrade() -> None:
    """Create everything."""
    for statement in (*plumbing_ddl_v1(), *directory_ddl_v1(), *STATEMENTS):
        op.execute(statement)
