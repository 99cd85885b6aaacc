"""Rows of `stakeholder_aliases` and `stakeholder_merges`: which further ids stand for whom, and what was merged."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.collector.store.directory import Person
from shared.db.sql import BOUND_PEOPLE, people_binds
from shared.db.transaction import ReadTx, WriteTx, as_columns


@dataclass(frozen=True, slots=True)
class Merge:
    """A record that was merged into another one: the aliases that it had, and the record, None where there was none."""

    account_id: str
    stakeholder_id: str
    into_id: str
    aliases: tuple[str, ...]
    record: Mapping[str, Any] | None
    merged_at: datetime


async def holders(tx: ReadTx, people: Iterable[Person]) -> dict[Person, str]:
    """Whose the ids are that are aliases of somebody: (account_id, alias) -> stakeholder_id."""
    rows = await tx.rows(
        "select account_id, alias_id, stakeholder_id from stakeholder_aliases"
        f" where (account_id, alias_id) in {BOUND_PEOPLE}",
        **people_binds(people),
    )
    return {(account_id, alias): holder for account_id, alias, holder in rows}


async def of_people(tx: ReadTx, people: Iterable[Person]) -> dict[Person, list[str]]:
    """The aliases of people: (account_id, stakeholder_id) -> aliases."""
    rows = await tx.rows(
        "select account_id, stakeholder_id, alias_id from stakeholder_aliases"
        f" where (account_id, stakeholder_id) in {BOUND_PEOPLE} order by alias_id",
        **people_binds(people),
    )
    found: dict[Person, list[str]] = {}
    for account_id, stakeholder_id, alias in rows:
        found.setdefault((account_id, stakeholder_id), []).append(alias)
    return found


async def save(tx: WriteTx, claimed: Mapping[Person, str], released: Iterable[Person]) -> None:
    """Give aliases to their new holders, and take them from everybody."""
    if claimed:
        rows = []
        for (account_id, alias), holder in claimed.items():
            rows.append({"accounts": account_id, "aliases": alias, "holders": holder})
        await tx.execute(
            "insert into stakeholder_aliases (account_id, alias_id, stakeholder_id) select * from"
            " unnest(cast(:accounts as text[]), cast(:aliases as text[]), cast(:holders as text[]))"
            " on conflict (account_id, alias_id) do update set stakeholder_id = excluded.stakeholder_id",
            **as_columns(rows),
        )
    gone = list(released)
    if gone:
        await tx.execute(
            f"delete from stakeholder_aliases where (account_id, alias_id) in {BOUND_PEOPLE}", **people_binds(gone)
        )


async def merge_of(tx: ReadTx, account_id: str, stakeholder_id: str) -> Merge | None:
    """The merge that the record is gone by."""
    row = await tx.one(
        "select account_id, stakeholder_id, into_id, aliases, record, merged_at from stakeholder_merges"
        " where account_id = :account_id and stakeholder_id = :stakeholder_id",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
    )
    if row is None:
        return None
    return Merge(**dict(row) | {"aliases": tuple(row["aliases"])})


async def note_merges(tx: WriteTx, merges: Sequence[Merge]) -> None:
    """Keep what undoing these merges needs."""
    rows = []
    for merge in merges:
        record = None
        if merge.record is not None:
            record = json.dumps(dict(merge.record))
        rows.append(
            {
                "account_id": merge.account_id,
                "stakeholder_id": merge.stakeholder_id,
                "into_id": merge.into_id,
                "aliases": list(merge.aliases),
                "record": record,
                "merged_at": merge.merged_at,
            }
        )
    await tx.execute_many(
        "insert into stakeholder_merges (account_id, stakeholder_id, into_id, aliases, record, merged_at)"
        " values (:account_id, :stakeholder_id, :into_id, cast(:aliases as text[]), cast(:record as jsonb), :merged_at)"
        " on conflict (account_id, stakeholder_id) do update set into_id = excluded.into_id,"
        " aliases = excluded.aliases, record = excluded.record, merged_at = excluded.merged_at",
        rows,
    )


async def forget_merge(tx: WriteTx, account_id: str, stakeholder_id: str) -> None:
    """The merge is undone."""
    await tx.execute(
        "delete from stakeholder_merges where account_id = :account_id and stakeholder_id = :stakeholder_id",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
    )
