"""The tables that every service has in its own schema: outbox, inbox, cursors, parked records."""

_V1 = [
    """
    create table outbox (
        id bigint generated always as identity primary key,
        topic text not null,
        account_id text not null,
        record_key bytea not null,
        value bytea,
        headers bytea not null,
        partition int,
        created_at timestamptz not null default now(),
        published_at timestamptz
    )
    """,
    "create index outbox_pending on outbox (id) where published_at is null",
    "create index outbox_published on outbox (published_at) where published_at is not null",
    """
    create table inbox (
        event_id uuid primary key,
        seen_at timestamptz not null default now()
    )
    """,
    "create index inbox_seen_at on inbox (seen_at)",
    # One row a partition: the next offset, the epoch of the reader, and the outcomes of all records read.
    """
    create table cursors (
        topic text not null,
        partition int not null,
        next_offset bigint not null,
        epoch bigint not null default 0,
        owner text,
        cluster_id text,
        last_offset bigint,
        last_fingerprint text,
        anchor_offset bigint,
        anchor_fingerprint text,
        next_anchor_offset bigint,
        next_anchor_fingerprint text,
        anchored_at timestamptz,
        truncated_count bigint not null default 0,
        new_count bigint not null default 0,
        repeat_count bigint not null default 0,
        change_count bigint not null default 0,
        pending_count bigint not null default 0,
        conflict_count bigint not null default 0,
        passed_over_count bigint not null default 0,
        dead_lettered_count bigint not null default 0,
        read_count bigint not null default 0,
        accepted_gap bigint not null default 0,
        claims int not null default 0,
        suspect_offset bigint,
        updated_at timestamptz not null default now(),
        primary key (topic, partition)
    )
    """,
    """
    create table parked (
        id uuid primary key,
        kind text not null check (kind in ('dead_letter', 'conflict')),
        reason text not null,
        detail text not null default '',
        topic text not null,
        partition int not null,
        record_offset bigint not null,
        record_key bytea,
        headers bytea not null,
        value bytea,
        account_id text,
        sender text,
        state text not null default 'dead' check (state in ('retrying', 'dead')),
        tries int not null default 0,
        next_try_at timestamptz,
        version text,
        traceback text,
        must_apply text,
        parked_at timestamptz not null default now(),
        replayed_at timestamptz
    )
    """,
    "create index parked_by_kind on parked (kind, parked_at desc, id)",
    "create index parked_by_sender on parked (sender, parked_at) where kind = 'conflict'",
    "create index parked_waiting on parked (topic, partition, next_try_at) where state <> 'dead'",
    "create index parked_set_aside on parked (parked_at) where reason = 'handler_error'",
    "create index parked_must_apply on parked (account_id) where must_apply is not null",
]


def plumbing_ddl_v1() -> list[str]:
    """Statements that create these tables; frozen, since a migration that has run is never edited."""
    return list(_V1)
