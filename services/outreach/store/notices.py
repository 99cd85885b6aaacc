"""Mails that ask nothing: which are due, which may be on their way, and what became of them. As with `sends`, one whose
`data_started_at` is written and whose end is not may have left, and is never sent again."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from services.outreach.store.sends import LEASE
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import uuid7

NoticeKind = Literal["owner_list", "loop_back", "paused", "weekly"]
_COLUMNS: Final = (
    "notice_id, key, kind, due_at, recipient, programme_id, wave, loop_back_id, account_id, stakeholder_id, content,"
    " attempts, data_started_at, created_at"
)
_WAITS: Final = "state = 'waiting' and data_started_at is null"


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A mail that is to go. `key` names it: it goes once. `recipient`: the address of a colleague. `content`: what it
    says, where that is not found out when it goes."""

    key: str
    kind: NoticeKind
    due_at: datetime
    recipient: str | None = None
    programme_id: str | None = None
    wave: date | None = None
    loop_back_id: UUID | None = None
    account_id: str | None = None
    stakeholder_id: str | None = None
    content: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(NewNotice):
    """One of the table. `attempts`: how often the relay was asked."""

    notice_id: UUID
    attempts: int
    data_started_at: datetime | None
    created_at: datetime


async def add(tx: WriteTx, new: Sequence[NewNotice], now: datetime) -> None:
    """Write mails that are to go; those whose key is there already are passed over."""
    rows = [asdict(notice) | {"notice_id": uuid7(), "now": now} for notice in new]
    await tx.execute_many(
        "insert into notices (notice_id, key, kind, recipient, programme_id, wave, loop_back_id, account_id,"
        " stakeholder_id, content, due_at, created_at) values (:notice_id, :key, :kind, :recipient, :programme_id,"
        " :wave, :loop_back_id, :account_id, :stakeholder_id, cast(:content as jsonb), :due_at, :now)"
        " on conflict (key) do nothing",
        rows,
    )


async def known(tx: ReadTx, keys: Collection[str]) -> set[str]:
    """Those of the keys that name a mail that was written, whatever became of it."""
    return set(await tx.column("select key from notices where key = any(cast(:keys as text[]))", keys=sorted(keys)))


async def due(tx: ReadTx, now: datetime, most: int) -> list[Notice]:
    """Those that are due, the one that waits longest first."""
    rows = await tx.all(
        f"select {_COLUMNS} from notices where {_WAITS} and due_at <= :now order by due_at, key limit :most",
        now=now,
        most=most,
    )
    return [Notice(**row) for row in rows]


async def is_due(tx: WriteTx, notice_id: UUID, now: datetime) -> bool:
    """Whether it is still to go now; nobody else changes it until the end of the transaction."""
    found = await tx.scalar(
        f"select 1 from notices where notice_id = :notice_id and {_WAITS} and due_at <= :now for update",
        notice_id=notice_id,
        now=now,
    )
    return found is not None


async def interrupted(tx: ReadTx, now: datetime) -> list[Notice]:
    """Those that were being given to the relay when a process ended."""
    rows = await tx.all(
        f"select {_COLUMNS} from notices where state = 'waiting' and data_started_at < :before limit 100",
        before=now - LEASE,
    )
    return [Notice(**row) for row in rows]


async def put_off(tx: WriteTx, notice_id: UUID, until: datetime) -> None:
    """Look at it again then."""
    await tx.execute(
        f"update notices set due_at = :until where notice_id = :notice_id and {_WAITS}",
        notice_id=notice_id,
        until=until,
    )


async def begin(tx: WriteTx, notice_id: UUID, now: datetime) -> bool:
    """Write that the relay is given it now; False where that is written already."""
    begun = await tx.execute(
        f"update notices set data_started_at = :now, attempts = attempts + 1 where notice_id = :notice_id and {_WAITS}",
        notice_id=notice_id,
        now=now,
    )
    return begun == 1


async def end(
    tx: WriteTx, notice_id: UUID, state: str, reason: str | None, at: datetime, *, confirmed: bool = True
) -> None:
    """It was sent, or will never go, for a reason."""
    await tx.execute(
        "update notices set state = :state, reason = :reason, ended_at = :at, unconfirmed = :unconfirmed,"
        " content = null where notice_id = :notice_id and state = 'waiting'",
        notice_id=notice_id,
        state=state,
        reason=reason,
        at=at,
        unconfirmed=not confirmed,
    )


async def refused(tx: WriteTx, notice_id: UUID, *, counts: bool) -> int:
    """The relay has not taken it; `counts`: it was asked, which is an attempt. Returns how often it was asked."""
    attempts: int | None = await tx.scalar(
        "update notices set data_started_at = null, attempts = attempts + :attempt - case when data_started_at is null"
        " then 0 else 1 end where notice_id = :notice_id and state = 'waiting' returning attempts",
        notice_id=notice_id,
        attempt=int(counts),
    )
    return attempts or 0
