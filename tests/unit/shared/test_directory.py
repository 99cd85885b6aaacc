"""The columns of the directory are those that its events are made into."""

import re
from datetime import UTC, datetime
from typing import Any

from shared.db.directory import (
    UPSERT_ACCOUNT,
    UPSERT_STAKEHOLDER,
    account_row,
    directory_ddl_v1,
    stakeholder_row,
)
from shared.events.directory import AccountUpserted, StakeholderUpserted
from shared.ids import uuid7

MADE: dict[str, Any] = {"event_id": uuid7(), "recorded_at": datetime(2026, 6, 1, tzinfo=UTC)}
ACCOUNT = account_row(AccountUpserted(account_id="acme", **MADE))
PERSON = stakeholder_row(StakeholderUpserted(account_id="acme", stakeholder_id="ada", **MADE))


def bound(statement: str) -> set[str]:
    return set(re.findall(r":(\w+)", statement))


def columns(table: str) -> set[str]:
    """The columns that the tables begin with."""
    (statement,) = (text for text in directory_ddl_v1() if f"create table {table} " in text)
    lines = statement.partition("(")[2].splitlines()
    return {line.split()[0] for line in lines if line.strip() not in ("", ")") and "primary key (" not in line}


def test_every_column_of_an_account_is_written() -> None:
    assert bound(UPSERT_ACCOUNT) == ACCOUNT.keys() == columns("accounts")


def test_every_column_of_a_person_is_written() -> None:
    assert bound(UPSERT_STAKEHOLDER) == PERSON.keys() == columns("stakeholders")
