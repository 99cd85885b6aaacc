"""Answers, and what was changed about them."""

from sqlalchemy import Boolean, Column, Table, Text, Uuid
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
"""One row an answer, the first that came: `recorded` as it came, `live` after all changes. `named`: a
placeholder, only a score event has named the answer."""

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
