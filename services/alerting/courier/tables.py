"""Webhook endpoints and their secrets, messages, deliveries, attempts, and notices to the operator."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.alerting.tables.metadata import INSTANT, METADATA, required

WEBHOOK_ENDPOINTS = Table(
    "webhook_endpoints",
    METADATA,
    Column("endpoint_id", Text, primary_key=True),
    required("url", Text),
    Column("description", Text),
    Column("event_types", ARRAY(Text)),
    required("format", Text),
    required("ordered", Boolean),
    required("max_in_flight", SmallInteger),
    required("header_names", ARRAY(Text)),
    Column("sealed_headers", LargeBinary),
    Column("owner_email", Text),
    required("status", Text),
    Column("disabled_reason", Text),
    Column("disabled_at", INSTANT),
    required("consecutive_failures", Integer),
    Column("first_failure_at", INSTANT),
    Column("last_failure_at", INSTANT),
    Column("last_success_at", INSTANT),
    required("failure_days", SmallInteger),
    required("recent", JSONB),
    Column("breaker_opened_at", INSTANT),
    Column("breaker_until", INSTANT),
    Column("rest_until", INSTANT),
    Column("served_at", INSTANT),
    required("version", Integer),
    required("created_by", Text),
    required("created_at", INSTANT),
    required("updated_at", INSTANT),
)
"""Where messages go. `event_types` null: all; `owner_email`: only messages about this owner's accounts;
`first_failure_at` since when it has only failed, on `failure_days` days; `recent` the counts of the last minutes as
[[half minute, successes, failures]]; the breaker is open while `breaker_opened_at` is set, its next probe goes at
`breaker_until`; until `rest_until` the receiver asked for rest; `served_at` when deliveries were last taken for it."""

WEBHOOK_SECRETS = Table(
    "webhook_secrets",
    METADATA,
    Column("secret_id", BigInteger, Identity(always=True), primary_key=True),
    required("endpoint_id", Text),
    required("sealed", LargeBinary),
    required("created_at", INSTANT),
    Column("expires_at", INSTANT),
)
"""The live secrets of an endpoint, encrypted; `expires_at` null marks the current one."""

WEBHOOK_MESSAGES = Table(
    "webhook_messages",
    METADATA,
    Column("message_id", Text, primary_key=True),
    required("event_type", Text),
    Column("account_id", Text),
    Column("stakeholder_id", Text),
    Column("sequence", BigInteger),
    Column("body", LargeBinary),
    required("created_at", INSTANT),
)
"""What was to be told: `body` is what is signed and sent, null once purged or erased."""

WEBHOOK_DELIVERIES = Table(
    "webhook_deliveries",
    METADATA,
    Column("delivery_id", Text, primary_key=True),
    required("endpoint_id", Text),
    required("message_id", Text),
    Column("account_id", Text),
    Column("sequence", BigInteger),
    required("status", Text),
    required("step", SmallInteger),
    required("attempts", Integer),
    Column("next_attempt_at", INSTANT),
    Column("lease_until", INSTANT),
    Column("sender", Text),
    required("trigger", Text),
    Column("actor", Text),
    required("single", Boolean),
    required("priority", SmallInteger),
    Column("job_id", Text),
    Column("resend_by", Text),
    Column("last_failure", Text),
    required("created_at", INSTANT),
    Column("delivered_at", INSTANT),
    Column("finished_at", INSTANT),
)
"""One message to one endpoint. `sender` is the process that holds it until `lease_until`; `step` counts the
gaps of the schedule used, `attempts` the attempts begun; `trigger` and `actor` are those of the next or
current attempt; `single` allows one attempt only; `resend_by` asked for another
while it was being sent."""

WEBHOOK_ATTEMPTS = Table(
    "webhook_attempts",
    METADATA,
    Column("delivery_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    required("trigger", Text),
    Column("actor", Text),
    required("started_at", INSTANT),
    required("duration_ms", Integer),
    Column("status_code", Integer),
    Column("failure", Text),
    required("response_text", Text),
    required("response_truncated", Boolean),
)
"""Every attempt and how it ended."""

WEBHOOK_NOTICES = Table(
    "webhook_notices",
    METADATA,
    Column("notice_id", BigInteger, Identity(always=True), primary_key=True),
    required("endpoint_id", Text),
    required("kind", Text),
    required("subject", Text),
    Column("level", SmallInteger),
    Column("event_type", Text),
    Column("message_id", Text),
    required("created_at", INSTANT),
    Column("announced_at", INSTANT),
)
"""What an operator should hear of, once for each kind, subject and level (percent of a limit); `message_id` is the
message whose attempt brought it about; `announced_at` when people were told, where it disabled the endpoint."""
