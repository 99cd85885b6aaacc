"""The facts about accounts as rows: written as they come, in any order; read whole for the accounts to evaluate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerting.domain.rule_facts import AccountState, ClassChange, Drop
from shared.db.sql import arrays, comma_list
from shared.db.transaction import ReadTx, WriteTx, as_columns

MOMENTS = ("sent", "delivered", "opened", "started", "bounced", "unsubscribed", "withdrawn")
_STEPS = tuple(f"{step}_at" for step in MOMENTS)
KEPT_CHANGES = 20
"""Changes of class that are kept of an account."""
InvitationKey = tuple[str, str, str]
"""An account, a person and an invitation."""
_KEY = {"account_id": "text", "stakeholder_id": "text", "invitation_id": "text"}
_LEARNED = {
    "channel": "text",
    **dict.fromkeys(_STEPS, "timestamptz"),
    "bounce_recorded_at": "timestamptz",
    "recorded_at": "timestamptz",
    "asked_at": "timestamptz",
    "silent_at": "timestamptz",
    "silent_days": "int",
    "furthest": "text",
    "silent_type": "text",
}
_ROW = _KEY | _LEARNED
_INVITATIONS = f"""
    select {", ".join(_ROW)} from invitations
    where ({", ".join(_KEY)}) in (select * from unnest({arrays(_KEY)}))
"""
_UPSERT_INVITATIONS = f"""
    insert into invitations ({", ".join(_ROW)}) select * from unnest({arrays(_ROW)})
    on conflict ({", ".join(_KEY)}) do update set {comma_list("{0} = excluded.{0}", _LEARNED)}
"""


async def invitations_by_key(tx: ReadTx, keys: Iterable[InvitationKey]) -> dict[InvitationKey, dict[str, Any]]:
    """The invitations that are there, as rows."""
    wanted = as_columns(dict(zip(_KEY, key, strict=True)) for key in sorted(set(keys)))
    invitations: dict[InvitationKey, dict[str, Any]] = {}
    for row in await tx.all(_INVITATIONS, **wanted):
        invitations[row["account_id"], row["stakeholder_id"], row["invitation_id"]] = dict(row)
    return invitations


async def save_invitations(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write invitations as rows; a column that a row does not have is null."""
    if rows:
        nothing = dict.fromkeys(_ROW)
        await tx.execute(_UPSERT_INVITATIONS, **as_columns(nothing | dict(row) for row in rows))


async def forget_invitations(tx: WriteTx, account_id: str, stakeholder_id: str, until: datetime) -> None:
    """Drop a person's invitations of which something was recorded, or happened, at or before `until`."""
    await tx.execute(
        "delete from invitations where account_id = :account_id and stakeholder_id = :stakeholder_id"
        f" and least(recorded_at, {', '.join(_STEPS)}) <= :until",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        until=until,
    )


async def add_contract_event(tx: WriteTx, event_id: UUID, account_id: str, kind: str, at: datetime) -> bool:
    """A contract was renewed or lost; says whether that was new."""
    inserted = await tx.execute(
        "insert into contract_events (event_id, account_id, kind, at) values (:event_id, :account_id, :kind, :at)"
        " on conflict do nothing",
        event_id=event_id,
        account_id=account_id,
        kind=kind,
        at=at,
    )
    return inserted > 0


async def account_states(tx: ReadTx, account_ids: Iterable[str]) -> dict[str, tuple[AccountState, int]]:
    """What the scorer said of accounts, with the sequence by which the class is known."""
    rows = await tx.all(
        "select account_id, told_class, class_sequence, class_changes, dropped, recovered_sequence from account_scores"
        " where account_id = any(cast(:ids as text[]))",
        ids=sorted(set(account_ids)),
    )
    states = {}
    for row in rows:
        states[row["account_id"]] = (account_state_of(row), row["class_sequence"])
    return states


async def save_account_states(tx: WriteTx, account_states: Mapping[str, tuple[AccountState, int]]) -> None:
    """Keep what the scorer said in events; snapshots are kept by `save_scores`."""
    rows = []
    for account_id, (account_state, sequence) in sorted(account_states.items()):
        row: dict[str, Any] = {
            "account_id": account_id,
            "told_class": account_state.account_class,
            "class_sequence": sequence,
            "changes": [_document(change) for change in account_state.changes],
            "dropped": None,
            "drop_sequence": -1,
            "recovered_sequence": account_state.recovered_sequence,
        }
        if account_state.drop is not None:
            row |= {"dropped": _document(account_state.drop), "drop_sequence": account_state.drop.sequence}
        rows.append(row)
    await tx.execute_many(
        "insert into account_scores (account_id, told_class, class_sequence, class_changes, dropped, drop_sequence,"
        " recovered_sequence) values (:account_id, :told_class, :class_sequence, cast(:changes as jsonb),"
        " cast(:dropped as jsonb), :drop_sequence, :recovered_sequence) on conflict (account_id) do update set"
        " told_class = excluded.told_class, class_sequence = excluded.class_sequence,"
        " class_changes = excluded.class_changes, dropped = excluded.dropped, drop_sequence = excluded.drop_sequence,"
        " recovered_sequence = excluded.recovered_sequence",
        rows,
    )


def account_state_of(row: RowMapping) -> AccountState:
    """What a row says of what the scorer said."""
    drop = None
    if row["dropped"] is not None:
        drop = Drop(**_read(row["dropped"]))
    changes = tuple(ClassChange(**_read(change)) for change in row["class_changes"])
    return AccountState(row["told_class"], changes, drop, row["recovered_sequence"])


def _document(event: ClassChange | Drop) -> dict[str, Any]:
    return asdict(event) | {"at": event.at.isoformat()}


def _read(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"at": datetime.fromisoformat(document["at"])}
