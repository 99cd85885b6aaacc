"""Rows of `responses` and `response_answers`: stored in batches, one statement each."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from services.scorer.store.feed import CHANGED
from shared.db.sql import arrays
from shared.db.transaction import ReadTx, WriteTx, as_columns
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
"""What a row takes from the event as it is; with `sent`, `attributes` and `import_id` after it, the type
`response_row`."""
_GIVEN: Final = "coalesce(given_stakeholder_id, stakeholder_id)"
"""The id that the response was given with."""
_RECORDED: Final = ", ".join(
    (
        *(name for name in _AS_SENT if name != "stakeholder_id"),
        f"{_GIVEN} as stakeholder_id",
        "stakeholder_id as person_id",
        *("attributes", "sent", "erased", "base", "import_id"),
    )
)
"""What another record of the same id has to agree in, to be a repeat; and whose the response is."""
_values_of = attrgetter(*_AS_SENT)
_ANSWER_COLUMNS: Mapping[str, str] = {
    "response_id": "text",
    "question_id": "text",
    "position": "smallint",
    "account_id": "text",
    "answered_at": "timestamptz",
    "type": "text",
    "attribute": "text",
    "value_number": "numeric",
    "value_text": "text",
}
_ANSWER_KEY: Final = ("response_id", "account_id", "answered_at")
"""What `response_answers` repeats of the response, beside the person."""
_answer_key_of = attrgetter(*_ANSWER_KEY)
_answer_key_in = itemgetter(*_ANSWER_KEY)
_AMENDABLE: Final = "score, comment, touchpoint, product, language, follow_up_requested, test, attributes"
"""What can be amended, but for `answers`, which have a table of their own."""
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
    "undone_at": "timestamptz",
    "changed_quietly": "bool",
}


def _rows_of(columns: Mapping[str, str]) -> str:
    """A row source of arrays, one bind a column, e.g. `unnest(cast(:score as smallint[])) as r(score)`."""
    return f"unnest({arrays(columns)}) as r({', '.join(columns)})"


# Nearly always all are stored, and then it names none. A change that came before its response is among the few that
# wait for theirs, so these are looked through, not all changes.
# The person is looked up as the rows are stored. What a directory change of the same moment makes of it, the projector
# puts right.
_PERSON = "coalesce(l.stakeholder_id, r.stakeholder_id)"
_STORED = {name: f"r.{name}" for name in _AS_SENT} | {"stakeholder_id": _PERSON}
INSERT = (
    f"with stored as (insert into responses ({', '.join(_STORED)}, given_stakeholder_id, sent, attributes, import_id,"
    f" updated_at) select {', '.join(_STORED.values())}, nullif(r.stakeholder_id, {_PERSON}), sent::text[],"
    " attributes::jsonb, import_id, r.recorded_at from unnest(cast(:rows as response_row[])) r"
    " left join aliases l on l.account_id = r.account_id and l.alias_id = r.stakeholder_id"
    " on conflict (response_id) do nothing returning response_id)"
    " select (select coalesce(array_agg(response_id), '{}') from stored having count(*) < :given) as stored,"
    " (select array_agg(distinct response_id) from pending_changes join stored using (response_id)) as awaited"
)
INSERT_ANSWERS = (
    f"insert into response_answers ({', '.join(_ANSWER_COLUMNS)}, stakeholder_id)"
    f" select {', '.join(f'r.{name}' for name in _ANSWER_COLUMNS)}, p.stakeholder_id"
    f" from {_rows_of(_ANSWER_COLUMNS)} join responses p using (response_id) on conflict do nothing"
)
UPDATE_LIVE = f"""
    update responses set score = r.score, comment = r.comment, touchpoint = r.touchpoint, product = r.product,
        language = r.language, follow_up_requested = r.follow_up_requested, attributes = r.attributes::jsonb,
        test = r.test, withdrawn = r.withdrawn, revision = r.revision, base = r.base::jsonb, updated_at = r.updated_at,
        undone_at = r.undone_at, changed_quietly = r.changed_quietly, {CHANGED}
    from {_rows_of(_LIVE_COLUMNS)} where responses.response_id = r.response_id
"""


@lru_cache(maxsize=4_096)
def array_text(texts: tuple[str, ...]) -> str:
    """An array as PostgreSQL writes it."""
    quoted = []
    for text in texts:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        quoted.append(f'"{escaped}"')
    return "{" + ",".join(quoted) + "}"


def row_of(response: Recorded, import_id: UUID | None = None) -> tuple[Any, ...]:
    """The row that is stored first."""
    attributes = "{}"
    if response.attributes:
        attributes = json.dumps(response.attributes)
    return *_values_of(response), array_text(response.sent), attributes, import_id


async def insert(tx: WriteTx, responses: Sequence[Recorded], imports: Mapping[str, UUID]) -> tuple[set[str], set[str]]:
    """Store those whose id is not there yet; returns the ids stored, and of these the ids that changes have been
    waiting for. The ids given must differ. `imports` names the import of those that came from a file."""
    if not responses:
        return set(), set()
    # In the order of ids, so that two replicas which meet the same ids wait for each other and never in a ring.
    ordered = sorted(responses, key=attrgetter("response_id"))
    rows = [row_of(response, imports.get(response.response_id)) for response in ordered]
    [(found, awaited)] = await tx.rows(INSERT, rows=rows, given=len(rows))
    stored = set(found or ())
    if found is None:
        stored = set(map(attrgetter("response_id"), ordered))
    answers: list[dict[str, Any]] = []
    for response in ordered:
        if response.answers and response.response_id in stored:
            entries = [entry.model_dump() for entry in response.answers]
            answers += _answer_rows(_answer_key_of(response), entries)
    await _insert_answers(tx, answers)
    return stored, set(awaited or ())


def _answer_rows(key: tuple[Any, ...], entries: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of the entries of `answers` of the response with this key."""
    response_id, account_id, answered_at = key
    for position, entry in enumerate(entries):
        value = entry["value"]
        number = text = None
        if isinstance(value, str):
            text = value
        else:
            number = value
        yield {
            "response_id": response_id,
            "account_id": account_id,
            "answered_at": answered_at,
            "position": position,
            "question_id": entry["question_id"],
            "type": entry["type"],
            "attribute": entry.get("attribute"),
            "value_number": number,
            "value_text": text,
        }


