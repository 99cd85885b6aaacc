"""Rows of `invitations` and `context_marks`: who was asked and what happened around the answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.db.sql import comma_list
from shared.db.transaction import ReadTx, WriteTx, as_columns
from shared.events.context import ContextRecorded
from shared.topics import INVITATION_KINDS

InvitationKey = tuple[str, str, str]
"""account_id, invitation_id, stakeholder_id."""
_KEY = ("account_id", "invitation_id", "stakeholder_id")
_TEXTS = (*_KEY, "survey_id", "channel")
_MOMENTS = (*(f"{kind}_at" for kind in INVITATION_KINDS), "withdrawn_at", "recorded_at")
_COLUMNS = (*_TEXTS, *_MOMENTS)
_ARRAYS = f"{comma_list('cast(:{0} as text[])', _TEXTS)}, {comma_list('cast(:{0} as timestamptz[])', _MOMENTS)}"
# `least` passes over nulls: the first time counts, whatever the order of arrival.
UPSERT_INVITATIONS = (
    f"insert into invitations ({', '.join(_COLUMNS)}, person_id)"
    f" select {comma_list('r.{0}', _COLUMNS)}, l.stakeholder_id from unnest({_ARRAYS}) as r({', '.join(_COLUMNS)})"
    " left join aliases l on l.account_id = r.account_id and l.alias_id = r.stakeholder_id"
    f" order by {comma_list('r.{0}', _KEY)}"
    f" on conflict ({', '.join(_KEY)}) do update set"
    f" {comma_list('{0} = least(invitations.{0}, excluded.{0})', _COLUMNS[len(_KEY) :])},"
    " person_id = excluded.person_id"
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
    accounts, invitations, stakeholders = zip(*keys, strict=True)
    rows = await tx.all(
        f"select {', '.join(_COLUMNS)} from invitations where ({', '.join(_KEY)}) in (select * from unnest("
        "cast(:accounts as text[]), cast(:invitations as text[]), cast(:stakeholders as text[])))"
        f" order by {', '.join(_KEY)} for update",
        accounts=list(accounts),
        invitations=list(invitations),
        stakeholders=list(stakeholders),
    )
    return {(row["account_id"], row["invitation_id"], row["stakeholder_id"]): dict(row) for row in rows}


async def save_invitations(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write invitations; of two values for one moment the earlier stays."""
    if rows:
        nothing = dict.fromkeys(_COLUMNS)
        await tx.execute(UPSERT_INVITATIONS, **as_columns({**nothing, **row} for row in rows))


async def insert_context(tx: WriteTx, facts: Sequence[ContextRecorded]) -> set[UUID]:
    """Store context facts with differing event ids; returns the event ids that were not there before."""
    if not facts:
        return set()
    inserted = await tx.column(
        INSERT_CONTEXT,
        **as_columns(
            {
                "event_ids": fact.event_id,
                "account_ids": fact.account_id,
                "stakeholder_ids": fact.stakeholder_id,
                "kinds": fact.kind,
                "ats": fact.at,
                "labels": fact.label,
                "recorded_ats": fact.recorded_at,
            }
            for fact in facts
        ),
    )
    return set(inserted)


async def answered_recently(tx: ReadTx, account_ids: Iterable[str], recorded_after: Any) -> set[str]:
    """Those of the accounts with an answer recorded since then that was fresh when it was recorded."""
    answered = await tx.column(
        "select account_id from unnest(cast(:accounts as text[])) as a(account_id) where exists (select 1"
        " from responses r where r.account_id = a.account_id and r.recorded_at > :after and not r.quiet"
        " and r.answered_at >= r.recorded_at - interval '30 days')",
        accounts=list(account_ids),
        after=recorded_after,
    )
    return set(answered)
