"""Mails that ask nothing: what they are about, how far they came; and whether mails go at all."""

from alembic import op

revision = "outreach_2"
down_revision = "outreach_1"
compatible_since = "outreach_1"

STATEMENTS = [
    # What was changed after answers, told to those who gave them. `line`: what the next invitation says of it.
    """
    create table loop_backs (
        loop_back_id uuid primary key,
        account_id text,
        theme text,
        changed text not null,
        line text not null,
        language text not null,
        sender_email text,
        sender_name text,
        created_at timestamptz not null,
        created_by text not null,
        withdrawn_at timestamptz,
        withdrawn_by text,
        check ((account_id is null) <> (theme is null))
    )
    """,
    "create index loop_backs_order on loop_backs (created_at desc, loop_back_id desc)",
    # Mails that ask nothing, each once: `key` names it. `recipient` is a colleague; mails to a customer's person go to
    # the address that the directory has then. `data_started_at` as in `sends`.
    """
    create table notices (
        notice_id uuid primary key,
        key text not null unique,
        kind text not null check (kind in ('owner_list', 'loop_back', 'paused', 'weekly')),
        recipient text,
        programme_id text,
        wave date,
        loop_back_id uuid references loop_backs on delete cascade,
        account_id text,
        stakeholder_id text,
        content jsonb,
        state text not null default 'waiting' check (state in ('waiting', 'sent', 'skipped', 'failed')),
        reason text,
        due_at timestamptz not null,
        attempts int not null default 0,
        data_started_at timestamptz,
        ended_at timestamptz,
        unconfirmed boolean not null default false,
        created_at timestamptz not null,
        check ((state = 'waiting') = (ended_at is null))
    )
    """,
    "create index notices_due on notices (due_at) where state = 'waiting'",
    "create index notices_started on notices (data_started_at) where data_started_at is not null",
    "create index notices_loop_back on notices (loop_back_id) where loop_back_id is not null",
    "create index notices_person on notices (account_id, stakeholder_id) where account_id is not null",
    # Whether mails go at all. `origin` names the database that they went from: from another one nothing goes until
    # somebody resumes.
    """
    create table sending (
        only_row boolean primary key default true check (only_row),
        origin text not null,
        paused_at timestamptz,
        paused_by text,
        reason text,
        resumed_at timestamptz,
        resumed_by text,
        check ((paused_at is null) = (reason is null))
    )
    """,
    # Who wants no more mails of one programme, but those of others; an address as a keyed hash, as in `suppressions`.
    """
    create table programme_objections (
        address_hash bytea not null,
        key_id text not null,
        programme_id text not null,
        created_at timestamptz not null,
        primary key (address_hash, programme_id)
    )
    """,
    # What share of those asked at an owner's accounts is to answer.
    """
    create table response_targets (
        owner text primary key,
        target float8 not null check (target > 0 and target <= 1),
        set_at timestamptz not null,
        set_by text not null
    )
    """,
]


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
