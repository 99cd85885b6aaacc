"""Waves as their owners see them: an ask belongs to the wave until whose end it may go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from services.outreach.domain.asks import UNSENT, AskChange
from services.outreach.domain.occasions import BY_HAND
from services.outreach.domain.waves import IN_WEEKS
from services.outreach.store.asks import note_change
from shared.db.erasures import visible
from shared.db.transaction import ReadTx, WriteTx

_FROM: Final = """
    from asks a join programmes p on p.programme_id = a.programme_id
    join accounts k on k.account_id = a.account_id
    left join stakeholders s on s.account_id = a.account_id and s.stakeholder_id = a.stakeholder_id and not s.removed
"""
_OF_WEEKS: Final = (
    f"p.document -> 'when' ->> 'type' = any(cast(:in_weeks as text[])) and a.occasion not like '{BY_HAND}%'"
)
_SEEN: Final = f"""
    {_OF_WEEKS} and {visible("a")} and (cast(:owner as text) is null or k.owner_email = :owner)
    and (cast(:seen_by as text) is null or k.owner_email = :seen_by)
"""


async def people(
    tx: ReadTx, programme_id: str, latest_at: datetime, owner: str | None, seen_by: str | None
) -> Sequence[RowMapping]:
    """Everybody whom a wave was to ask, by account and name; those of an owner, as far as the caller sees them."""
    return await tx.all(
        "select a.ask_id, a.account_id, k.name as account_name, k.owner_email as owner, a.stakeholder_id, s.name,"
        f" s.email, s.type, s.job_title, a.state, a.reason, a.note, a.due_at {_FROM}"
        f" where a.programme_id = :programme_id and a.latest_at = :latest_at and {_SEEN}"
        " order by coalesce(k.name, a.account_id), a.account_id, coalesce(s.name, a.stakeholder_id), a.stakeholder_id",
        programme_id=programme_id,
        latest_at=latest_at,
        in_weeks=list(IN_WEEKS),
        owner=owner,
        seen_by=seen_by,
    )


async def coming(tx: ReadTx, now: datetime, owner: str | None, seen_by: str | None) -> Sequence[RowMapping]:
    """Waves of which somebody is still to be asked, the next one first: how many wait, and how many are left out."""
    return await tx.all(
        "select a.programme_id, p.name as programme_name, p.state as programme_state, a.latest_at,"
        " min(a.due_at) filter (where a.state = any(cast(:unsent as text[]))) as first_at,"
        " count(*) filter (where a.state = any(cast(:unsent as text[]))) as to_ask,"
        " count(*) filter (where a.reason = 'excluded') as excluded,"
        f" count(distinct a.account_id) as accounts {_FROM} where a.latest_at > :now and p.state <> 'ended' and {_SEEN}"
        " group by 1, 2, 3, 4 having bool_or(a.state = any(cast(:unsent as text[]))) order by a.latest_at, 2, 1",
        now=now,
        unsent=list(UNSENT),
        in_weeks=list(IN_WEEKS),
        owner=owner,
        seen_by=seen_by,
    )


async def owners(tx: ReadTx, until: datetime) -> Sequence[tuple[str, datetime, str]]:
    """(programme_id, latest_at, owner) of waves of running programmes that may go until then at the latest, in which
    somebody of the owner is still to be asked."""
    rows = await tx.rows(
        f"select distinct a.programme_id, a.latest_at, k.owner_email {_FROM}"
        " where a.state = any(cast(:unsent as text[])) and a.programme_id is not null and a.latest_at <= :until"
        f" and p.state = 'running' and k.owner_email is not null and {_OF_WEEKS} order by 2, 1, 3",
        unsent=list(UNSENT),
        until=until,
        in_weeks=list(IN_WEEKS),
    )
    return [(programme_id, latest_at, owner) for programme_id, latest_at, owner in rows]


async def hold_ask(tx: WriteTx, ask_id: UUID, owner_email: str | None) -> RowMapping | None:
    """An ask of a programme that nobody else changes until the end of the transaction; None for one of an account that
    the caller does not see. `begun`: its mail may be on its way."""
    row: RowMapping | None = await tx.one(
        "select a.ask_id, a.account_id, a.stakeholder_id, a.state, a.reason, a.latest_at, a.due_at,"
        " exists (select from sends d where d.ask_id = a.ask_id and d.data_started_at is not null) as begun"
        " from asks a where a.ask_id = :ask_id and a.programme_id is not null and (cast(:owner_email as text) is null"
        " or a.account_id in (select account_id from accounts where owner_email = :owner_email)) for update of a",
        ask_id=ask_id,
        owner_email=owner_email,
    )
    return row


async def set_state(tx: WriteTx, ask_id: UUID, change: AskChange) -> None:
    """Leave a person out, or take them in again, with the entry of the history."""
    await tx.execute(
        "update asks set state = :state, reason = :reason, note = :note, held_until = null where ask_id = :ask_id",
        ask_id=ask_id,
        state=change.state,
        reason=change.reason,
        note=change.note,
    )
    await note_change(tx, ask_id, change)
