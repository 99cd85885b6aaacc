"""Outreach's state: surveys, asks and their answers, what the collector is to be told, objections, business reviews."""

from alembic import op

from shared.db.directory import aliases_ddl_v1, directory_ddl_v1
from shared.db.plumbing import plumbing_ddl_v1

revision = "outreach_1"
down_revision = None
compatible_since = "outreach_1"

STATEMENTS = [
    # `draft` is what is being edited; a published version is never changed.
    """
    create table surveys (
        survey_id text primary key,
        name text not null,
        draft jsonb not null,
        revision int not null default 1,
        current_version int,
        created_at timestamptz not null,
        created_by text not null,
        updated_at timestamptz not null,
        updated_by text not null,
        archived_at timestamptz,
        archived_by text
    )
    """,
    "create index surveys_order on surveys (created_at desc, survey_id desc)",
    """
    create table survey_versions (
        survey_id text not null references surveys,
        version int not null,
        document jsonb not null,
        changed_wordings jsonb not null,
        published_at timestamptz not null,
        published_by text not null,
        primary key (survey_id, version)
    )
    """,
    # Pictures of companies for the pages, named by their content; frozen versions name them, so none is deleted.
    """
    create table logos (
        logo text primary key,
        kind text not null,
        content bytea not null,
        created_at timestamptz not null,
        created_by text not null
    )
    """,
    # What is known of a person from every source, by the id that the source gave: when they were asked last, and what
    # forbids asking. When they answered last is here only as the scorer told it at the first start, see `answers`.
    """
    create table contacts (
        account_id text not null,
        stakeholder_id text not null,
        last_asked_at timestamptz,
        relationship_asked_at timestamptz,
        transactional_asked_at timestamptz,
        relationship_answered_at timestamptz,
        transactional_answered_at timestamptz,
        bounced_at timestamptz,
        soft_bounced_at timestamptz,
        unsubscribed_at timestamptz,
        primary key (account_id, stakeholder_id)
    )
    """,
    # Answers without what they say: when a person answered last follows from those that count. A row whose
    # recorded_at is null holds what was said about an answer that has not come yet.
    """
    create table answers (
        account_id text not null,
        response_id text not null,
        stakeholder_id text,
        nps_kind text,
        answered_at timestamptz,
        recorded_at timestamptz,
        import_id uuid,
        undone boolean not null default false,
        test boolean not null default false,
        test_said_at timestamptz,
        withdrawn boolean not null default false,
        primary key (account_id, response_id)
    )
    """,
    "create index answers_person on answers (account_id, stakeholder_id)",
    "create index answers_import on answers (account_id, import_id) where import_id is not null",
    # What was read from other services at the first start, and again after so many lost records of the log.
    """
    create table readings (
        name text primary key,
        done_at timestamptz not null,
        accepted_gap bigint not null
    )
    """,
    "create index stakeholders_address on stakeholders (lower(email))",
    # One question to one person. ask_id is the invitation's id; the response's id is derived from it. `answer` goes
    # when its link has ended and the collector has it; which questions were answered stays, since it says what is known
    # of an account.
    """
    create table asks (
        ask_id uuid primary key,
        survey_id text not null,
        survey_version int not null,
        account_id text not null,
        stakeholder_id text not null,
        address_hash bytea,
        address_key_id text,
        origin text not null check (origin in ('link', 'review', 'test', 'programme')),
        review_id uuid,
        programme_id text,
        occasion text,
        latest_at timestamptz,
        state text not null check (state in ('waiting', 'held', 'skipped', 'sent', 'failed', 'withdrawn')),
        reason text,
        note text,
        again_at timestamptz,
        held_until timestamptz,
        channel text not null,
        language text,
        handed_over boolean not null,
        open_days int not null default 30,
        created_at timestamptz not null,
        created_by text not null,
        due_at timestamptz not null,
        sent_at timestamptz,
        closes_at timestamptz,
        opened_at timestamptz,
        started_at timestamptz,
        reminded_at timestamptz,
        reminders int not null default 0,
        reminder_due_at timestamptz,
        unconfirmed boolean not null default false,
        invite_again_at timestamptz,
        invited_again_at timestamptz,
        answered_at timestamptz,
        finished_at timestamptz,
        bounced_at timestamptz,
        unsubscribed_at timestamptz,
        expired_at timestamptz,
        withdrawn_at timestamptz,
        revision int not null default 0,
        answer jsonb,
        answered_questions text[],
        answer_due_at timestamptz,
        foreign key (survey_id, survey_version) references survey_versions (survey_id, version),
        check ((state in ('held', 'skipped', 'failed', 'withdrawn')) = (reason is not null)),
        check ((state = 'held') = (held_until is not null))
    )
    """,
    "create index asks_person on asks (account_id, stakeholder_id, created_at desc)",
    """
    create index asks_answered on asks (account_id, created_at desc)
        where (answer is not null or answered_questions is not null) and origin <> 'test'
    """,
    "create index asks_order on asks (created_at desc, ask_id desc)",
    "create index asks_due on asks (due_at)",
    "create index asks_closing on asks (least(closes_at, withdrawn_at)) where state = 'sent' and expired_at is null",
    "create index asks_address on asks (address_hash, sent_at) where address_hash is not null",
    "create index asks_words on asks (expired_at) where answer is not null and expired_at is not null",
    "create index asks_answer_due on asks (answer_due_at) where answer_due_at is not null",
    "create unique index asks_review on asks (review_id, account_id, stakeholder_id) where review_id is not null",
    """
    create table ask_changes (
        change_id bigint generated always as identity primary key,
        ask_id uuid not null references asks on delete cascade,
        at timestamptz not null,
        state text not null,
        reason text,
        note text,
        actor text not null
    )
    """,
    "create index ask_changes_ask on ask_changes (ask_id, change_id)",
    # Nobody is asked twice by a programme for one occasion: a wave of an account, an event, a renewal.
    """
    create unique index asks_occasion on asks (programme_id, occasion, account_id, stakeholder_id)
        where programme_id is not null
    """,
    """
    create index asks_programme_due on asks (coalesce(held_until, due_at))
        where programme_id is not null and state in ('waiting', 'held')
    """,
    "create index asks_reminder_due on asks (reminder_due_at) where reminder_due_at is not null",
    # Who bounced is invited once more at a corrected address: `invite_again_at` is when, `invited_again_at` that it was
    # done, as long as that mail did not come back too.
    "create index asks_invite_again on asks (invite_again_at) where invite_again_at is not null",
    """
    create index asks_bounced on asks (coalesce(closes_at, latest_at))
        where bounced_at is not null and programme_id is not null and answered_at is null
    """,
    # A programme asks by itself. `dry_run_revision`: the revision whose dry-run somebody has seen; only that is armed.
    # `forecast`: what it would do, as it was found last. `planned_until`: up to when asks were written.
    """
    create table programmes (
        programme_id text primary key,
        name text not null,
        document jsonb not null,
        state text not null default 'draft' check (state in ('draft', 'running', 'paused', 'ended')),
        reason text,
        revision int not null default 1,
        dry_run_revision int,
        dry_run_at timestamptz,
        forecast jsonb,
        begun_on date,
        started_at timestamptz,
        planned_until timestamptz,
        created_at timestamptz not null,
        created_by text not null,
        updated_at timestamptz not null,
        updated_by text not null
    )
    """,
    "create index programmes_order on programmes (created_at desc, programme_id desc)",
    # What happened at accounts, as far as a programme may ask about it.
    """
    create table happenings (
        account_id text not null,
        event_id uuid not null,
        kind text not null,
        at timestamptz not null,
        stakeholder_id text,
        recorded_at timestamptz not null,
        primary key (account_id, event_id)
    )
    """,
    "create index happenings_kind on happenings (kind, at)",
    # Mails, one row for each of an ask. `data_started_at` is written before the relay is given the mail: one that has
    # it and no `sent_at` may be on its way, and is never sent again.
    """
    create table sends (
        ask_id uuid not null references asks on delete cascade,
        kind text not null check (kind in ('invite', 'reminder', 'test')),
        number int not null,
        attempts int not null default 1,
        claimed_until timestamptz not null,
        data_started_at timestamptz,
        sent_at timestamptz,
        ended_at timestamptz,
        reply text,
        address_hash bytea,
        address_key_id text,
        primary key (ask_id, kind, number)
    )
    """,
    "create index sends_started on sends (data_started_at) where data_started_at is not null",
    "create index sends_open on sends (claimed_until) where ended_at is null",
    # What was said of mails that came back or were complained about; `key` names the report, `mailed_at` and
    # `address_hash` are of the mail. Of one that names no mail of ours only the domain of the address is kept.
    """
    create table bounces (
        bounce_id uuid primary key,
        key bytea not null unique,
        source text not null,
        kind text not null check (kind in ('hard', 'soft', 'complaint', 'auto_reply', 'other')),
        effect text not null
            check (effect in ('bounced', 'counted', 'held', 'objected', 'too_old', 'none', 'unmatched')),
        status text,
        recipient_domain text,
        ask_id uuid references asks on delete cascade,
        mailed_at timestamptz,
        address_hash bytea,
        at timestamptz not null,
        received_at timestamptz not null
    )
    """,
    "create index bounces_order on bounces (received_at desc, bounce_id desc)",
    "create index bounces_ask on bounces (ask_id) where ask_id is not null",
    # How far mailboxes of bounces were read.
    """
    create table mailboxes (
        name text primary key,
        uid_validity bigint not null,
        uid bigint not null
    )
    """,
    # Which process does what only one may do at a time, until when.
    """
    create table turns (
        name text primary key,
        holder uuid not null,
        until timestamptz not null
    )
    """,
    # Calls of the other services that must be made, in the order of `entry` for each ask; the body is never changed.
    """
    create table outgoing (
        entry bigint generated always as identity primary key,
        key text not null unique,
        service text not null,
        method text not null,
        path text not null,
        body jsonb not null,
        ask_id uuid,
        account_id text not null,
        stakeholder_id text,
        state text not null default 'waiting' check (state in ('waiting', 'sent', 'stuck')),
        attempts int not null default 0,
        due_at timestamptz not null,
        stuck_reason text,
        created_at timestamptz not null,
        sent_at timestamptz
    )
    """,
    "create index outgoing_waiting on outgoing (due_at, entry) where state = 'waiting'",
    "create index outgoing_stuck on outgoing (entry) where state = 'stuck'",
    "create index outgoing_sent on outgoing (sent_at) where state = 'sent'",
    "create index outgoing_person on outgoing (account_id, stakeholder_id)",
    "create index outgoing_ask on outgoing (ask_id, entry)",
    # Objections: the address as a keyed hash, which stays after an erasure; key_id names the key of the ring.
    """
    create table suppressions (
        suppression_id uuid primary key,
        address_hash bytea not null,
        key_id text not null,
        source text not null,
        created_at timestamptz not null,
        created_by text not null,
        lifted_at timestamptz,
        lifted_by text
    )
    """,
    "create unique index suppressions_address on suppressions (address_hash) where lifted_at is null",
    "create index suppressions_order on suppressions (created_at desc, suppression_id desc)",
    """
    create table business_reviews (
        review_id uuid primary key,
        account_id text not null,
        survey_id text not null,
        survey_version int not null,
        held_on date not null,
        intro text,
        pack jsonb not null,
        created_at timestamptz not null,
        created_by text not null,
        closes_at timestamptz not null,
        withdrawn_at timestamptz,
        foreign key (survey_id, survey_version) references survey_versions (survey_id, version)
    )
    """,
    "create index business_reviews_account on business_reviews (account_id, held_on desc)",
    "create index business_reviews_order on business_reviews (created_at desc, review_id desc)",
    # What people said and what was done about it; `stakeholder_id` is whom it goes back to, and with whom it goes.
    """
    create table review_excerpts (
        review_id uuid not null references business_reviews on delete cascade,
        entry int not null,
        kind text not null check (kind in ('said', 'done')),
        account_id text not null,
        stakeholder_id text,
        content jsonb not null,
        primary key (review_id, entry)
    )
    """,
    "create index review_excerpts_person on review_excerpts (account_id, stakeholder_id)",
    # The last review of an account that the scorer knows of (null: none), as of `looked_at`.
    """
    create table reviews_held (
        account_id text primary key,
        held_on date,
        looked_at timestamptz not null
    )
    """,
    """
    create table review_reminders (
        account_id text not null,
        quarter text not null,
        call_key text not null,
        created_at timestamptz not null,
        closed_at timestamptz,
        primary key (account_id, quarter)
    )
    """,
    """
    create table erasures (
        receipt_id uuid not null,
        subject text not null,
        account_id text not null,
        stakeholder_id text,
        erased_at timestamptz not null,
        applied_at timestamptz,
        asks int not null default 0,
        calls int not null default 0,
        primary key (receipt_id, subject),
        check ((applied_at is null) = (stakeholder_id is not null))
    )
    """,
    "create index erasures_subject on erasures (subject, erased_at)",
    "create index erasures_waiting on erasures (account_id, stakeholder_id) where applied_at is null",
]


def upgrade() -> None:
    """Create everything."""
    for statement in (*plumbing_ddl_v1(), *directory_ddl_v1(), *aliases_ddl_v1(), *STATEMENTS):
        op.execute(statement)
