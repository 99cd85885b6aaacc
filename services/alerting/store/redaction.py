"""Taking the names of an erased person out of what was written about their account and about others there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.db.transaction import WriteTx
from shared.erasure import Names


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with texts that people wrote: its key, its columns of text and of JSON, and which rows are about the
    account."""

    name: str
    key: tuple[str, ...]
    texts: tuple[str, ...]
    documents: tuple[str, ...]
    where: str = "account_id = :account_id"


_TABLES = (
    _Table("tasks", ("follow_up_id",), ("title", "promised", "root_cause", "what_was_done", "result"), ("reasons",)),
    _Table(
        "task_history",
        ("entry",),
        ("comment",),
        ("changes",),
        "follow_up_id in (select follow_up_id from tasks where account_id = :account_id)",
    ),
    _Table("task_occasions", ("follow_up_id", "kind", "stakeholder_id", "occasion"), (), ("facts", "matches")),
    _Table("past_triggers", ("event_id",), (), ("facts",)),
)


async def redact(tx: WriteTx, account_id: str, names: Names) -> None:
    """Put `[erased]` for the names in follow-ups of the account, in their histories and in what rules were tried
    on."""
    if not names.all:
        return
    bound = {"account_id": account_id, "patterns": names.patterns()}
    for table in _TABLES:
        await _redact_table(tx, table, names, bound)


async def _redact_table(tx: WriteTx, table: _Table, names: Names, bound: Mapping[str, Any]) -> None:
    columns = ", ".join((*table.texts, *table.documents))
    rows = await tx.all(
        f"select {', '.join(table.key)}, {columns} from {table.name} where {table.where}"
        f" and concat_ws(' ', {columns}) ilike any(cast(:patterns as text[])) for update",
        **bound,
    )
    redacted_rows = []
    for row in rows:
        redacted = dict(row)
        for name in table.texts:
            redacted[name] = names.redacted(row[name])
        for name in table.documents:
            redacted[name] = json.dumps(names.redacted(row[name]))
        redacted_rows.append(redacted)
    changes = {name: f":{name}" for name in table.texts}
    for name in table.documents:
        changes[name] = f"cast(:{name} as jsonb)"
    assignments = ", ".join(f"{name} = {value}" for name, value in changes.items())
    conditions = " and ".join(f"{name} = :{name}" for name in table.key)
    await tx.execute_many(f"update {table.name} set {assignments} where {conditions}", redacted_rows)
