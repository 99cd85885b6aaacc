"""The facts that follow-ups are judged by, message counters and the journal of erasure."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.alerting.tables.metadata import INSTANT, METADATA, required

RESPONSES = Table(
    "responses",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("response_id", Text, primary_key=True),
    required("stakeholder_id", Text),
    required("recorded", JSONB),
    required("live", JSONB),
    required("withdrawn", Boolean),
    required("recorded_at", INSTANT),
    Column("named", JSONB),
    required("posted", Text),
)
"""One row an answer, the first that came: `recorded` as it came, `live` after all changes. `named`: it has not come, an
event of the scorer has named it."""

RESPONSE_CHANGES = Table(
    "response_changes",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    required("account_id", Text),
    required("response_id", Text),
    Column("stakeholder_id", Text),
    required("kind", Text),
    required("changes", JSONB),
    required("recorded_at", INSTANT),
    Column("survey_type", Text),
    Column("posted", Text),
    Column("sender", Text),
)
"""Amendments and withdrawals, also of answers that have not come yet."""

ACCOUNT_SCORES = Table(
    "account_scores",
    METADATA,
    Column("account_id", Text, primary_key=True),
    required("sequence", BigInteger),
    Column("account_class", Text),
    required("figures", JSONB),
    Column("computed_at", INSTANT),
    Column("told_class", Text),
    required("class_sequence", BigInteger),
    required("class_changes", JSONB),
    Column("dropped", JSONB),
    required("drop_sequence", BigInteger),
    required("recovered_sequence", BigInteger),
)
"""What the scorer said of each account: its newest snapshot up to `computed_at`, then its class, changes of class, the
last drop and when that was over; of each the greatest sequence stands."""

ACCOUNT_SEQUENCES = Table(
    "account_sequences",
    METADATA,
    Column("account_id", Text, primary_key=True),
    required("last", BigInteger),
)
"""The number of the last message of each account."""

ERASURES = Table(
    "erasures",
    METADATA,
    Column("receipt_id", Uuid, primary_key=True),
    required("subject", Text),
    required("account_id", Text),
    Column("stakeholder_id", Text),
    required("erased_at", INSTANT),
    Column("applied_at", INSTANT),
    required("responses", Integer),
    required("tasks", Integer),
    required("messages", Integer),
)
"""Who was erased, by keyed hash, and when: what was recorded until then is dropped wherever it turns up. Before
`applied_at` the person is hidden, and `stakeholder_id` says who."""

ACCOUNT_WATCHES = Table(
    "account_watches",
    METADATA,
    Column("account_id", Text, primary_key=True),
    required("known_since", INSTANT),
    Column("watched_on", Date),
)
"""When an account that will renew was first seen, for those of whom no decision-maker was ever heard, and the day of
the last watch that has judged it; segments too, under the names that stand for accounts."""

INVITATIONS = Table(
    "invitations",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("stakeholder_id", Text, primary_key=True),
    Column("invitation_id", Text, primary_key=True),
    Column("channel", Text),
    Column("sent_at", INSTANT),
    Column("delivered_at", INSTANT),
    Column("opened_at", INSTANT),
    Column("started_at", INSTANT),
    Column("bounced_at", INSTANT),
    Column("unsubscribed_at", INSTANT),
    Column("withdrawn_at", INSTANT),
    Column("bounce_recorded_at", INSTANT),
    required("recorded_at", INSTANT),
    Column("asked_at", INSTANT),
    Column("silent_at", INSTANT),
    Column("silent_days", Integer),
    Column("furthest", Text),
    Column("silent_type", Text),
)
"""How far each invitation came, the first moment of each step; what follows `recorded_at` is what the scorer said."""

CONTRACT_EVENTS = Table(
    "contract_events",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    required("account_id", Text),
    required("kind", Text),
    required("at", INSTANT),
)
"""Contracts that were renewed or lost."""
