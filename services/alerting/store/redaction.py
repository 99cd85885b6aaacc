"""Taking the names of an erased person out of what was written about their account and about others there."""

import json
from collections.abc import Mapping
from typing import Any

from shared.db.transaction import WriteTx
from shared.erasure import Names

_OF_TASKS = "follow_up_id in (select follow_up_id from tasks where account_id = :account_id)"
_TEXTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str]] = {
    "tasks": (
        ("follow_up_id",),
        ("title", "promised", "root_cause", "what_was_done", "result"),
        ("reasons",),
        "account_id = :account_id",
    ),
    "task_history": (("entry",), ("comment",), ("changes",), _OF_TASKS),
    "task_occasions": (
        ("follow_up_id", "kind", "stakeholder_id", "occasion"),
        (),
        ("facts", "matches"),
        "account_id = :account_id",
    ),
    "past_triggers": (("event_id",), (), ("facts",), "account_id = :account_id"),
}
"""Table -> its key, columns of text, columns of JSON, and which rows are about the account."""


async def redact(tx: WriteTx, account_id: str, names: Names) -> None:
    """Put `[erased]` for the names in follow-ups of the account, in their histories and in what rules were tried
    on."""
    if not names.all:
        return
    bound = {"account_id": account_id, "patterns": names.patterns()}
    for table in _TEXTS:
        await _redact_table(tx, table, names, bound)


async def _redact_table(tx: WriteTx, table: str, names: Names, bound: Mapping[str, Any]) -> None:
    keys, texts, documents, where = _TEXTS[table]
    columns = ", ".join((*texts, *documents))
    rows = await tx.all(
        f"select {', '.join(keys)}, {columns} from {table} where {where}"
        f" and concat_ws(' ', {columns}) ilike any(cast(:patterns as text[])) for update",
        **bound,
    )
    values = [f"{name} = :{name}" for name in texts] + [f"{name} = cast(:{name} as jsonb)" for name in documents]
    conditions = [f"{key} = :{key}" for key in keys]
    redacted_rows = []
    for row in rows:
        redacted = {key: row[key] for key in keys}
        redacted |= {name: names.redacted(row[name]) for name in texts}
        redacted |= {name: json.dumps(names.redacted(row[name])) for name in documents}
        redacted_rows.append(redacted)
    await tx.execute_many(f"update {table} set {', '.join(values)} where {' and '.join(conditions)}", redacted_rows)
