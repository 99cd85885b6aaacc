"""Answers, scores, message counters and the journal of erasure."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, Uuid
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
    required("posted", Text),
)
"""One row an answer, the first that came: `recorded` as it came, `live` after all changes."""

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
    required("account_class", Text),
    required("figures", JSONB),
    required("computed_at", INSTANT),
)
"""The newest snapshot of each account."""

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
)
"""When an account that will renew was first seen, for those of whom no decision-maker was ever heard."""

WATCHED = Table("watched", METADATA, Column("event_id", Uuid, primary_key=True), required("at", INSTANT))
"""What time brought about and has been acted on."""
