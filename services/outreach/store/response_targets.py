"""Rows of `response_targets`: what share of those asked at an owner's accounts is to answer."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping

from shared.db.transaction import ReadTx, WriteTx


async def listed(tx: ReadTx, seen_by: str | None = None) -> Sequence[RowMapping]:
    """The targets by owner; that of `seen_by` alone, where it is given."""
    return await tx.all(
        "select owner, target, set_at, set_by from response_targets"
        " where cast(:seen_by as text) is null or owner = :seen_by order by owner",
        seen_by=seen_by,
    )


async def put(tx: WriteTx, owner: str, target: float, actor: str, now: datetime) -> None:
    """Set the target of an owner, in the place of an earlier one."""
    await tx.execute(
        "insert into response_targets (owner, target, set_at, set_by) values (:owner, :target, :now, :actor)"
        " on conflict (owner) do update set target = excluded.target, set_at = excluded.set_at,"
        " set_by = excluded.set_by",
        owner=owner,
        target=target,
        now=now,
        actor=actor,
    )


async def drop(tx: WriteTx, owner: str) -> None:
    """Take the target of an owner away, if there is one."""
    await tx.execute("delete from response_targets where owner = :owner", owner=owner)
