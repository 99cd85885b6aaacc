"""Answers."""

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
    required("digests", JSONB),
    Column("import_id", Uuid),
    Column("undone_at", INSTANT),
)
"""One row an answer, the first that came: `recorded` as it came, `live` after all changes. `named`: a
placeholder, only a score event has named the answer. `digests`: of what is not kept of it here."""
