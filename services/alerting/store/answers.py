"""The answers that alerting keeps for their comments."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerting.domain.answers import AMENDABLE, AnswerChange, AnswerKey, Placeholder, StoredAnswer
from services.alerting.domain.people import Answer
from services.alerting.store.binds import answer_binds
from services.alerting.tables.answers import RESPONSES
from services.alerting.tables.metadata import columns_of
from shared.db.pieces import delete_piece
from shared.db.sql import arrays
from shared.db.transaction import ReadTx, WriteTx, as_columns

_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode
_ANSWER: Final = tuple(field.name for field in fields(Answer))
_values_of = attrgetter(*_ANSWER)
_values_in = itemgetter(*_ANSWER)
_CHANGEABLE: Final = (*AMENDABLE, "withdrawn")
_SAVED: Mapping[str, str] = {
    "account_id": "text",
    "response_id": "text",
    "stakeholder_id": "text",
    "survey_type": "text",
    "score": "smallint",
    "answered_at": "timestamptz",
    "nps_kind": "text",
    "comment": "text",
    "touchpoint": "text",
    "product": "text",
    "follow_up_requested": "boolean",
    "language": "text",
    "quiet": "boolean",
    "test": "boolean",
    "withdrawn": "boolean",
    "recorded_at": "timestamptz",
    "base": "jsonb",
    "named": "jsonb",
    "posted": "text",
    "digests": "jsonb",
    "import_id": "uuid",
    "undone_at": "timestamptz",
}
SAVE = (
    f"insert into responses ({', '.join(_SAVED)})"
    f" select * from unnest({arrays(_SAVED)}) as r({', '.join(_SAVED)})"
    " on conflict (account_id, response_id) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in _SAVED if name not in ("account_id", "response_id"))
)
_CHANGE = ", ".join(field.name for field in fields(AnswerChange))
ADD_CHANGES = f"""
    insert into response_changes ({_CHANGE}, sender)
    select {_CHANGE}, sender
    from unnest(cast(:event_id as uuid[]), cast(:account_id as text[]), cast(:response_id as text[]),
        cast(:stakeholder_id as text[]), cast(:kind as text[]), cast(:recorded_at as timestamptz[]),
        cast(:changes as jsonb[]), cast(:survey_type as text[]), cast(:posted as text[]),
        cast(:rank as smallint[]), cast(:written_at as timestamptz[]), cast(:import_id as uuid[]),
        cast(:sender as text[])) as r({_CHANGE}, sender)
    on conflict do nothing returning event_id
"""


async def answers_by_id(
    tx: ReadTx, keys: Iterable[AnswerKey], *, placeholders: bool = False
) -> dict[AnswerKey, StoredAnswer]:
    """The answers by (account, response); without placeholders, unless `placeholders` asks for them."""
    wanted = list(keys)
    if not wanted:
        return {}
    statement = _in_keys(f"select {COLUMNS} from responses")
    if not placeholders:
        statement += " and named is null"
    rows = await tx.all(statement, **answer_binds(wanted))
    return {(row["account_id"], row["response_id"]): stored_answer_of(row) for row in rows}


async def save_answers(tx: WriteTx, answers: Sequence[StoredAnswer]) -> None:
    """Insert answers, or overwrite the live form of those that are there and all of a placeholder; one
    statement, since imports are large.
    """
    if not answers:
        return
    rows = []
    for stored in answers:
        rows.append(
            dict(zip(_ANSWER, _values_of(stored.live), strict=True))
            | {
                "stakeholder_id": stored.recorded.stakeholder_id,
                "recorded_at": stored.recorded_at,
                "base": _base(stored),
                "named": _placeholder_document(stored.placeholder),
                "posted": stored.posted,
                "digests": _AS_JSON(dict(stored.digests)),
                "import_id": stored.import_id,
                "undone_at": stored.undone_at,
            }
        )
    await tx.execute(SAVE, **as_columns(rows))


async def add_changes(tx: WriteTx, changes: Sequence[tuple[AnswerChange, str | None]]) -> set[UUID]:
    """Keep amendments and withdrawals with who sent them; answers the ids that were new."""
    if not changes:
        return set()
    rows = [
        {
            "event_id": change.event_id,
            "account_id": change.account_id,
            "response_id": change.response_id,
            "stakeholder_id": change.stakeholder_id,
            "kind": change.kind,
            "changes": json.dumps(dict(change.changes)),
            "recorded_at": change.recorded_at,
            "survey_type": change.survey_type,
            "posted": change.posted,
            "sender": sender,
            "rank": change.rank,
            "written_at": change.written_at,
            "import_id": change.import_id,
        }
        for change, sender in changes
    ]
    return set(await tx.column(ADD_CHANGES, **as_columns(rows)))


async def forget_of_files(tx: WriteTx, keys: Collection[AnswerKey]) -> None:
    """Delete what files have said of these answers."""
    if keys:
        await tx.execute(
            _in_keys("delete from response_changes") + " and import_id is not null",
            **answer_binds(keys),
        )


async def keys_of_import(tx: ReadTx, account_id: str, import_id: UUID) -> list[AnswerKey]:
    """The answers of an account that an import has recorded or changed."""
    found = await tx.column(
        "select response_id from responses where account_id = :account_id and import_id = :import_id"
        " union select response_id from response_changes where account_id = :account_id and import_id = :import_id",
        account_id=account_id,
        import_id=import_id,
    )
    return [(account_id, response_id) for response_id in found]


async def undo_import(tx: WriteTx, account_id: str, import_id: UUID) -> bool:
    """Note that an import is undone for an account; False if that was known."""
    return bool(
        await tx.execute(
            "insert into undone_imports (import_id, account_id) values (:import_id, :account_id)"
            " on conflict do nothing",
            import_id=import_id,
            account_id=account_id,
        )
    )


async def undone_imports(tx: ReadTx, import_ids: Collection[UUID]) -> set[tuple[UUID, str]]:
    """Which of these imports are undone, by import and account."""
    if not import_ids:
        return set()
    rows = await tx.all(
        "select import_id, account_id from undone_imports where import_id = any(cast(:ids as uuid[]))",
        ids=list(import_ids),
    )
    return {(row["import_id"], row["account_id"]) for row in rows}


async def changes_by_answer(tx: ReadTx, keys: Iterable[AnswerKey]) -> dict[AnswerKey, list[AnswerChange]]:
    """The changes of these answers, of those that have any."""
    changes: dict[AnswerKey, list[AnswerChange]] = {}
    keys = list(keys)
    if not keys:
        return changes
    for row in await tx.all(_in_keys(f"select {_CHANGE} from response_changes"), **answer_binds(keys)):
        changes.setdefault((row["account_id"], row["response_id"]), []).append(AnswerChange(**row))
    return changes


_GIVEN = "least(recorded_at, answered_at)"
"""When an answer was recorded, or when it was given, if that was earlier."""
_OF_PERSON = f"account_id = :account_id and stakeholder_id = :stakeholder_id and {_GIVEN}"


async def answers_left(tx: ReadTx, account_id: str, stakeholder_id: str, until: datetime) -> frozenset[str]:
    """The ids of a person's answers that were recorded and given after `until`."""
    rows = await tx.column(
        f"select response_id from responses where {_OF_PERSON} > :until",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        until=until,
    )
    return frozenset(rows)


