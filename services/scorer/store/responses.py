"""Rows of `responses` and `response_answers`: stored in batches, one statement each."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from shared.amendments import AMENDABLE
from shared.db.transaction import ReadTx, WriteTx
from shared.events.response_fast_reader import Recorded

_AS_SENT = (
    "response_id",
    "account_id",
    "stakeholder_id",
    "email",
    "survey_type",
    "score",
    "comment",
    "answered_at",
    "recorded_at",
    "nps_kind",
    "touchpoint",
    "product",
    "channel",
    "survey_id",
    "invitation_id",
    "language",
    "follow_up_requested",
    "test",
    "quiet",
)
"""What a row takes from the event as it is; with `sent` and `attributes` after it, the type `response_row`."""
_RECORDED: Final = ", ".join((*_AS_SENT, "attributes", "sent", "erased", "base"))
"""What tells whether another record of the same id says the same."""
_values_of = attrgetter(*_AS_SENT)
_ANSWER_COLUMNS: Mapping[str, str] = {
    "response_id": "text",
    "question_id": "text",
    "position": "smallint",
    "account_id": "text",
    "stakeholder_id": "text",
    "answered_at": "timestamptz",
    "type": "text",
    "attribute": "text",
    "value_number": "numeric",
    "value_text": "text",
}
_LIVE_COLUMNS: Mapping[str, str] = {
    "response_id": "text",
    "score": "smallint",
    "comment": "text",
    "touchpoint": "text",
    "product": "text",
    "language": "text",
    "follow_up_requested": "bool",
    "attributes": "text",
    "test": "bool",
    "withdrawn": "bool",
    "revision": "int",
    "base": "text",
    "updated_at": "timestamptz",
}


def _rows_of(columns: Mapping[str, str]) -> str:
    """A row source of arrays, one bind a column, e.g. `unnest(cast(:score as smallint[])) as r(score)`."""
    arrays = ", ".join(f"cast(:{name} as {kind}[])" for name, kind in columns.items())
    return f"unnest({arrays}) as r({', '.join(columns)})"


# Nearly always all are stored, and then it names none. A change that came before its response is among the few that
# wait for theirs, so these are looked through, not all changes.
INSERT = (
    f"with stored as (insert into responses ({', '.join(_AS_SENT)}, sent, attributes, updated_at)"
    f" select {', '.join(_AS_SENT)}, sent::text[], attributes::jsonb, recorded_at"
    " from unnest(cast(:rows as response_row[])) on conflict (response_id) do nothing returning response_id)"
    " select (select coalesce(array_agg(response_id), '{}') from stored having count(*) < :given) as stored,"
    " (select array_agg(distinct response_id) from pending_changes join stored using (response_id)) as awaited"
)
INSERT_ANSWERS = (
    f"insert into response_answers ({', '.join(_ANSWER_COLUMNS)})"
    f" select {', '.join(_ANSWER_COLUMNS)} from {_rows_of(_ANSWER_COLUMNS)} on conflict do nothing"
)
UPDATE_LIVE = (
    "update responses set "
    + ", ".join(
        f"{name} = r.{name}{'::jsonb' if name in ('attributes', 'base') else ''}"
        for name in _LIVE_COLUMNS
        if name != "response_id"
    )
    + f" from {_rows_of(_LIVE_COLUMNS)} where responses.response_id = r.response_id"
)


@lru_cache(maxsize=4_096)
def array_text(texts: tuple[str, ...]) -> str:
    """An array as PostgreSQL writes it."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def row_of(response: Recorded) -> tuple[Any, ...]:
    """The row that is stored first."""
    attributes = json.dumps(response.attributes) if response.attributes else "{}"
    return *_values_of(response), array_text(response.sent), attributes


async def insert(tx: WriteTx, responses: Sequence[Recorded]) -> tuple[set[str], set[str]]:
    """Store those whose id is not there yet; returns the ids stored, and of these the ids that changes have been
    waiting for. The ids given must differ."""
    if not responses:
        return set(), set()
    # In the order of ids, so that two replicas which meet the same ids wait for each other and never in a ring.
    ordered = sorted(responses, key=attrgetter("response_id"))
    [(found, awaited)] = await tx.rows(INSERT, rows=[row_of(answer) for answer in ordered], given=len(ordered))
    stored = {row.response_id for row in ordered} if found is None else set(found)
    await insert_answers(tx, [row for row in ordered if row.answers and row.response_id in stored])
    return stored, set(awaited or ())


