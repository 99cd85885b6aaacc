"""Rows of `invitations` and `context_marks`: who was asked and what happened around the answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.db.transaction import ReadTx, WriteTx
from shared.events.context import ContextRecorded
from shared.topics import INVITATION_KINDS

InvitationKey = tuple[str, str, str]
"""account_id, invitation_id, stakeholder_id."""
MOMENTS = (*(f"{kind}_at" for kind in INVITATION_KINDS), "withdrawn_at")
_KEY = ("account_id", "invitation_id", "stakeholder_id")
_COLUMNS: Mapping[str, str] = (
    dict.fromkeys((*_KEY, "survey_id", "channel"), "text")
    | dict.fromkeys(MOMENTS, "timestamptz")
    | {"recorded_at": "timestamptz"}
)
_ARRAYS = ", ".join(f"cast(:{name} as {kind}[])" for name, kind in _COLUMNS.items())
# `least` passes over nulls: the first time counts, whatever the order of arrival.
UPSERT_INVITATIONS = (
    f"insert into invitations ({', '.join(_COLUMNS)}) select * from unnest({_ARRAYS})"
    f" as r({', '.join(_COLUMNS)}) order by account_id, invitation_id, stakeholder_id"
    f" on conflict ({', '.join(_KEY)}) do update set "
    + ", ".join(f"{name} = least(invitations.{name}, excluded.{name})" for name in _COLUMNS if name not in _KEY)
)
INSERT_CONTEXT = """
    insert into context_marks (event_id, account_id, stakeholder_id, kind, at, label, recorded_at)
    select * from unnest(cast(:event_ids as uuid[]), cast(:account_ids as text[]),
        cast(:stakeholder_ids as text[]), cast(:kinds as text[]), cast(:ats as timestamptz[]),
        cast(:labels as text[]), cast(:recorded_ats as timestamptz[]))
    on conflict (event_id) do nothing returning event_id
"""


async def lock_invitations(tx: WriteTx, keys: Iterable[InvitationKey]) -> dict[InvitationKey, dict[str, Any]]:
    """Lock and read the invitations that are there."""
    columns = list(zip(*keys, strict=True))
    rows = await tx.all(
        f"select {', '.join(_COLUMNS)} from invitations where ({', '.join(_KEY)}) in (select * from unnest("
        "cast(:accounts as text[]), cast(:invitations as text[]), cast(:stakeholders as text[])))"
        f" order by {', '.join(_KEY)} for update",
        accounts=list(columns[0]),
        invitations=list(columns[1]),
        stakeholders=list(columns[2]),
    )
    return {tuple(row[name] for name in _KEY): dict(row) for row in rows}


async def save_invitations(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write invitations; of two values for one moment the earlier stays."""
    if rows:
        await tx.execute(UPSERT_INVITATIONS, **{name: [row.get(name) for row in rows] for name in _COLUMNS})


async def insert_context(tx: WriteTx, facts: Sequence[ContextRecorded]) -> set[UUID]:
    """Store context facts with differing event ids; returns the event ids that were not there before."""
    if not facts:
        return set()
    rows = await tx.all(
        INSERT_CONTEXT,
        event_ids=[fact.event_id for fact in facts],
        account_ids=[fact.account_id for fact in facts],
        stakeholder_ids=[fact.stakeholder_id for fact in facts],
        kinds=[fact.kind for fact in facts],
        ats=[fact.at for fact in facts],
        labels=[fact.label for fact in facts],
        recorded_ats=[fact.recorded_at for fact in facts],
    )
    return {row["event_id"] for row in rows}


async def heard_recently(tx: ReadTx, account_ids: Iterable[str], recorded_after: Any) -> set[str]:
    """Those of the accounts with an answer recorded since then that was fresh when it was recorded."""
    rows = await tx.all(
        "select account_id from unnest(cast(:accounts as text[])) as a(account_id) where exists (select 1"
        " from responses r where r.account_id = a.account_id and r.recorded_at > :after and not r.quiet"
        " and r.answered_at >= r.recorded_at - interval '30 days')",
        accounts=list(account_ids),
        after=recorded_after,
    )
    return {row["account_id"] for row in rows}
