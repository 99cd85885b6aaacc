"""Whom to tell of what."""

from sqlalchemy import ARRAY, Boolean, Column, LargeBinary, Table, Text

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