async def forget_answers(tx: WriteTx, account_id: str, stakeholder_id: str, until: datetime) -> int:
    """Drop a person's answers recorded or given at or before `until`, with all that was changed about them."""
    person = {"account_id": account_id, "stakeholder_id": stakeholder_id, "until": until}
    await tx.execute(
        "insert into dropped_responses (account_id, response_id) select account_id, response_id from responses"
        f" where {_OF_PERSON} <= :until on conflict do nothing",
        **person,
    )
    await tx.execute(
        "delete from response_changes where account_id = :account_id and (stakeholder_id = :stakeholder_id"
        " and recorded_at <= :until or response_id in (select response_id from responses"
        f" where {_OF_PERSON} <= :until))",
        **person,
    )
    return await tx.execute(f"delete from responses where {_OF_PERSON} <= :until", **person)


async def forget_early_amendments(tx: WriteTx, recorded_before: datetime) -> int:
    """Delete a piece of the amendments recorded before then whose answer has never come; returns how many."""
    old = (
        "kind = 'amended' and recorded_at < :before and not exists (select 1 from responses r"
        " where (r.account_id, r.response_id) = (response_changes.account_id, response_changes.response_id))"
    )
    return await delete_piece(tx, "response_changes", old, "recorded_at", before=recorded_before)


async def forget_early_beyond(tx: WriteTx, most: int, at_once: int) -> int:
    """Delete amendments whose answer has not come, of each sender all but the newest `most`, so many at once; returns
    how many."""
    return await tx.execute(
        "delete from response_changes where event_id in (select event_id from (select event_id, row_number() over"
        " (partition by sender order by recorded_at desc, event_id desc) as place from response_changes c"
        " where kind = 'amended' and not exists (select 1 from responses r"
        " where (r.account_id, r.response_id) = (c.account_id, c.response_id))) as early"
        " where place > :most limit :at_once)",
        most=most,
        at_once=at_once,
    )


async def drop_answers(tx: WriteTx, keys: Collection[AnswerKey]) -> None:
    """Note answers that an erasure overtook, and delete what was changed about them."""
    if keys:
        await tx.execute(
            "insert into dropped_responses (account_id, response_id) select * from"
            " unnest(cast(:accounts as text[]), cast(:responses as text[])) on conflict do nothing",
            **answer_binds(keys),
        )
        await tx.execute(_in_keys("delete from response_changes"), **answer_binds(keys))


async def dropped_answers(tx: ReadTx, keys: Iterable[AnswerKey]) -> set[AnswerKey]:
    """Those of the answers that an erasure took."""
    if not await tx.scalar("select exists (select 1 from dropped_responses)"):
        return set()
    rows = await tx.all(_in_keys("select account_id, response_id from dropped_responses"), **answer_binds(keys))
    return {(row["account_id"], row["response_id"]) for row in rows}


def _in_keys(select: str) -> str:
    return (
        f"{select} where (account_id, response_id) in"
        " (select * from unnest(cast(:accounts as text[]), cast(:responses as text[])))"
    )


COLUMNS = columns_of(RESPONSES)
"""What `kept_of` reads."""


def _base(stored: StoredAnswer) -> str | None:
    """What was recorded first, of the fields that are another now."""
    if stored.live is stored.recorded:  # most answers have not changed since
        return None
    base = {}
    for name in _CHANGEABLE:
        first = getattr(stored.recorded, name)
        if getattr(stored.live, name) != first:
            base[name] = first
    if not base:
        return None
    return _AS_JSON(base)


def _placeholder_document(placeholder: Placeholder | None) -> str | None:
    if placeholder is None:
        return None
    return json.dumps(asdict(placeholder))


def stored_answer_of(row: RowMapping) -> StoredAnswer:
    """A row as an answer."""
    placeholder = None
    if row["named"] is not None:
        placeholder = Placeholder(**row["named"])
    live = recorded = Answer(*_values_in(row))
    if row["base"] is not None:
        recorded = replace(live, **row["base"])
    return StoredAnswer(
        recorded,
        live,
        row["recorded_at"],
        placeholder,
        row["posted"],
        row["digests"],
        row["import_id"],
        row["undone_at"],
    )