async def insert_answers(tx: WriteTx, responses: Iterable[Recorded]) -> None:
    """Store the entries of `answers` of responses just stored."""
    await _write_answers(
        tx,
        [
            (row.response_id, row.account_id, row.stakeholder_id, row.answered_at, position, entry.model_dump())
            for row in responses
            for position, entry in enumerate(row.answers)
        ],
    )


async def _write_answers(tx: WriteTx, entries: Sequence[tuple[Any, ...]]) -> None:
    if not entries:
        return
    columns: dict[str, list[Any]] = {name: [] for name in _ANSWER_COLUMNS}
    for response_id, account_id, stakeholder_id, answered_at, position, entry in entries:
        value = entry["value"]
        row = {
            "response_id": response_id,
            "account_id": account_id,
            "stakeholder_id": stakeholder_id,
            "answered_at": answered_at,
            "position": position,
            "question_id": entry["question_id"],
            "type": entry["type"],
            "attribute": entry.get("attribute"),
            "value_number": None if isinstance(value, str) else value,
            "value_text": value if isinstance(value, str) else None,
        }
        for name, values in columns.items():
            values.append(row[name])
    await tx.execute(INSERT_ANSWERS, **columns)


async def owners(tx: ReadTx, response_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Whose the responses are: id -> account_id, stakeholder_id, survey_type, answered_at, recorded_at,
    quiet, erased. Unknown ids are left out."""
    ids = list(response_ids)
    if not ids:
        return {}
    rows = await tx.all(
        "select response_id, account_id, stakeholder_id, survey_type, answered_at, recorded_at, quiet, erased"
        " from responses where response_id = any(cast(:ids as text[]))",
        ids=ids,
    )
    return {row["response_id"]: dict(row) for row in rows}


async def as_recorded(tx: ReadTx, response_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The responses as they were first recorded, whatever was changed since: id -> column -> value, with
    `answers` as a list of entries, and `erased`."""
    ids = list(response_ids)
    if not ids:
        return {}
    rows = await tx.all(f"select {_RECORDED} from responses where response_id = any(cast(:ids as text[]))", ids=ids)
    answers = await answers_of(tx, ids)
    return {
        row["response_id"]: dict(row) | {"answers": answers.get(row["response_id"], [])} | (row["base"] or {})
        for row in rows
    }


async def lock(tx: WriteTx, response_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Lock the rows of responses that are not erased; returns their columns with `answers` as a list of
    entries."""
    ids = list(response_ids)
    if not ids:
        return []
    rows = await tx.all(
        "select response_id, account_id, stakeholder_id, survey_type, answered_at, recorded_at,"
        f" {', '.join(name for name in AMENDABLE if name != 'answers')}, base from responses"
        " where response_id = any(cast(:ids as text[])) and not erased order by response_id for update",
        ids=ids,
    )
    answers = await answers_of(tx, ids)
    return [dict(row) | {"answers": answers.get(row["response_id"], [])} for row in rows]


async def answers_of(tx: ReadTx, response_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The live entries of `answers` in the order sent, as the event carries them."""
    rows = await tx.all(
        "select response_id, question_id, type, attribute, value_number, value_text from response_answers"
        " where response_id = any(cast(:ids as text[])) order by response_id, position",
        ids=list(response_ids),
    )
    entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        number = row["value_number"]
        entries[row["response_id"]].append(
            {
                "question_id": row["question_id"],
                "type": row["type"],
                "attribute": row["attribute"],
                "value": row["value_text"] if number is None else int(number),
            }
        )
    return entries


async def update_live(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write live columns, `base` and `revision` of locked rows; where a row says `answers_changed` its
    entries are replaced by `answers`."""
    if not rows:
        return
    columns = {name: [row[name] for row in rows] for name in _LIVE_COLUMNS}
    columns["attributes"] = [json.dumps(value) for value in columns["attributes"]]
    columns["base"] = [json.dumps(value) if value else None for value in columns["base"]]
    await tx.execute(UPDATE_LIVE, **columns)
    replaced = [row for row in rows if row["answers_changed"]]
    if not replaced:
        return
    await tx.execute(
        "delete from response_answers where response_id = any(cast(:ids as text[]))",
        ids=[row["response_id"] for row in replaced],
    )
    await _write_answers(
        tx,
        [
            (
                row["response_id"],
                row["account_id"],
                row["stakeholder_id"],
                row["answered_at"],
                position,
                entry,
            )
            for row in replaced
            for position, entry in enumerate(row["answers"])
        ],
    )
