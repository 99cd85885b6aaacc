"""What CRMs have sent back."""

from sqlalchemy import Column, LargeBinary, Table, Text, Uuid

from services.alerting.tables.metadata import INSTANT, METADATA, required

CALLBACKS = Table(
    "callbacks",
    METADATA,
    Column("endpoint_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    required("digest", LargeBinary),
    required("follow_up_id", Uuid),
    required("at", INSTANT),
)
"""What CRMs have sent back, by id and hash of the bytes."""
