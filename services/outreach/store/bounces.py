"""Rows of `bounces`: what was said of mails that came back, and the asks that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from services.outreach.domain.bounces import Report
from services.outreach.domain.mail_names import MailName
from shared.db.transaction import ReadTx, WriteTx

Position = tuple[datetime, UUID]
"""received_at and bounce_id of the last row of a page."""
_LIST = """
    select b.bounce_id, b.source, b.kind, b.effect, b.status, b.recipient_domain, b.ask_id, k.account_id,
        k.stakeholder_id, a.name as account_name, s.name, s.email, k.programme_id, b.at, b.received_at,
        case when cast(s.record ->> 'email_changed_at' as timestamptz) > b.mailed_at
            then cast(s.record ->> 'email_changed_at' as timestamptz) end as corrected_at
    from bounces b left join asks k on k.ask_id = b.ask_id
    left join accounts a on a.account_id = k.account_id
    left join aliases l on l.account_id = k.account_id and l.alias_id = k.stakeholder_id
    left join stakeholders s on s.account_id = k.account_id
        and s.stakeholder_id = coalesce(l.stakeholder_id, k.stakeholder_id)
"""


@dataclass(frozen=True, slots=True)
class AskMail:
    """A mail of an ask that was given to the relay at `mailed_at`, and the hash of the address that it went to."""

    name: MailName
    account_id: str
    stakeholder_id: str
    programme_id: str | None
    address_hash: bytes
    address_key_id: str
    mailed_at: datetime


async def find_mail(tx: ReadTx, name: MailName) -> AskMail | None:
    """The mail, if it may have left; None where its ask was erased, and for a test."""
    row = await tx.one(
        "select k.account_id, k.stakeholder_id, k.programme_id, d.address_hash, d.address_key_id,"
        " d.data_started_at as mailed_at from asks k join sends d on d.ask_id = k.ask_id"
        " where k.ask_id = :ask_id and d.kind = :kind and d.number = :number and d.data_started_at is not null"
        " and d.address_hash is not null",
        ask_id=name.ask_id,
        kind=name.kind,
        number=name.number,
    )
    if row is None:
        return None
    return AskMail(name, **row)


@dataclass(frozen=True, slots=True)
class NewBounce:
    """A report as it came. `recipient_domain` only where it names no mail of ours, that is, without `mail`."""

    bounce_id: UUID
    report: Report
    source: str
    at: datetime
    received_at: datetime
    mail: AskMail | None = None
    recipient_domain: str | None = None

    @property
    def effect(self) -> str:
        """Before it has one."""
        if self.mail is None:
            return "unmatched"
        return "none"


async def add(tx: WriteTx, bounce: NewBounce) -> bool:
    """Write a report down, without effect so far; False where it is there already."""
    report = bounce.report
    of_mail: dict[str, Any] = dict.fromkeys(("ask_id", "mailed_at", "address_hash"))
    if bounce.mail is not None:
        of_mail = {
            "ask_id": bounce.mail.name.ask_id,
            "mailed_at": bounce.mail.mailed_at,
            "address_hash": bounce.mail.address_hash,
        }
    added = await tx.execute(
        "insert into bounces (bounce_id, key, source, kind, effect, status, recipient_domain, ask_id, mailed_at,"
        " address_hash, at, received_at) values (:bounce_id, :key, :source, :kind, :effect, :status, :domain, :ask_id,"
        " :mailed_at, :address_hash, :at, :now)"
        " on conflict (key) do nothing",
        bounce_id=bounce.bounce_id,
        key=report.key,
        source=bounce.source,
        kind=report.kind,
        effect=bounce.effect,
        status=report.status,
        domain=bounce.recipient_domain,
        at=bounce.at,
        now=bounce.received_at,
        **of_mail,
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


async def soft_programmes(tx: ReadTx, mail: AskMail, since: datetime) -> int:
    """Of how many programmes a mail to the person's address came back for a while, since a moment."""
    count: int = await tx.scalar(
        "select count(distinct k.programme_id) from bounces b join asks k on k.ask_id = b.ask_id"
        " where k.account_id = :account_id and k.stakeholder_id = :stakeholder_id and b.kind = 'soft'"
        " and b.address_hash = :address_hash and b.at > :since",
        account_id=mail.account_id,
        stakeholder_id=mail.stakeholder_id,
        address_hash=mail.address_hash,
        since=since,
    )
    return count
