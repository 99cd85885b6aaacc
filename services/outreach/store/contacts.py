"""What is known of people from every source: when they were asked and answered, and what forbids asking.

Each moment is a greatest one, and each answer is a row of its own; so it does not matter in which order facts come, nor
how often. Rows have the id that a source gave; whose it is now is found out when they are read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from shared.db.sql import arrays, comma_list
from shared.db.transaction import WriteTx, as_columns

MOMENTS = (
    "last_asked_at",
    "relationship_asked_at",
    "transactional_asked_at",
    "relationship_answered_at",
    "transactional_answered_at",
    "bounced_at",
    "soft_bounced_at",
    "unsubscribed_at",
)
_TYPES = {"account_id": "text", "stakeholder_id": "text"} | dict.fromkeys(MOMENTS, "timestamptz")
_COLUMNS = ", ".join(_TYPES)
# Rows are locked in the order of people in every batch, so that no two batches wait for each other in a circle.
UPSERT = f"""
    insert into contacts as c ({_COLUMNS}) select account_id, stakeholder_id, {comma_list("max({0})", MOMENTS)}
    from unnest({arrays(_TYPES)}) as r({_COLUMNS}) group by 1, 2 order by 1, 2
    on conflict (account_id, stakeholder_id) do update
    set {comma_list("{0} = greatest(c.{0}, excluded.{0})", MOMENTS)}
"""
# The record that came first stands. One of an undone import gives way to the next record of its id.
RECORD_ANSWERS = """
    insert into answers as a (account_id, response_id, stakeholder_id, nps_kind, answered_at, recorded_at, import_id,
        test)
    select * from unnest(cast(:account_id as text[]), cast(:response_id as text[]), cast(:stakeholder_id as text[]),
        cast(:nps_kind as text[]), cast(:answered_at as timestamptz[]), cast(:recorded_at as timestamptz[]),
        cast(:import_id as uuid[]), cast(:test as boolean[]))
    on conflict (account_id, response_id) do update set stakeholder_id = excluded.stakeholder_id,
        nps_kind = excluded.nps_kind, answered_at = excluded.answered_at, recorded_at = excluded.recorded_at,
        import_id = excluded.import_id, undone = false,
        test = case when a.test_said_at is null then excluded.test else a.test end
    where a.recorded_at is null or excluded.recorded_at < a.recorded_at
        or (a.undone and a.import_id is distinct from excluded.import_id)
    returning account_id, response_id
"""


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """That somebody answered, without what."""

    account_id: str
    response_id: str
    stakeholder_id: str
    nps_kind: str
    answered_at: datetime
    recorded_at: datetime
    import_id: UUID | None
    test: bool


async def note(tx: WriteTx, moments: Sequence[Mapping[str, Any]]) -> None:
    """Note moments of people: account_id, stakeholder_id and some of MOMENTS; of each the latest counts."""
    if moments:
        nothing = dict.fromkeys(_TYPES)
        await tx.execute(UPSERT, **as_columns({**nothing, **row} for row in moments))


async def record_answers(tx: WriteTx, answers: Sequence[KnownAnswer]) -> set[tuple[str, str]]:
    """Keep answers, each (account, response) once; returns those that were new."""
    if not answers:
        return set()
    rows = {name: list(map(attrgetter(name), answers)) for name in KnownAnswer.__dataclass_fields__}
    return set(map(tuple, await tx.rows(RECORD_ANSWERS, **rows)))


async def note_test(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what amendments say of answers being tests (account_id, response_id, test, at), whether or not these have
    come; the newest counts."""
    await tx.execute_many(
        "insert into answers as a (account_id, response_id, test, test_said_at)"
        " values (:account_id, :response_id, :test, :at) on conflict (account_id, response_id) do update"
        " set test = excluded.test, test_said_at = excluded.test_said_at"
        " where a.test_said_at is null or excluded.test_said_at >= a.test_said_at",
        rows,
    )


async def withdraw_answers(tx: WriteTx, answers: Collection[tuple[str, str]]) -> None:
    """Note that answers (account, response) were taken back, whether or not they have come."""
    rows = [{"account_id": account_id, "response_id": response_id} for account_id, response_id in sorted(answers)]
    await tx.execute_many(
        "insert into answers (account_id, response_id, withdrawn) values (:account_id, :response_id, true)"
        " on conflict (account_id, response_id) do update set withdrawn = true",
        rows,
    )


async def undo_import(tx: WriteTx, account_id: str, import_id: UUID) -> None:
    """Answers that an import recorded at the account count no longer, until another record of their id comes."""
    await tx.execute(
        "update answers set undone = true where account_id = :account_id and import_id = :import_id",
        account_id=account_id,
        import_id=import_id,
    )
