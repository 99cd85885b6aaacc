"""Rows of `bounces`: what was said of mails that came back, and the asks that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from services.outreach.domain.bounces import Report
from shared.db.transaction import ReadTx, WriteTx

Position = tuple[datetime, UUID]
"""received_at and bounce_id of the last row of a page."""
_LIST = """
    select b.bounce_id, b.source, b.kind, b.effect, b.status, b.recipient_domain, b.ask_id, k.account_id,
        k.stakeholder_id, a.name as account_name, s.name, s.email, k.programme_id, b.at, b.received_at,
        case when cast(s.record ->> 'email_changed_at' as timestamptz) > k.sent_at
            then cast(s.record ->> 'email_changed_at' as timestamptz) end as corrected_at
    from bounces b left join asks k on k.ask_id = b.ask_id
    left join accounts a on a.account_id = k.account_id
    left join aliases l on l.account_id = k.account_id and l.alias_id = k.stakeholder_id
    left join stakeholders s on s.account_id = k.account_id
        and s.stakeholder_id = coalesce(l.stakeholder_id, k.stakeholder_id)
"""


@dataclass(frozen=True, slots=True)
class MailedAsk:
    """An ask of which a mail was given to the relay, the last one at `mailed_at`."""

    ask_id: UUID
    account_id: str
    stakeholder_id: str
    programme_id: str | None
    address_hash: bytes
    address_key_id: str
    mailed_at: datetime


async def mailed_ask(tx: ReadTx, ask_id: UUID) -> MailedAsk | None:
    """The ask, if a mail of it may have left; None for one that was erased, never mailed, or a test."""
    row = await tx.one(
        "select k.ask_id, k.account_id, k.stakeholder_id, k.programme_id, k.address_hash, k.address_key_id,"
        " max(d.data_started_at) as mailed_at from asks k join sends d on d.ask_id = k.ask_id"
        " where k.ask_id = :ask_id and d.data_started_at is not null and k.origin <> 'test'"
        " and k.address_hash is not null group by k.ask_id",
        ask_id=ask_id,
    )
    if row is None:
        return None
    return MailedAsk(**row)


@dataclass(frozen=True, slots=True)
class NewBounce:
    """A report as it came. `recipient_domain` only where it names no mail of ours, that is, without `ask_id`."""

    bounce_id: UUID
    report: Report
    source: str
    at: datetime
    received_at: datetime
    ask_id: UUID | None = None
    recipient_domain: str | None = None

    @property
    def effect(self) -> str:
        """Before it has one."""
        if self.ask_id is None:
            return "unmatched"
        return "none"


async def add(tx: WriteTx, bounce: NewBounce) -> bool:
    """Write a report down, without effect so far; False where it is there already."""
    report = bounce.report
    added = await tx.execute(
        "insert into bounces (bounce_id, key, source, kind, effect, status, recipient_domain, ask_id, at, received_at)"
        " values (:bounce_id, :key, :source, :kind, :effect, :status, :domain, :ask_id, :at, :now)"
        " on conflict (key) do nothing",
        bounce_id=bounce.bounce_id,
        key=report.key,
        source=bounce.source,
        kind=report.kind,
        effect=bounce.effect,
        status=report.status,
        domain=bounce.recipient_domain,
        ask_id=bounce.ask_id,
        at=bounce.at,
        now=bounce.received_at,
    )
    return added == 1


async def set_effect(tx: WriteTx, bounce_id: UUID, effect: str) -> None:
    """Note what a report led to."""
    await tx.execute(
        "update bounces set effect = :effect where bounce_id = :bounce_id", effect=effect, bounce_id=bounce_id
    )


async def by_key(tx: ReadTx, key: bytes) -> Mapping[str, Any]:
    """The report of this key, which was written down."""
    [row] = await tx.all(f"{_LIST} where b.key = :key", key=key)
    return dict(row)


async def listed(tx: ReadTx, effect: str | None, after: Position | None, limit: int) -> Sequence[RowMapping]:
    """Reports, the newest first; with `effect` those that had this one."""
    where = ["true"]
    binds: dict[str, Any] = {"limit": limit}
    if effect is not None:
        where.append("b.effect = :effect")
        binds["effect"] = effect
    if after is not None:
        where.append("(b.received_at, b.bounce_id) < (:received_at, :bounce_id)")
        binds |= {"received_at": after[0], "bounce_id": after[1]}
    return await tx.all(
        f"{_LIST} where {' and '.join(where)} order by b.received_at desc, b.bounce_id desc limit :limit", **binds
    )


async def hard_since(tx: ReadTx, programme_id: str, since: datetime) -> int:
    """How many asks of a programme came back for good, by reports that came since a moment."""
    count: int = await tx.scalar(
        "select count(distinct b.ask_id) from bounces b join asks k on k.ask_id = b.ask_id"
        " where k.programme_id = :programme_id and b.effect = 'bounced' and b.received_at > :since",
        programme_id=programme_id,
        since=since,
    )
    return count


async def soft_programmes(tx: ReadTx, ask: MailedAsk, since: datetime) -> int:
    """Of how many programmes a mail to the person's address came back for a while, since a moment."""
    count: int = await tx.scalar(
        "select count(distinct k.programme_id) from bounces b join asks k on k.ask_id = b.ask_id"
        " where k.account_id = :account_id and k.stakeholder_id = :stakeholder_id and b.kind = 'soft'"
        " and k.address_hash = :address_hash and b.at > :since",
        account_id=ask.account_id,
        stakeholder_id=ask.stakeholder_id,
        address_hash=ask.address_hash,
        since=since,
    )
    return count
