"""What was changed after answers: to whom it is told, and how far that came."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from services.outreach.domain.languages import base_of
from services.outreach.store.people import PersonKey
from shared.db.transaction import ReadTx, WriteTx

_COLUMNS: Final = (
    "l.loop_back_id, l.account_id, a.name as account_name, l.theme, l.changed, l.line, l.language, l.sender_email,"
    " l.sender_name, l.created_at, l.created_by, l.withdrawn_at, l.withdrawn_by"
)
_FROM: Final = "from loop_backs l left join accounts a on a.account_id = l.account_id"
_SEEN: Final = "(cast(:owner_email as text) is null or a.owner_email = :owner_email)"


async def insert(tx: WriteTx, row: Mapping[str, Any]) -> None:
    """Keep what was changed: the columns of the table, but for those of a withdrawal."""
    await tx.execute(
        "insert into loop_backs (loop_back_id, account_id, theme, changed, line, language, sender_email, sender_name,"
        " created_at, created_by) values (:loop_back_id, :account_id, :theme, :changed, :line, :language,"
        " :sender_email, :sender_name, :created_at, :created_by)",
        **row,
    )


async def find(tx: ReadTx, loop_back_id: UUID, owner_email: str | None = None) -> RowMapping | None:
    """One by its id; None for one of an account that the caller does not see."""
    return await tx.one(
        f"select {_COLUMNS} {_FROM} where l.loop_back_id = :loop_back_id and {_SEEN}",
        loop_back_id=loop_back_id,
        owner_email=owner_email,
    )


async def listed(
    tx: ReadTx, account_id: str | None, owner_email: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """Those of an account, or all that the caller sees, the newest first; those `after` a time of creation and an
    id."""
    where, position = [_SEEN, "(cast(:account_id as text) is null or l.account_id = :account_id)"], dict[str, Any]()
    if after is not None:
        where.append("(l.created_at, l.loop_back_id) < (:after_at, :after_id)")
        position = {"after_at": after[0], "after_id": after[1]}
    return await tx.all(
        f"select {_COLUMNS} {_FROM} where {' and '.join(where)} order by l.created_at desc, l.loop_back_id desc"
        " limit :limit",
        account_id=account_id,
        owner_email=owner_email,
        limit=limit,
        **position,
    )


async def counts(tx: ReadTx, loop_back_ids: Sequence[UUID]) -> dict[UUID, list[tuple[str, str | None, int]]]:
    """loop_back_id -> (state, reason, how many people)."""
    rows = await tx.rows(
        "select loop_back_id, state, reason, count(*) from notices where loop_back_id = any(cast(:ids as uuid[]))"
        " group by 1, 2, 3 order by 1, 2, 3",
        ids=list(loop_back_ids),
    )
    found: dict[UUID, list[tuple[str, str | None, int]]] = {}
    for loop_back_id, state, reason, count in rows:
        found.setdefault(loop_back_id, []).append((state, reason, count))
    return found


async def withdraw(tx: WriteTx, loop_back_id: UUID, now: datetime, actor: str) -> int:
    """Take it back: mails that have not begun do not go; returns how many these were."""
    stopped = await tx.execute(
        "update notices set state = 'skipped', reason = 'withdrawn', ended_at = :now"
        " where loop_back_id = :loop_back_id and state = 'waiting' and data_started_at is null",
        loop_back_id=loop_back_id,
        now=now,
    )
    if stopped:
        await tx.execute(
            "update loop_backs set withdrawn_at = :now, withdrawn_by = :actor where loop_back_id = :loop_back_id",
            loop_back_id=loop_back_id,
            now=now,
            actor=actor,
        )
    return stopped


async def heard(tx: ReadTx, person: PersonKey, language: str) -> str | None:
    """What was changed last after answers of a person, in a line for the next invitation; None where they were asked
    since, or where it was written in another language."""
    found: str | None = await tx.scalar(
        "select l.line from notices n join loop_backs l on l.loop_back_id = n.loop_back_id"
        " where n.account_id = :account_id and n.stakeholder_id = :stakeholder_id and l.withdrawn_at is null"
        " and split_part(l.language, '-', 1) = :language and not exists (select from asks k"
        " where k.account_id = n.account_id and k.stakeholder_id = n.stakeholder_id and k.sent_at > l.created_at"
        " and k.origin <> 'test') order by l.created_at desc limit 1",
        account_id=person[0],
        stakeholder_id=person[1],
        language=base_of(language),
    )
    return found
