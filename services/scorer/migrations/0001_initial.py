"""The first form of the scorer's state: the answers, what was changed about them, and all that is derived."""

from alembic import op

from shared.db.directory import directory_ddl_v1
from shared.db.plumbing import plumbing_ddl_v1

revision = "scorer_0001"
down_revision = None
branch_labels = None
depends_on = None

# The live columns of `responses` follow from `base` (the values as first recorded, of the fields that were
# changed since; null while nothing was) and from `response_changes`.
STATEMENTS = [
    """
    create table responses (
        response_id text primary key,
        account_id text not null,
        stakeholder_id text not null,
        email text,
        survey_type text not null,
        score smallint not null,
        comment text,
        answered_at timestamptz not null,
        recorded_at timestamptz not null,
        nps_kind text not null,
        touchpoint text,
        product text,
        channel text,
        survey_id text,
        invitation_id text,
        language text,
        follow_up_requested boolean not null default false,
        attributes jsonb not null default '{}',
        test boolean not null default false,
        quiet boolean not null default false,
        sent text[] not null default '{}',
        withdrawn boolean not null default false,
        erased boolean not null default false,
        revision int not null default 1,
        base jsonb,
        updated_at timestamptz not null
    )
    """,
    "create index responses_reading on responses (account_id, stakeholder_id, answered_at) include (score)",
    """
    create table response_answers (
        response_id text not null,
        question_id text not null,
        position smallint not null,
        account_id text not null,
        stakeholder_id text not null,
        answered_at timestamptz not null,
        type text not null,
        attribute text,
        value_number numeric,
        value_text text,
        primary key (response_id, question_id)
    )
    """,
    "create index response_answers_reading on response_answers (account_id, stakeholder_id, answered_at)",
    """
    create table response_changes (
        event_id uuid primary key,
        response_id text not null,
        account_id text not null,
        stakeholder_id text,
        kind text not null check (kind in ('amended', 'withdrawn')),
        changes jsonb not null default '{}',
        recorded_at timestamptz not null,
        survey_type text,
        posted text
    )
    """,
    "create index response_changes_response on response_changes (response_id)",
    """
    create table marks (
        account_id text primary key,
        marked_at timestamptz not null,
        loud boolean not null default false,
        tries int not null default 0,
        failed_at timestamptz,
        retry_at timestamptz
    )
    """,
    "create index marks_oldest on marks (marked_at)",
    "create index marks_apart on marks (retry_at) where retry_at is not null",
    """
    create table snapshots (
        account_id text primary key,
        sequence bigint not null default 0,
        computed_at timestamptz not null,
        account_class text not null,
        class_numbers jsonb not null default '{}',
        attributes jsonb not null default '{}',
        figures jsonb not null,
        dropped boolean not null default false,
        dropped_until timestamptz,
        next_border timestamptz
    )
    """,
    "create index snapshots_next_border on snapshots (next_border) where next_border is not null",
    """
    create table latest_pairs (
        account_id text not null,
        stakeholder_id text not null,
        survey_type text not null,
        nps_kind text not null,
        response_id text not null,
        answered_at timestamptz not null,
        score smallint not null,
        follow_up_requested boolean not null default false,
        fresh boolean not null default false,
        previous_response_id text,
        previous_answered_at timestamptz,
        previous_score smallint,
        falls_in_a_row int not null default 0,
        primary key (account_id, stakeholder_id, survey_type, nps_kind)
    )
    """,
    """
    create table invitations (
        account_id text not null,
        invitation_id text not null,
        stakeholder_id text not null,
        survey_id text,
        channel text,
        sent_at timestamptz,
        delivered_at timestamptz,
        opened_at timestamptz,
        started_at timestamptz,
        reminded_at timestamptz,
        bounced_at timestamptz,
        expired_at timestamptz,
        unsubscribed_at timestamptz,
        withdrawn_at timestamptz,
        recorded_at timestamptz not null,
        silent_at timestamptz,
        primary key (account_id, invitation_id, stakeholder_id)
    )
    """,
    """
    create table context_marks (
        event_id uuid primary key,
        account_id text not null,
        stakeholder_id text,
        kind text not null,
        at timestamptz not null,
        label text,
        recorded_at timestamptz not null
    )
    """,
    "create index context_marks_reading on context_marks (account_id, at)",
    """
    create table erasures (
        receipt_id uuid primary key,
        subject text not null,
        account_id text not null,
        stakeholder_id text,
        erased_at timestamptz not null,
        applied_at timestamptz,
        responses int not null default 0,
        invitations int not null default 0,
        context_marks int not null default 0,
        check ((applied_at is null) = (stakeholder_id is not null))
    )
    """,
    """
    create table dropped_responses (
        response_id text primary key,
        account_id text not null
    )
    """,
    "create index erasures_subject on erasures (subject, erased_at)",
    "create index erasures_waiting on erasures (account_id, stakeholder_id) where applied_at is null",
]


def upgrade() -> None:
    """Create everything."""
    for statement in (*plumbing_ddl_v1(), *directory_ddl_v1(), *STATEMENTS):
        op.execute(statement)