async def _insert_answers(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(INSERT_ANSWERS, **as_columns(rows))


async def owners(tx: ReadTx, response_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Whose the responses are: id -> account_id, stakeholder_id, given_stakeholder_id, survey_type, answered_at,
    recorded_at, quiet, erased, import_id. Unknown ids are left out."""
    ids = list(response_ids)
    if not ids:
        return {}
    rows = await tx.all(
        "select response_id, account_id, stakeholder_id, given_stakeholder_id, survey_type, answered_at, recorded_at,"
        " quiet, erased, import_id from responses where response_id = any(cast(:ids as text[]))",
        ids=ids,
    )
    return {row["response_id"]: dict(row) for row in rows}


async def as_recorded(tx: ReadTx, response_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The responses as they were first recorded, whatever was changed since: id -> column -> value, with
    `answers` as a list of entries, `erased`, and `person_id`, whose the response is."""
    ids = list(response_ids)
    if not ids:
        return {}
    rows = await tx.all(f"select {_RECORDED} from responses where response_id = any(cast(:ids as text[]))", ids=ids)
    return {row["response_id"]: row | (row["base"] or {}) for row in await with_answers(tx, rows)}


async def lock(tx: WriteTx, response_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Lock the rows of responses that are not erased; returns their columns with `answers` as a list of
    entries."""
    ids = list(response_ids)
    if not ids:
        return []
    rows = await tx.all(
        "select response_id, account_id, stakeholder_id, given_stakeholder_id, survey_type, answered_at, recorded_at,"
        f" import_id, {_AMENDABLE}, base from responses"
        " where response_id = any(cast(:ids as text[])) and not erased order by response_id for update",
        ids=ids,
    )
    return await with_answers(tx, rows)


async def free_undone(tx: WriteTx, recorded: Mapping[str, datetime]) -> set[str]:
    """Delete the responses whose import was undone before another record of the id was recorded (id -> when); returns
    the ids that are free again. A response that was erased keeps its id."""
    freed = await tx.column(
        "delete from responses using unnest(cast(:ids as text[]), cast(:ats as timestamptz[])) as r(id, at)"
        " where response_id = r.id and undone_at <= r.at and not erased returning response_id",
        ids=list(recorded),
        ats=list(recorded.values()),
    )
    await tx.execute("delete from response_answers where response_id = any(cast(:ids as text[]))", ids=list(freed))
    return set(freed)


async def of_import(tx: ReadTx, account_id: str, import_id: UUID) -> dict[str, Mapping[str, Any]]:
    """The owners, as `owners` gives them, of an account's responses that an import has recorded or changed."""
    found = await tx.column(
        "select response_id from responses where account_id = :account_id and import_id = :import_id and not erased"
        " union select response_id from response_changes where account_id = :account_id and import_id = :import_id",
        account_id=account_id,
        import_id=import_id,
    )
    return await owners(tx, found)


async def with_answers(tx: ReadTx, responses: Iterable[RowMapping]) -> list[dict[str, Any]]:
    """Rows of responses with their live `answers`: a list of entries in the order sent, as the event carries them."""
    found = [dict(row) | {"answers": []} for row in responses]
    if not found:
        return []
    answers = {row["response_id"]: row["answers"] for row in found}
    rows = await tx.all(
        "select response_id, question_id, type, attribute, value_number, value_text from response_answers"
        " where response_id = any(cast(:ids as text[])) order by response_id, position",
        ids=list(answers),
    )
    for row in rows:
        entry = {name: row[name] for name in ("question_id", "type", "attribute")}
        if row["value_number"] is None:
            entry["value"] = row["value_text"]
        else:
            entry["value"] = int(row["value_number"])
        answers[row["response_id"]].append(entry)
    return found


async def update_live(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write live columns, `base` and `revision` of locked rows; where a row says `answers_changed` its
    entries are replaced by `answers`."""
    if not rows:
        return
    live, replaced = [], []
    answers: list[dict[str, Any]] = []
    for row in rows:
        columns = {name: row[name] for name in _LIVE_COLUMNS}
        columns["attributes"] = json.dumps(row["attributes"])
        if row["base"]:
            columns["base"] = json.dumps(row["base"])
        else:
            columns["base"] = None
        live.append(columns)
        if row["answers_changed"]:
            replaced.append(row["response_id"])
            answers += _answer_rows(_answer_key_in(row), row["answers"])
    await tx.execute(UPDATE_LIVE, **as_columns(live))
    if replaced:
        await tx.execute("delete from response_answers where response_id = any(cast(:ids as text[]))", ids=replaced)
        await _insert_answers(tx, answers)
