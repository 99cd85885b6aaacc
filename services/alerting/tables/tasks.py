"""Tasks, their history, and the occasions that they rest on."""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.alerting.tables.metadata import INSTANT, METADATA, required

TASKS = Table(
    "tasks",
    METADATA,
    Column("follow_up_id", Uuid, primary_key=True),
    required("version", Integer),
    required("kind", Text),
    required("title", Text),
    required("severity", Text),
    required("state", Text),
    required("account_id", Text),
    Column("stakeholder_id", Text),
    Column("response_id", Text),
    Column("owner_name", Text),
    Column("owner_email", Text),
    required("owner_source", Text),
    required("recipient", Text),
    required("informed", JSONB),
    required("due_at", INSTANT),
    required("occurrences", Integer),
    required("reasons", JSONB),
    required("inhibited", JSONB),
    required("playbook", Text),
    required("opened_at", INSTANT),
    required("opened_by", Text),
    required("updated_at", INSTANT),
    required("policy", JSONB),
    Column("score", Integer),
    Column("touchpoint", Text),
    Column("product", Text),
    Column("acknowledged_at", INSTANT),
    Column("started_at", INSTANT),
    Column("snoozed_until", INSTANT),
    Column("promised", Text),
    Column("promised_by", INSTANT),
    Column("closed_at", INSTANT),
    Column("outcome", Text),
    Column("root_cause", Text),
    Column("what_was_done", Text),
    Column("told_customer", Boolean),
    Column("result", Text),
    Column("touched_at", INSTANT),
    Column("over_since", INSTANT),
    Column("over_because", Text),
    Column("over_outcome", Text),
    Column("closed_by", Text),
    Column("linked_to", Uuid),
    required("escalations", JSONB),
    Column("next_escalation_at", INSTANT),
    Column("paused_since", INSTANT),
    required("paused_seconds", Integer),
    Column("ack_expires_at", INSTANT),
    Column("unacknowledged_at", INSTANT),
    Column("survey_type", Text),
    Column("nps_kind", Text),
    Column("next_response_id", Text),
    Column("next_score", Integer),
    Column("next_answered_at", INSTANT),
    Column("next_result", Text),
)
"""One row a follow-up, open or closed."""

TASK_ESCALATIONS = Table(
    "task_escalations",
    METADATA,
    Column("follow_up_id", Uuid, primary_key=True),
    Column("level", Integer, primary_key=True),
    required("cause", Text),
    required("recipient", Text),
    required("fired_at", INSTANT),
)
"""Every level that has fired: one row, whatever is killed and however many look."""

TASK_HISTORY = Table(
    "task_history",
    METADATA,
    Column("entry", BigInteger, Identity(always=True), primary_key=True),
    required("follow_up_id", Uuid),
    required("action", Text),
    required("actor", Text),
    required("at", INSTANT),
    required("version", Integer),
    Column("comment", Text),
    required("changes", JSONB),
    Column("event_id", Uuid),
)
"""Who changed what, when and why."""
