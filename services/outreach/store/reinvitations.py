"""Invitations that go once more: their first mail came back, and the address was corrected since."""

from datetime import datetime
from typing import Final

from services.outreach.domain.mail_names import MailName
from services.outreach.store.sends import BOUNCED, DueMail
from shared.db.transaction import WriteTx

_ADDRESS_CHANGED_AT: Final = "cast(s.record ->> 'email_changed_at' as timestamptz)"


async def note_corrected(tx: WriteTx, now: datetime) -> int:
    """Let invitations that came back be due once more where the address was corrected since; returns how many."""
    return await tx.execute(
        "update asks a set invite_again_at = :now from programmes p, stakeholders s"
        " where p.programme_id = a.programme_id and s.account_id = a.account_id"
        " and s.stakeholder_id = a.stakeholder_id and not s.removed and a.bounced_at is not null"
        f" and a.invite_again_at is null and coalesce(a.closes_at, a.latest_at) > :now and {BOUNCED}"
        f" and {_ADDRESS_CHANGED_AT} > a.bounced_at and not exists (select from sends d where d.ask_id = a.ask_id"
        " and d.kind = 'invite' and d.number = 2)",
        now=now,
    )


async def put_off(tx: WriteTx, mail: DueMail, until: datetime) -> None:
    """Look at it again then."""
    await tx.execute(
        "update asks set invite_again_at = :until where ask_id = :ask_id and invite_again_at is not null",
        ask_id=mail.ask_id,
        until=until,
    )


async def end(tx: WriteTx, mail: DueMail, now: datetime, why: str) -> None:
    """It does not go; the ask stays what it is."""
    await tx.execute(
        "insert into sends as d (ask_id, kind, number, attempts, claimed_until, ended_at, reply)"
        " values (:ask_id, 'invite', :number, 0, :now, :now, :why) on conflict (ask_id, kind, number) do update"
        " set ended_at = coalesce(d.ended_at, excluded.ended_at), reply = coalesce(d.reply, excluded.reply)",
        ask_id=mail.ask_id,
        number=mail.number,
        now=now,
        why=why,
    )
    await tx.execute("update asks set invite_again_at = null where ask_id = :ask_id", ask_id=mail.ask_id)


async def came_back(tx: WriteTx, mail: MailName, mailed_at: datetime) -> bool:
    """A mail of an ask came back: where it was one to the corrected address, which is returned, the ask is bounced
    again, for good."""
    changed = await tx.execute(
        "update asks set invited_again_at = null where ask_id = :ask_id and invited_again_at <= :mailed_at",
        ask_id=mail.ask_id,
        mailed_at=mailed_at,
    )
    return changed > 0 or (mail.kind == "invite" and mail.number > 1)
