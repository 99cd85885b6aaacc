"""Answers."""

from sqlalchemy import Boolean, Column, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.alerting.tables.metadata import INSTANT, METADATA, required

RESPONSES = Table(
    "responses",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("response_id", Text, primary_key=True),
    required("stakeholder_id", Text),
    required("survey_type", Text),
    required("score", SmallInteger),
    required("answered_at", INSTANT),
    Column("nps_kind", Text),
    Column("comment", Text),
    Column("touchpoint", Text),
    Column("product", Text),
    required("follow_up_requested", Boolean),
    Column("language", Text),
    required("quiet", Boolean),
    required("test", Boolean),
    required("withdrawn", Boolean),
    required("recorded_at", INSTANT),
    Column("base", JSONB),
    Column("named", JSONB),
    required("posted", Text),
    required("digests", JSONB),
    Column("import_id", Uuid),
    Column("undone_at", INSTANT),
)
"""One row an answer, as it is after all changes. `base`: as it was recorded first, the fields that are another now.
`named`: a placeholder, only a score event has named the answer. `digests`: of what is not kept of it here."""
