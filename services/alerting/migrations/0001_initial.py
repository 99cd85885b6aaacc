"""The first form of alerting's state: rules, tasks with their history, and what is known of accounts and answers."""

from alembic import op

from shared.db.directory import directory_ddl_v1
from shared.db.plumbing import plumbing_ddl_v1

revision = "alerting_0001"
down_revision = None
branch_labels = None
depends_on = None

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
        inhibited_by jsonb not null,
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
    # The answers as alerting knows them: what was recorded first, and what the changes made of it.
    """
    create table responses (
        account_id text not null,
        response_id text not null,
        stakeholder_id text not null,
        recorded jsonb not null,
        live jsonb not null,
        withdrawn boolean not null default false,
        recorded_at timestamptz not null,
        named jsonb,
        posted text not null,
        primary key (account_id, response_id)
    )
    """,
    "create index responses_person on responses (account_id, stakeholder_id)",
    """
    create table response_changes (
        event_id uuid primary key,
        account_id text not null,
        response_id text not null,
        stakeholder_id text,
        kind text not null check (kind in ('amended', 'withdrawn')),
        changes jsonb not null,
        recorded_at timestamptz not null,
        survey_type text,
        posted text,
        sender text
    )
    """,
    "create index response_changes_response on response_changes (account_id, response_id)",
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
    # How many messages each account has had; given under the account's lock, so without gaps and in commit order.
    """
    create table account_sequences (
        account_id text primary key,
        last bigint not null
    )
    """,
    """
    create table erasures (
        receipt_id uuid primary key,
        subject text not null,
        account_id text not null,
        stakeholder_id text,
        erased_at timestamptz not null,
        applied_at timestamptz,
        responses int not null default 0,
        tasks int not null default 0,
        messages int not null default 0,
        check ((applied_at is null) = (stakeholder_id is not null))
    )
    """,
    "create index erasures_subject on erasures (subject, erased_at)",
    "create index erasures_waiting on erasures (account_id, stakeholder_id) where applied_at is null",
]


def upgrade() -> None:
    """Create everything."""
    for statement in (*plumbing_ddl_v1(), *directory_ddl_v1(), *STATEMENTS):
        op.execute(statement)
