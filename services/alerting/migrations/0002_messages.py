"""Alerting's messages: webhooks, stored as the bytes that are sent, with deliveries and attempts; notices to people."""

from alembic import op

revision = "alerting_2"
down_revision = "alerting_1"
compatible_since = "alerting_1"

STATEMENTS = [
    # How many messages each account has had; given under the account's lock, so without gaps and in commit order.
    """
    create table account_sequences (
        account_id text primary key,
        last bigint not null
    )
    """,
    # Restores from a backup: nothing leaves by itself from one until somebody lets it. The timeline is the milliseconds
    # since 1970; numbers of messages begin above it, so that they are above all that were given before.
    """
    create table restores (
        timeline bigint primary key,
        restored_at timestamptz not null,
        resumed_at timestamptz,
        resumed_by text
    )
    """,
    # A deleted endpoint keeps its row, so that its deliveries can still be read.
    """
    create table webhook_endpoints (
        endpoint_id text primary key,
        url text not null,
        description text,
        event_types text[],
        format text not null default 'json',
        ordered boolean not null default false,
        max_in_flight smallint not null default 4 check (max_in_flight between 1 and 32),
        header_names text[] not null default '{}',
        sealed_headers bytea,
        owner_email text,
        status text not null default 'enabled' check (status in ('enabled', 'disabled', 'deleted')),
        disabled_reason text check (disabled_reason in ('by_hand', 'gone', 'failing')),
        disabled_at timestamptz,
        consecutive_failures int not null default 0,
        failure_days smallint not null default 0,
        recent jsonb not null default '[]',
        first_failure_at timestamptz,
        last_failure_at timestamptz,
        last_success_at timestamptz,
        breaker_opened_at timestamptz,
        breaker_until timestamptz,
        rest_until timestamptz,
        served_at timestamptz,
        version int not null default 1,
        created_by text not null,
        created_at timestamptz not null,
        updated_at timestamptz not null
    )
    """,
    "create index webhook_endpoints_listed on webhook_endpoints (created_at, endpoint_id) where status <> 'deleted'",
    """
    create table webhook_secrets (
        secret_id bigint generated always as identity primary key,
        endpoint_id text not null references webhook_endpoints (endpoint_id),
        sealed bytea not null,
        created_at timestamptz not null,
        expires_at timestamptz
    )
    """,
    "create index webhook_secrets_endpoint on webhook_secrets (endpoint_id)",
    # One current secret for each endpoint, whatever races.
    "create unique index webhook_secrets_current on webhook_secrets (endpoint_id) where expires_at is null",
    # `body` is what is signed and sent; null once it was purged or the person it speaks of was erased.
    """
    create table webhook_messages (
        message_id text primary key,
        event_type text not null,
        account_id text,
        owner_email text,
        stakeholder_id text,
        sequence bigint,
        body bytea,
        created_at timestamptz not null default now()
    )
    """,
    "create index webhook_messages_person on webhook_messages (account_id, stakeholder_id)",
    "create index webhook_messages_age on webhook_messages (created_at) where body is not null",
    "create index webhook_messages_emptied on webhook_messages (created_at) where body is null",
    """
    create table webhook_deliveries (
        delivery_id text primary key,
        endpoint_id text not null references webhook_endpoints (endpoint_id),
        message_id text not null references webhook_messages (message_id),
        account_id text,
        sequence bigint,
        status text not null check (
            status in ('pending', 'sending', 'delivered', 'exhausted', 'blocked', 'held', 'cancelled')
        ),
        step smallint not null default 0,
        attempts int not null default 0,
        next_attempt_at timestamptz,
        lease_until timestamptz,
        sender text,
        trigger text not null default 'automatic' check (trigger in ('automatic', 'test', 'resend', 'recover')),
        actor text,
        single boolean not null default false,
        priority smallint not null default 0,
        job_id text,
        resend_by text,
        last_failure text,
        created_at timestamptz not null default now(),
        delivered_at timestamptz,
        finished_at timestamptz,
        unique (endpoint_id, message_id),
        check ((status = 'pending') = (next_attempt_at is not null)),
        check ((status = 'sending') = (lease_until is not null and sender is not null))
    )
    """,
    """
    create index webhook_deliveries_due on webhook_deliveries (endpoint_id, priority, next_attempt_at, delivery_id)
        where status = 'pending'
    """,
    "create index webhook_deliveries_next on webhook_deliveries (next_attempt_at) where status = 'pending'",
    "create index webhook_deliveries_leases on webhook_deliveries (endpoint_id, lease_until) where status = 'sending'",
    """
    create index webhook_deliveries_order on webhook_deliveries (endpoint_id, account_id, sequence)
        where status in ('pending', 'sending')
    """,
    "create index webhook_deliveries_listed on webhook_deliveries (endpoint_id, created_at, delivery_id)",
    "create index webhook_deliveries_age on webhook_deliveries (created_at)",
    "create index webhook_deliveries_held on webhook_deliveries (created_at) where status = 'held'",
    "create index webhook_deliveries_message on webhook_deliveries (message_id)",
    """
    create table webhook_attempts (
        delivery_id text not null references webhook_deliveries (delivery_id) on delete cascade,
        number int not null,
        trigger text not null,
        actor text,
        started_at timestamptz not null,
        duration_ms int not null,
        status_code int,
        failure text,
        response_text text not null default '',
        response_truncated boolean not null default false,
        primary key (delivery_id, number)
    )
    """,
    # What an operator should hear of once: a delivery given up, an endpoint gone or failing.
    """
    create table webhook_notices (
        notice_id bigint generated always as identity primary key,
        endpoint_id text not null references webhook_endpoints (endpoint_id),
        kind text not null,
        subject text not null,
        level smallint,
        event_type text,
        message_id text,
        created_at timestamptz not null,
        announced_at timestamptz,
        constraint webhook_notices_once unique nulls not distinct (endpoint_id, kind, subject, level)
    )
    """,
    """
    create index webhook_notices_unannounced on webhook_notices (notice_id)
        where announced_at is null and (kind = 'gone' or (kind = 'failing' and level = 100))
    """,
    # What CRMs send back about follow-ups: each message once.
    """
    create table callbacks (
        endpoint_id text not null,
        message_id text not null,
        digest bytea not null,
        follow_up_id uuid not null,
        at timestamptz not null,
        primary key (endpoint_id, message_id)
    )
    """,
    "create index callbacks_at on callbacks (at)",
    # Whom to tell of what.
    """
    create table notifications (
        notification_id text primary key,
        channel text not null check (channel in ('mail', 'slack', 'teams')),
        topics text[] not null,
        address text,
        host text,
        sealed_url bytea,
        min_severity text not null check (min_severity in ('critical', 'high', 'medium', 'low')),
        quiet_hours boolean not null,
        description text,
        owner_email text,
        created_by text not null,
        created_at timestamptz not null,
        deleted_at timestamptz,
        check ((channel = 'mail') = (sealed_url is null))
    )
    """,
    "create index notifications_listed on notifications (created_at, notification_id) where deleted_at is null",
    # Ids only: the words are found when it is sent, so what was erased meanwhile is not in them.
    """
    create table notices (
        notice_id bigint generated always as identity primary key,
        notification_id text not null references notifications (notification_id),
        recipient text not null,
        account_id text not null,
        topic text not null check (topic in ('follow_ups', 'escalations', 'praise', 'webhooks')),
        event_id uuid not null,
        follow_up_id uuid,
        response_id text,
        cause text,
        status text not null check (status in ('waiting', 'sending', 'sent', 'dropped', 'failed')),
        created_at timestamptz not null,
        due_at timestamptz,
        lease_until timestamptz,
        attempts int not null default 0,
        last_failure text,
        sent_at timestamptz,
        message_id text,
        unique (notification_id, recipient, event_id),
        check ((status = 'waiting') = (due_at is not null)),
        check ((status = 'sending') = (lease_until is not null))
    )
    """,
    "create index notices_due on notices (due_at) where status = 'waiting'",
    "create index notices_waiting on notices (notification_id, recipient, account_id) where status = 'waiting'",
    "create index notices_leases on notices (lease_until) where status = 'sending'",
    "create index notices_follow_up on notices (follow_up_id)",
    "create index notices_age on notices (created_at)",
]


def upgrade() -> None:
    """Create everything."""
    for statement in STATEMENTS:
        op.execute(statement)
