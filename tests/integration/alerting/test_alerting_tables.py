"""The tables that the code speaks of are those that the migrations make."""

import pytest
from sqlalchemy import Boolean, Connection, DateTime, Integer, LargeBinary, Table, Text, inspect

from services.alerting.tables import answers, notices, rules, tasks
from shared.db.engine import Database
from tests.support.environment import Environment

TABLES = [
    *(tasks.TASKS, tasks.TASK_HISTORY, tasks.TASK_ESCALATIONS, rules.RULES, rules.PAST_TRIGGERS),
    *(answers.RESPONSES, notices.NOTIFICATIONS),
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_columns_and_their_nullability_agree(module_environment: Environment, table: Table) -> None:
    def columns(connection: Connection) -> dict[str, tuple[bool, str]]:
        found = inspect(connection).get_columns(table.name, schema="alerting")
        return {column["name"]: (column["nullable"], _kind(column["type"])) for column in found}

    database = Database(module_environment.database_url, "alerting", pool_size=1)
    try:
        async with database.engine.connect() as connection:
            actual = await connection.run_sync(columns)
    finally:
        await database.close()
    assert {column.name: (bool(column.nullable), _kind(column.type)) for column in table.columns} == actual


def _kind(column_type: object) -> str:
    """The kind of a type, coarse enough to be the same in code and database."""
    for kind in (Boolean, DateTime, Integer, LargeBinary, Text):
        if isinstance(column_type, kind):
            return kind.__name__
    return type(column_type).__name__.upper()
