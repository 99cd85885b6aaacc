"""Mails of programmes: which are due, which may be on their way, and what became of them.

A mail whose `data_started_at` is written and whose end is not may have left, and is never sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from services.outreach.domain.asks import SYSTEM, AskChange
from services.outreach.domain.audience import Member
from services.outreach.domain.mail_names import MailName
from services.outreach.domain.tokens import AddressHash
from shared.db.transaction import ReadTx, WriteTx

LEASE: Final = timedelta(minutes=5)
"""Longer than a mail may take."""
CORRECTED: Final = "sent again, to the corrected address"


@dataclass(frozen=True, slots=True)
class DueMail:
    """An invitation or a reminder that is due. `number`: 1 for the invitation and the first reminder, 2 for an
    invitation that goes once more, to a corrected address. `attempts`: how often the relay was asked before.
    `invitations`: the number of the invitation that has arrived for all that is known, which a reminder is about."""

    ask_id: UUID
    programme_id: str
    survey_id: str
    survey_version: int
    account_id: str
    stakeholder_id: str
    kind: Literal["invite", "reminder"]
    number: int
    latest_at: datetime
    sent_at: datetime | None
    closes_at: datetime | None
    answered_at: datetime | None
    finished_at: datetime | None
    open_days: int
    attempts: int
    invitations: int
    account_name: str | None
    owner_name: str | None
    owner_email: str | None
    sponsor_name: str | None
    sponsor_email: str | None
    member: Member

    @property
    def person(self) -> tuple[str, str]:
        """account_id and stakeholder_id."""
        return self.account_id, self.stakeholder_id

    @property
    def name(self) -> MailName:
        """What reports of it name it by when it comes back."""
        return MailName(self.ask_id, self.kind, self.number)

    @property
    def is_again(self) -> bool:
        """Whether the invitation came back and goes once more, to an address that was corrected."""
        return self.kind == "invite" and self.number > 1


_KIND = "case when a.state = 'sent' and a.invite_again_at is null then 'reminder' else 'invite' end"
_NUMBER = "case when a.invite_again_at is not null then 2 when a.state = 'sent' then a.reminders + 1 else 1 end"
_DUE = f"""
    select a.ask_id, a.programme_id, a.survey_id, a.survey_version, a.account_id, a.stakeholder_id, a.latest_at,
        a.sent_at, a.closes_at, a.answered_at, a.finished_at, a.open_days, coalesce(d.attempts, 0) as attempts,
        case when a.invited_again_at is null then 1 else 2 end as invitations,
        k.name as account_name, k.owner_name, k.owner_email, k.sponsor_name, k.sponsor_email,
        s.type, s.record ->> 'time_zone' as zone, k.record ->> 'time_zone' as account_zone, k.region, k.tier,
        cast(k.record ->> 'customer_since' as date) as customer_since, k.renewal_on,
        {_KIND} as kind, {_NUMBER} as number
    from asks a join programmes p on p.programme_id = a.programme_id
    join survey_versions v on v.survey_id = a.survey_id and v.version = a.survey_version
    left join stakeholders s on s.account_id = a.account_id and s.stakeholder_id = a.stakeholder_id and not s.removed
    left join accounts k on k.account_id = a.account_id
    left join sends d on d.ask_id = a.ask_id and d.number = {_NUMBER} and d.kind = {_KIND}
