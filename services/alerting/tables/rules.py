"""The rules, every version of them."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.alerting.tables.metadata import INSTANT, METADATA, required

RULES = Table(
    "rules",
    METADATA,
    Column("rule_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    required("position", Integer),
    required("kind", Text),
    required("label", Text),
    required("event", Text),
    required("conditions", JSONB),
    required("severity", Text),
    required("due_amount", Integer),
    required("due_unit", Text),
    required("recipient", Text),
    required("informs", JSONB),
    required("reason", Text),
    required("playbook", Text),
    required("inhibited_by", JSONB),
    required("inhibited_within", Text),
    required("escalation", JSONB),
    required("closes_on_answer", Boolean),
    required("growth", Boolean),
    required("enabled", Boolean),
    required("about", Text),
    required("created_at", INSTANT),
    required("created_by", Text),
)
"""The greatest version of a rule_id is in force."""

PAST_TRIGGERS = Table(
    "past_triggers",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    required("event", Text),
    required("at", INSTANT),
    required("account_id", Text),
    Column("stakeholder_id", Text),
    Column("response_id", Text),
    required("facts", JSONB),
    Column("follow_up_id", Uuid),
)
"""Every event that rules were evaluated on, whether a follow-up opened or not: dry-runs try changed rules on them."""
