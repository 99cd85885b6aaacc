"""The first form of the scorer's state: the answers, what was changed about them, and all that is derived."""

from alembic import op

from shared.db.directory import aliases_ddl_v1, directory_ddl_v1
from shared.db.plumbing import plumbing_ddl_v1
from shared.words import HELD

revision = "scorer_1"
down_revision = None
compatible_since = "scorer_1"

PICKED = ("latest", "latest_before", "all", "all_before")
NUMBERS = (
    *("pairs", "pairs_sum", "pairs_squares", "known", "asked", "sent", "delivered", "opened", "started", "bounced"),
    *("answered", "commented", "follow_up_requested", "withdrawn"),
)
COUNTS = f"""
    score_window text,
    moment timestamptz,
    account_id text,
    {", ".join(f"{picked}_{score} int" for picked in PICKED for score in range(11))},
    respondents int,
    respondents_before int,
    last_at timestamptz,
    last_before timestamptz,
    {", ".join(f"{name} int" for name in NUMBERS)}
"""
# The live columns of `responses` follow from `base` (the values as first recorded, of the fields that were
# changed since; null while nothing was) and from `response_changes`. `stakeholder_id` is the person, whichever of their
# ids the answer was given with: that one is `given_stakeholder_id` where it is another.
STATEMENTS = [
    """
    create table responses (
        response_id text primary key,
        account_id text not null,
        stakeholder_id text not null,
        given_stakeholder_id text,
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
        updated_at timestamptz not null,
        import_id uuid,
        undone_at timestamptz,
        changed_quietly boolean not null default false,
        changed_xid xid8 not null default pg_current_xact_id(),
        changed_at timestamptz not null default now()
    )
    """,
    # All that counting asks: what is live, of which survey, in which order. An account is counted by the index alone.
    """
    create index responses_covering on responses (account_id, stakeholder_id, answered_at)
        include (score, response_id, survey_type, withdrawn, erased, test)
    """,
    # Whose id was that? Most answers are given with the person's own.
    """
    create index responses_given on responses (account_id, given_stakeholder_id)
        where given_stakeholder_id is not null
    """,
    # An index alone answers only of what a vacuum has seen, and by default that comes after a fifth more of answers.
    "alter table responses set (autovacuum_vacuum_insert_scale_factor = 0.02)",
    # Lists in the order of time; new answers come at its end, where an index is cheap to keep.
    "create index responses_moments on responses (answered_at)",
    # What came back from an invitation; the answers that name none are not in it.
    "create index responses_invitation on responses (account_id, invitation_id) where invitation_id is not null",
    # The few answers that do not count: those of a million that do need not be looked at to leave these out.
    "create index responses_dead on responses (response_id) where withdrawn or erased or test",
    # For those who keep a copy: a change comes at its end, since transactions are counted upwards.
    "create index responses_changed on responses (changed_xid, response_id)",
    # Transactions of another server are counted differently: a restore raises the timeline, the milliseconds since 1970
    # at which it began. Sequences of events begin above it.
    "create table feed (timeline bigint not null)",
    "insert into feed (timeline) values (0)",
    # Which answers still have words, for those that forget the old ones.
    f"""
    create index responses_words on responses (answered_at) where comment is not null or {HELD.format("base")}
    """,
    # Words as they are written (`simple`), since comments come in many languages.
    """
    create index responses_comment on responses using gin (to_tsvector('simple', comment))
        where comment is not null
    """,
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
    create index response_answers_words on response_answers (answered_at)
        where type = 'text' and value_text is distinct from ''
    """,
    """
    create table response_changes (
        event_id uuid primary key,
        response_id text not null,
        account_id text not null,
        stakeholder_id text,
        kind text not null check (kind in ('amended', 'withdrawn', 'undone')),
        changes jsonb not null default '{}',
        recorded_at timestamptz not null,
        survey_type text,
        posted text,
        rank smallint not null default 1,
        written_at timestamptz,
        import_id uuid,
        quiet boolean not null default false
    )
    """,
    "create index response_changes_response on response_changes (response_id)",
    f"create index response_changes_words on response_changes (response_id) where {HELD.format('changes')}",
    "create index response_changes_import on response_changes (import_id, account_id) where import_id is not null",
    # What became of the rows of an import, by the partition that they came through: each partition is counted by the
    # transaction that reads it, up to an offset.
    """
    create table import_rows_seen (
        import_id uuid not null,
        partition int not null,
        last_offset bigint not null,
        new bigint not null default 0,
        amended bigint not null default 0,
        same bigint not null default 0,
        kept bigint not null default 0,
        conflict bigint not null default 0,
        gone bigint not null default 0,
        dropped bigint not null default 0,
        primary key (import_id, partition)
    )
    """,
    """
    create table import_lines (
        import_id uuid not null,
        line bigint not null,
        outcome text not null,
        code text not null,
        fields text[] not null,
        seen_at timestamptz not null,
        primary key (import_id, line)
    )
    """,
    "create index import_lines_age on import_lines (seen_at)",
    """
    create table undone_imports (
        import_id uuid not null,
        account_id text not null,
        undone_at timestamptz not null,
        primary key (import_id, account_id)
    )
    """,
    """
    create table pending_changes (
        event_id uuid primary key references response_changes on delete cascade,
        response_id text not null,
        recorded_at timestamptz not null,
        partition int,
        record_offset bigint,
        headers bytea,
        value bytea,
        sender text
    )
    """,
    "create index pending_changes_response on pending_changes (response_id)",
    "create index pending_changes_age on pending_changes (recorded_at)",
    """
    create table dirty_accounts (
        account_id text primary key,
        revision bigint not null default 1,
        dirty_since timestamptz not null,
        account_events boolean not null default false,
        affects_from timestamptz not null default '-infinity',
        tries int not null default 0,
        failed_at timestamptz,
        retry_at timestamptz
    )
    """,
    "create index dirty_accounts_oldest on dirty_accounts (dirty_since)",
    "create index dirty_accounts_apart on dirty_accounts (retry_at) where retry_at is not null",
    """
    create table snapshots (
        account_id text primary key,
        sequence bigint not null default 0,
        computed_at timestamptz not null,
        account_class text not null,
        class_numbers jsonb not null default '{}',
        attributes jsonb not null default '{}',
        digest bytea not null,
        dropped boolean not null default false,
        dropped_until timestamptz,
        recompute_at timestamptz
    )
    """,
    "create index snapshots_recompute_at on snapshots (recompute_at) where recompute_at is not null",
    # Whether a snapshot was written after a reader looked at its clock.
    "create index snapshots_computed_at on snapshots (computed_at)",
    # Most counts of one account are 0; as null they take no room.
    f"""
    create table account_counts ({COUNTS}, primary key (score_window, moment, account_id))
        partition by list (moment)
    """,
    # Rows as of now are written over all the time; with room on its page none of them needs a new place in the index.
    "create table account_counts_now partition of account_counts for values in ('infinity') with (fillfactor = 70)",
    "create table account_counts_months partition of account_counts default",
    """
    create table months_valid (
        account_id text primary key,
        upto timestamptz not null
    )
    """,
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
    # `stakeholder_id` is the id that was invited, `person_id` the person whose id it is, where theirs is another one.
    """
    create table invitations (
        account_id text not null,
        invitation_id text not null,
        stakeholder_id text not null,
        person_id text,
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
    create view invited_people as
    select account_id, invitation_id, coalesce(person_id, stakeholder_id) as stakeholder_id,
        stakeholder_id as given_stakeholder_id, survey_id, channel, sent_at, delivered_at, opened_at, started_at,
        reminded_at, bounced_at, expired_at, unsubscribed_at, withdrawn_at, recorded_at, silent_at
    from invitations
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
        receipt_id uuid not null,
        subject text not null,
        account_id text not null,
        stakeholder_id text,
        erased_at timestamptz not null,
        applied_at timestamptz,
        responses int not null default 0,
        invitations int not null default 0,
        context_marks int not null default 0,
        primary key (receipt_id, subject),
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
# Rows as they are handed over: one array of rows costs a third less than one array a column. They never change, since
# the release before goes on writing them: more columns are another type.
TYPES = [
    """
    create type response_row as (
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
        attributes text,
        import_id uuid
    )
    """,
    """
    create type snapshot_row as (
        account_id text,
        sequence bigint,
        computed_at timestamptz,
        account_class text,
        class_numbers text,
        attributes text,
        digest bytea,
        dropped boolean,
        dropped_until timestamptz,
        recompute_at timestamptz
    )
    """,
    """
    create type latest_pair_row as (
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
    f"create type account_counts_row as ({COUNTS})",
]


def upgrade() -> None:
    """Create everything."""
    for statement in (*plumbing_ddl_v1(), *directory_ddl_v1(), *aliases_ddl_v1(), *STATEMENTS, *TYPES):
        op.execute(statement)
