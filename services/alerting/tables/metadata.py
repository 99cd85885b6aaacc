"""What the tables of alerting share."""

from typing import Any

from sqlalchemy import Column, DateTime, MetaData
from sqlalchemy.types import TypeEngine

METADATA = MetaData()
INSTANT = DateTime(timezone=True)


def required(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    """A column that is never null."""
    return Column(name, kind, nullable=False)