"""
_INVITES = "a.programme_id is not null and a.state in ('waiting', 'held') and coalesce(a.held_until, a.due_at) <= :now"
_REMINDERS = (
    "a.reminder_due_at <= :now and a.state = 'sent' and p.state = 'running'"
    " and (a.bounced_at is null or a.invited_again_at is not null)"
    " and coalesce(a.invite_again_at, a.withdrawn_at, a.expired_at, a.unsubscribed_at) is null"
)
# A mail that went before somebody put the database back may have been followed by another one that no row knows of.
BOUNCED: Final = (
    "(a.state = 'sent' or (a.state = 'failed' and a.reason = 'recipient_refused')) and p.state = 'running'"
    " and coalesce(a.answered_at, a.withdrawn_at, a.expired_at, a.unsubscribed_at) is null"
    " and not exists (select from sending where resumed_at >= coalesce(a.sent_at, a.bounced_at))"
)
_NOW_TRIED: Final = "d.attempts + excluded.attempts - case when d.data_started_at is null then 0 else 1 end"
"""Attempts after one whose mail may have been begun, which has counted it."""
_AGAIN = f"a.invite_again_at <= :now and {BOUNCED}"


async def due(tx: ReadTx, now: datetime, most: int) -> list[DueMail]:
    """Mails that are due: of one person the invitation to a relationship survey comes first. Those of paused programmes
    are among the invitations, so that it is said why they wait."""
    invites = await tx.all(
        f"{_DUE} where {_INVITES} order by v.document ->> 'nps_kind' <> 'relationship',"
        " coalesce(a.held_until, a.due_at) limit :most",
        now=now,
        most=most,
    )
    again = await tx.all(f"{_DUE} where {_AGAIN} order by a.invite_again_at limit :most", now=now, most=most)
    reminders = await tx.all(f"{_DUE} where {_REMINDERS} order by a.reminder_due_at limit :most", now=now, most=most)
    return [_mail(dict(row)) for row in (*invites, *again, *reminders)]


async def find_due(tx: WriteTx, mail: DueMail, now: datetime) -> DueMail | None:
    """The mail as it is now, its ask locked; None where it is not due any more."""
    await tx.scalar("select 1 from asks where ask_id = :ask_id for update", ask_id=mail.ask_id)
    condition = _INVITES
    if mail.is_again:
        condition = _AGAIN
    elif mail.kind == "reminder":
        condition = f"{_REMINDERS} and a.reminders + 1 = {mail.number:d}"
    row = await tx.one(f"{_DUE} where a.ask_id = :ask_id and {condition}", ask_id=mail.ask_id, now=now)
    if row is None:
        return None
    return _mail(dict(row))


async def begin(tx: WriteTx, mail: DueMail, hashed: AddressHash, language: str, now: datetime) -> bool:
    """Write that the relay is given the mail to an address now; False where that is written already."""
    await tx.execute(
        "update asks set address_hash = :digest, address_key_id = :key_id, language = coalesce(language, :language)"
        " where ask_id = :ask_id",
        ask_id=mail.ask_id,
        digest=hashed.digest,
        key_id=hashed.key_id,
        language=language,
    )
    begun = await tx.execute(
        "insert into sends as d (ask_id, kind, number, attempts, claimed_until, data_started_at, address_hash,"
        " address_key_id) values (:ask_id, :kind, :number, 1, :until, :now, :digest, :key_id)"
        " on conflict (ask_id, kind, number) do update set attempts = d.attempts + 1,"
        " claimed_until = excluded.claimed_until, data_started_at = excluded.data_started_at,"
        " address_hash = excluded.address_hash, address_key_id = excluded.address_key_id"
        " where d.data_started_at is null and d.ended_at is null",
        ask_id=mail.ask_id,
        kind=mail.kind,
        number=mail.number,
        now=now,
        until=now + LEASE,
        digest=hashed.digest,
        key_id=hashed.key_id,
    )
    return begun == 1


async def refused(tx: WriteTx, mail: DueMail, now: datetime, reply: str, *, ended: bool, counts: bool) -> int | None:
    """The relay has not taken the mail; `ended`: it will not be asked again; `counts`: it was asked, which is an
    attempt. Returns the attempts; None where it is known already what became of it, or the person was erased."""
    if await tx.scalar("select 1 from asks where ask_id = :ask_id for update", ask_id=mail.ask_id) is None:
        return None
    ended_at = None
    if ended:
        ended_at = now
    attempts: int | None = await tx.scalar(
        "insert into sends as d (ask_id, kind, number, attempts, claimed_until, ended_at, reply)"
        " values (:ask_id, :kind, :number, :attempt, :now, :ended_at, :reply)"
        " on conflict (ask_id, kind, number) do update"
        f" set attempts = {_NOW_TRIED}, data_started_at = null, ended_at = excluded.ended_at, reply = excluded.reply"
        " where d.ended_at is null returning attempts",
        ask_id=mail.ask_id,
        kind=mail.kind,
        number=mail.number,
        attempt=int(counts),
        now=now,
        ended_at=ended_at,
        reply=reply,
    )
    return attempts


async def taken(tx: WriteTx, mail: DueMail, at: datetime, reminder_due_at: datetime | None, *, confirmed: bool) -> bool:
    """The relay has taken the mail at a moment, or may have, if it is not `confirmed`. An invitation opens its link.
    False where that is known already, or the person was erased."""
    sent_at = None
    if confirmed:
        sent_at = at
    ended = await tx.execute(
        "update sends set ended_at = :at, sent_at = :sent_at, reply = case when cast(:sent_at as timestamptz) is null"
        " then 'the answer of the relay did not come' else reply end"
        " where ask_id = :ask_id and kind = :kind and number = :number and ended_at is null",
        ask_id=mail.ask_id,
        kind=mail.kind,
        number=mail.number,
        at=at,
        sent_at=sent_at,
    )
    if not ended:
        return False
    if mail.kind == "reminder":
        await tx.execute(
            "update asks set reminders = reminders + 1, reminded_at = :at, reminder_due_at = :next"
            " where ask_id = :ask_id",
            ask_id=mail.ask_id,
            at=at,
            next=reminder_due_at,
        )
        return True
    await tx.execute(
        "update asks set state = 'sent', reason = null, note = null, held_until = null, handed_over = true,"
        " sent_at = least(sent_at, cast(:at as timestamptz)), unconfirmed = :unconfirmed, invite_again_at = null,"
        " invited_again_at = case when :again then (select d.data_started_at from sends d where d.ask_id = asks.ask_id"
        " and d.kind = 'invite' and d.number = 2) end,"
        " closes_at = cast(:at as timestamptz) + open_days * interval '1 day',"
        " reminder_due_at = case when reminders = 0 then cast(:next as timestamptz) end where ask_id = :ask_id",
        ask_id=mail.ask_id,
        at=at,
        unconfirmed=not confirmed,
        again=mail.is_again,
        next=reminder_due_at,
    )
    note = None
    if mail.is_again:
        note = CORRECTED
    await _changed(tx, mail.ask_id, AskChange(at, "sent", None, note, SYSTEM))
    return True


async def hold(tx: WriteTx, mail: DueMail, now: datetime, reason: str, until: datetime) -> None:
    """Let an ask wait; its history tells each reason once."""
    changed = await tx.scalar(
        "with before as (select state, reason from asks where ask_id = :ask_id) update asks set state = 'held',"
        " reason = :reason, held_until = :until where ask_id = :ask_id returning"
        " (select (state, reason) is distinct from ('held', cast(:reason as text)) from before)",
        ask_id=mail.ask_id,
        reason=reason,
        until=until,
    )
    if changed:
        await _changed(tx, mail.ask_id, AskChange(now, "held", reason, None, SYSTEM))


async def end(tx: WriteTx, mail: DueMail, change: AskChange) -> None:
    """An ask that will not be sent: skipped or failed."""
    await tx.execute(
        "update asks set state = :state, reason = :reason, note = :note, held_until = null where ask_id = :ask_id",
        ask_id=mail.ask_id,
        state=change.state,
        reason=change.reason,
        note=change.note,
    )
    await _changed(tx, mail.ask_id, change)


async def remind_at(tx: WriteTx, mail: DueMail, at: datetime | None) -> None:
    """When the next reminder is due; None: there is none."""
    await tx.execute(
        "update asks set reminder_due_at = :at where ask_id = :ask_id and state = 'sent'", ask_id=mail.ask_id, at=at
    )


async def interrupted(tx: ReadTx, now: datetime) -> Sequence[tuple[DueMail, datetime]]:
    """Mails that were being given to the relay when the process ended, and since when."""
    rows = await tx.all(
        f"select q.*, e.data_started_at, e.kind as sent_kind, e.number as sent_number from ({_DUE}) q"
        " join sends e on e.ask_id = q.ask_id where e.ended_at is null and e.data_started_at is not null"
        " and e.claimed_until < :now order by e.data_started_at limit 100",
        now=now,
    )
    found = []
    for row in rows:
        fields = dict(row)
        started = fields.pop("data_started_at")
        fields["kind"], fields["number"] = fields.pop("sent_kind"), fields.pop("sent_number")
        found.append((_mail(fields), started))
    return found


async def last_refused(tx: ReadTx, programme_id: str, since: datetime, most: int) -> tuple[int, int]:
    """Of the people whom a programme wrote to last, since a moment: how many there are, and how many the recipients'
    servers refused, at once or later. Who was reminded counts once, and who was invited again at a corrected address by
    what became of that."""
    row = await tx.one(
        "select count(*) as mails, count(*) filter (where refused) as refused from"
        " (select bool_or(a.state = 'failed' or (a.bounced_at is not null and a.invited_again_at is null))"
        " as refused"
        " from sends d join asks a on a.ask_id = d.ask_id where a.programme_id = :programme_id"
        " and d.ended_at >= :since group by d.ask_id order by max(d.ended_at) desc limit :most) l",
        programme_id=programme_id,
        since=since,
        most=most,
    )
    if row is None:
        return 0, 0
    return row["mails"], row["refused"]


async def _changed(tx: WriteTx, ask_id: UUID, change: AskChange) -> None:
    await tx.execute(
        "insert into ask_changes (ask_id, at, state, reason, note, actor)"
        " values (:ask_id, :at, :state, :reason, :note, :actor)",
        ask_id=ask_id,
        at=change.at,
        state=change.state,
        reason=change.reason,
        note=change.note,
        actor=change.actor,
    )


def _mail(fields: dict[str, Any]) -> DueMail:
    names = ("type", "zone", "account_zone", "region", "tier", "customer_since", "renewal_on")
    member = Member(
        fields["account_id"],
        fields["stakeholder_id"],
        owner_email=fields["owner_email"],
        **{name: fields.pop(name) for name in names},
    )
    return DueMail(member=member, **fields)
