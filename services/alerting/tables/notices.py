"""Whom to tell of what, and the notices on their way to people."""

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Identity, Integer, LargeBinary, Table, Text, Uuid

from services.alerting.tables.metadata import INSTANT, METADATA, required

NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    Column("notification_id", Text, primary_key=True),
    required("channel", Text),
    required("topics", ARRAY(Text)),
    Column("address", Text),
    Column("host", Text),
    Column("sealed_url", LargeBinary),
    required("min_severity", Text),
    required("quiet_hours", Boolean),
    Column("description", Text),
    Column("owner_email", Text),
    required("created_by", Text),
    required("created_at", INSTANT),
    Column("deleted_at", INSTANT),
)
"""A mail address, the people concerned, or a room, whose address is a secret and kept encrypted."""

NOTICES = Table(
    "notices",
    METADATA,
    Column("notice_id", BigInteger, Identity(always=True), primary_key=True),
    required("notification_id", Text),
    required("recipient", Text),
    required("account_id", Text),
    required("topic", Text),
    required("event_id", Uuid),
    Column("follow_up_id", Uuid),
    Column("response_id", Text),
    Column("cause", Text),
    required("status", Text),
    required("created_at", INSTANT),
    Column("due_at", INSTANT),
    Column("lease_until", INSTANT),
    required("attempts", Integer),
    Column("last_failure", Text),
    Column("sent_at", INSTANT),
    Column("message_id", Text),
)
"""One thing to tell one recipient; ids only, the words are found when it is sent. `message_id` is that of the mail,
which several share that went as one."""
