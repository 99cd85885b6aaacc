"""Rows of `response_changes`: amendments and withdrawals, also those whose response has not come yet."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import RowMapping

from shared.amendments import Change
from shared.db.transaction import ReadTx, WriteTx, as_columns

# Of equal event ids the first recorded counts, and the smaller content where even that is equal: whoever
# arrives first, the same one stands in the end.
INSERT = """
    insert into response_changes
        (event_id, response_id, account_id, stakeholder_id, kind, changes, recorded_at, survey_type, posted, rank,
        written_at, import_id, quiet)
    select event_id, response_id, account_id, stakeholder_id, kind, changes::jsonb, recorded_at, survey_type, posted,
        rank, written_at, import_id, quiet
    from unnest(cast(:event_ids as uuid[]), cast(:response_ids as text[]), cast(:account_ids as text[]),
        cast(:stakeholder_ids as text[]), cast(:kinds as text[]), cast(:changes as text[]),
        cast(:recorded_ats as timestamptz[]), cast(:survey_types as text[]), cast(:posted as text[]),
        cast(:ranks as smallint[]), cast(:written_ats as timestamptz[]), cast(:import_ids as uuid[]),
        cast(:quiets as bool[]))
        as r(event_id, response_id, account_id, stakeholder_id, kind, changes, recorded_at, survey_type, posted, rank,
        written_at, import_id, quiet)
    order by event_id
    on conflict (event_id) do update set changes = excluded.changes, recorded_at = excluded.recorded_at
    where excluded.response_id = response_changes.response_id
        and excluded.account_id = response_changes.account_id
        and excluded.stakeholder_id is not distinct from response_changes.stakeholder_id
        and excluded.kind = response_changes.kind
        and excluded.survey_type is not distinct from response_changes.survey_type
        and excluded.posted is not distinct from response_changes.posted
        and (excluded.recorded_at, excluded.changes::text)
            < (response_changes.recorded_at, response_changes.changes::text)
    returning event_id, (xmax = 0) as inserted
"""


async def insert(tx: WriteTx, changes: Sequence[tuple[str, Change]]) -> set[UUID]:
    """Store (response_id, change) with differing event ids; returns the event ids that were not there
    before."""
    if not changes:
        return set()
    rows = await tx.all(
        INSERT,
        **as_columns(
            {
                "event_ids": change.event_id,
                "response_ids": response_id,
                "account_ids": change.account_id,
                "stakeholder_ids": change.stakeholder_id,
                "kinds": change.kind,
                "changes": json.dumps(dict(change.changes)),
                "recorded_ats": change.recorded_at,
                "survey_types": change.survey_type,
                "posted": change.posted,
                "ranks": change.rank,
                "written_ats": change.written_at,
                "import_ids": change.import_id,
                "quiets": change.quiet,
            }
            for response_id, change in changes
        ),
    )
    return {row["event_id"] for row in rows if row["inserted"]}


async def by_response(tx: ReadTx, response_ids: Iterable[str]) -> dict[str, list[Change]]:
    """The changes of each response, in no particular order."""
    rows = await tx.all(
        "select event_id, response_id, account_id, stakeholder_id, kind, changes, recorded_at, survey_type, posted,"
        " rank, written_at, import_id, quiet from response_changes where response_id = any(cast(:ids as text[]))",
        ids=list(response_ids),
    )
    found: dict[str, list[Change]] = defaultdict(list)
    for row in rows:
        found[row["response_id"]].append(change_in(row))
    return found


def change_in(row: RowMapping) -> Change:
    """The change that a row holds."""
    return Change(
        row["event_id"],
        row["kind"],
        row["account_id"],
        row["stakeholder_id"],
        row["recorded_at"],
        row["changes"],
        row["survey_type"],
        row["posted"],
        row["rank"],
        row["written_at"],
        row["import_id"],
        row["quiet"],
    )


async def forget_of_files(tx: WriteTx, response_ids: Iterable[str]) -> None:
    """Delete what files have said of these responses."""
    await tx.execute(
        "delete from response_changes where response_id = any(cast(:ids as text[])) and import_id is not null",
        ids=list(response_ids),
    )


async def touched(tx: ReadTx, account_ids: Iterable[str]) -> set[str]:
    """The responses of these accounts that were ever changed."""
    changed = await tx.column(
        "select response_id from responses r where account_id = any(cast(:accounts as text[])) and (base is not null"
        " or withdrawn or exists (select 1 from response_changes c where c.response_id = r.response_id))",
        accounts=list(account_ids),
    )
    return set(changed)
