"""Alerting's follow-ups: rules, tasks with their history, and the facts that they are judged by."""

from alembic import op

from shared.db.directory import aliases_ddl_v1, directory_ddl_v1
from shared.db.plumbing import plumbing_ddl_v1
from shared.words import HELD

revision = "alerting_1"
down_revision = None
compatible_since = "alerting_1"

STATEMENTS = [
    # Every version of every rule; the greatest version of a rule_id is in force.
    """
    create table rules (
        rule_id text not null,
        version int not null,
        position int not null,
        kind text not null,
        label text not null,
        event text not null,
        conditions jsonb not null,
        severity text not null,
        due_amount int not null,
        due_unit text not null,
        recipient text not null,
        informs jsonb not null,
        reason text not null,
        playbook text not null,
        about text not null default 'person' check (about in ('person', 'account')),
        inhibited_by jsonb not null,
        inhibited_within text not null default 'person' check (inhibited_within in ('person', 'account')),
        escalation jsonb not null default '[]',
        closes_on_answer boolean not null,
        growth boolean not null,
        enabled boolean not null,
        created_at timestamptz not null,
        created_by text not null,
        primary key (rule_id, version)
    )
    """,
    """
    create table tasks (
        follow_up_id uuid primary key,
        version int not null,
        kind text not null,
        title text not null,
        severity text not null check (severity in ('critical', 'high', 'medium', 'low')),
        state text not null check (state in ('open', 'acknowledged', 'in_progress', 'snoozed', 'closed')),
        account_id text not null,
        stakeholder_id text,
        response_id text,
        owner_name text,
        owner_email text,
        owner_source text not null,
        recipient text not null,
        informed jsonb not null,
        due_at timestamptz not null check (isfinite(due_at)),
        occurrences int not null,
        reasons jsonb not null,
        inhibited jsonb not null,
        playbook text not null,
        opened_at timestamptz not null,
        opened_by text not null,
        updated_at timestamptz not null,
        policy jsonb not null,
        score int,
        touchpoint text,
        product text,
        acknowledged_at timestamptz,
        started_at timestamptz,
        snoozed_until timestamptz check (isfinite(snoozed_until)),
        promised text,
        promised_by timestamptz check (isfinite(promised_by)),
        closed_at timestamptz,
        outcome text check (outcome in ('resolved', 'dismissed', 'answered', 'improved', 'corrected', 'over', 'gone',
            'superseded', 'merged')),
        root_cause text,
        what_was_done text,
        told_customer boolean,
        result text,
        touched_at timestamptz,
        over_since timestamptz,
        over_because text,
        over_outcome text,
        closed_by text check (closed_by in ('person', 'facts')),
        linked_to uuid,
        escalations jsonb not null default '[]',
        next_escalation_at timestamptz check (isfinite(next_escalation_at)),
        paused_since timestamptz,
        paused_seconds int not null default 0,
        ack_expires_at timestamptz check (isfinite(ack_expires_at)),
        unacknowledged_at timestamptz,
        survey_type text,
        nps_kind text,
        next_response_id text,
        next_score int,
        next_answered_at timestamptz,
        next_result text check (next_result in ('recovered', 'unchanged', 'worse')),
        check ((over_since is null) = (over_because is null) and (over_since is null) = (over_outcome is null)),
        check ((state = 'closed') = (closed_at is not null and outcome is not null and closed_by is not null))
    )
    """,
    # One open task for a person and kind, whatever races.
    """
    create unique index tasks_one_open on tasks (account_id, coalesce(stakeholder_id, ''), kind)
        where state <> 'closed'
    """,
    "create index tasks_account on tasks (account_id, stakeholder_id)",
    "create index tasks_due on tasks (due_at, follow_up_id)",
    "create index tasks_updated on tasks (updated_at, follow_up_id)",
    "create index tasks_opened on tasks (opened_at, follow_up_id)",
    "create index tasks_response on tasks (account_id, response_id) where state <> 'closed'",
    "create index tasks_snoozed on tasks (snoozed_until) where state = 'snoozed'",
    "create index tasks_escalation on tasks (next_escalation_at) where next_escalation_at is not null",
    "create index tasks_ack on tasks (ack_expires_at) where state = 'acknowledged' and ack_expires_at is not null",
    # What is open, and what facts have closed lately and may open again.
    "create index tasks_closed_by_facts on tasks (account_id, closed_at) where closed_by = 'facts'",
    """
    create table task_history (
        entry bigint generated always as identity primary key,
        follow_up_id uuid not null references tasks (follow_up_id),
        action text not null,
        actor text not null,
        at timestamptz not null,
        version int not null,
        comment text,
        changes jsonb not null,
        event_id uuid
    )
    """,
    "create index task_history_task on task_history (follow_up_id, entry)",
    # The primary key is the promise: a level of a follow-up fires once.
    """
    create table task_escalations (
        follow_up_id uuid not null references tasks (follow_up_id),
        level int not null,
        cause text not null check (cause in ('overdue', 'promise_near', 'promise_past')),
        recipient text not null,
        fired_at timestamptz not null,
        primary key (follow_up_id, level)
    )
    """,
    # What each task rests on, and what it has taken in; `settled` once a person has closed it.
    """
    create table task_occasions (
        follow_up_id uuid not null references tasks (follow_up_id),
        kind text not null,
        stakeholder_id text not null,
        occasion text not null,
        account_id text not null,
        role text not null check (role in ('own', 'taken_in')),
        event text not null,
        response_id text,
        at timestamptz,
        facts jsonb not null,
        matches jsonb not null,
        holds boolean not null,
        settled boolean not null default false,
        primary key (follow_up_id, kind, stakeholder_id, occasion)
    )
    """,
    "create index task_occasions_settled on task_occasions (account_id, stakeholder_id) where settled",
    "create index task_occasions_response on task_occasions (account_id, response_id)",
    # The answers as alerting knows them: what they are now, and in `base` what was recorded first of the fields that
    # are another now; null while nothing was changed.
    """
    create table responses (
        account_id text not null,
        response_id text not null,
        stakeholder_id text not null,
        survey_type text not null,
        score smallint not null,
        answered_at timestamptz not null,
        nps_kind text,
        comment text,
        touchpoint text,
        product text,
        follow_up_requested boolean not null default false,
        language text,
        quiet boolean not null default false,
        test boolean not null default false,
        withdrawn boolean not null default false,
        recorded_at timestamptz not null,
        base jsonb,
        named jsonb,
        posted text not null,
        digests jsonb not null default '{}',
        import_id uuid,
        undone_at timestamptz,
        primary key (account_id, response_id)
    )
    """,
    "create index responses_person on responses (account_id, stakeholder_id)",
    # Which answers still have words, for those that forget the old ones.
    f"""
    create index responses_words on responses (answered_at) where comment is not null or {HELD.format("base")}
    """,
    # The first answer of an account is found at once, however many there are.
    "create index responses_known on responses (account_id, recorded_at)",
    """
    create table response_changes (
        event_id uuid primary key,
        account_id text not null,
        response_id text not null,
        stakeholder_id text,
        kind text not null check (kind in ('amended', 'withdrawn', 'undone')),
        changes jsonb not null,
        recorded_at timestamptz not null,
        survey_type text,
        posted text,
        sender text,
        rank smallint not null default 1,
        written_at timestamptz,
        import_id uuid
    )
    """,
    "create index response_changes_response on response_changes (account_id, response_id)",
    f"create index response_changes_words on response_changes (account_id, response_id) where {HELD.format('changes')}",
    # The first moment of each kind, whatever the order of arrival; `silent_at` and what follows it from the scorer.
    """
    create table invitations (
        account_id text not null,
        invitation_id text not null,
        stakeholder_id text not null,
        channel text,
        sent_at timestamptz,
        delivered_at timestamptz,
        opened_at timestamptz,
        started_at timestamptz,
        bounced_at timestamptz,
        unsubscribed_at timestamptz,
        withdrawn_at timestamptz,
        bounce_recorded_at timestamptz,
        recorded_at timestamptz not null,
        asked_at timestamptz,
        silent_at timestamptz,
        silent_days int,
        furthest text,
        silent_type text,
        primary key (account_id, stakeholder_id, invitation_id)
    )
    """,
    """
    create table contract_events (
        event_id uuid primary key,
        account_id text not null,
        kind text not null check (kind in ('contract_renewed', 'contract_lost')),
        at timestamptz not null
    )
    """,
    "create index contract_events_account on contract_events (account_id, at)",
    """
    create table account_scores (
        account_id text primary key,
        sequence bigint not null default -1,
        account_class text,
        figures jsonb not null default '{}',
        computed_at timestamptz,
        told_class text,
        class_sequence bigint not null default -1,
        class_changes jsonb not null default '[]',
        dropped jsonb,
        drop_sequence bigint not null default -1,
        recovered_sequence bigint not null default -1
    )
    """,
    # Since when accounts are known, and when the daily watch has judged them.
    """
    create table account_watches (
        account_id text primary key,
        known_since timestamptz not null,
        watched_on date
    )
    """,
    "create index accounts_renewal on accounts (renewal_on) where renewal_on is not null",
    # Every event that rules were asked about; kept for a while, so that a changed rule can be tried on it.
    """
    create table past_triggers (
        event_id uuid primary key,
        event text not null,
        at timestamptz not null,
        account_id text not null,
        stakeholder_id text,
        response_id text,
        facts jsonb not null,
        follow_up_id uuid
    )
    """,
    "create index past_triggers_at on past_triggers (at, event_id)",
    "create index past_triggers_person on past_triggers (account_id, stakeholder_id)",
    "create index past_triggers_response on past_triggers (account_id, response_id) where response_id is not null",
    """
    create table erasures (
        receipt_id uuid not null,
        subject text not null,
        account_id text not null,
        stakeholder_id text,
        erased_at timestamptz not null,
        applied_at timestamptz,
        responses int not null default 0,
        follow_ups int not null default 0,
        messages int not null default 0,
        primary key (receipt_id, subject),
        check ((applied_at is null) = (stakeholder_id is not null))
    )
    """,
    "create index erasures_subject on erasures (subject, erased_at)",
    "create index erasures_waiting on erasures (account_id, stakeholder_id) where applied_at is null",
    """
    create table undone_imports (
        import_id uuid not null,
        account_id text not null,
        primary key (import_id, account_id)
    )
    """,
    # Answers that an erasure took, so that what is still said about them is dropped too: ids, nothing of people.
    """
    create table dropped_responses (
        account_id text not null,
        response_id text not null,
        primary key (account_id, response_id)
    )
    """,
]


def upgrade() -> None:
    """Create everything."""
    for statement in (*plumbing_ddl_v1(), *directory_ddl_v1(), *aliases_ddl_v1(), *STATEMENTS):
        op.execute(statement)
