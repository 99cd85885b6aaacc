"""What the tables of alerting share."""

from typing import Any

from sqlalchemy import Column, DateTime, MetaData, Table
from sqlalchemy.types import TypeEngine

METADATA = MetaData()
INSTANT = DateTime(timezone=True)


def required(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    """A column that is never null."""
    return Column(name, kind, nullable=False)


def columns_of(table: Table, alias: str = "") -> str:
    """The columns by name, for a select: what a later version adds to the table does not disturb this one."""
    return ", ".join(f"{alias}{column.name}" for column in table.columns)
