"""Whether mails go at all, and from which database: one row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.db.transaction import ReadTx, WriteTx

# A dump that is put back has another cluster or another oid, a server that was rolled back or took over another
# timeline, a copied folder another place (as far as the role may read it).
ORIGIN: Final = """
    select s.system_identifier || '/' || c.timeline_id || '/'
        || (select oid from pg_database where datname = current_database()) || '/'
        || coalesce((select md5(setting) from pg_settings where name = 'data_directory'), '')
    from pg_control_system() s, pg_control_checkpoint() c
"""
_UNSENT: Final = "programme_id is not null and state in ('waiting', 'held') and coalesce(held_until, due_at) <= :now"
_COLUMNS: Final = "origin, paused_at, paused_by, reason, resumed_at, resumed_by"


@dataclass(frozen=True, slots=True)
class Sending:
    """Whether mails go: `reason` says why they do not."""

    origin: str
    paused_at: datetime | None
    paused_by: str | None
    reason: str | None
    resumed_at: datetime | None
    resumed_by: str | None


async def origin(tx: ReadTx) -> str:
    """What names this database."""
    return str(await tx.scalar(ORIGIN))


def is_same(one: str, other: str) -> bool:
    """Whether two names are of one database. A role of the service alone may not read where the data lie, so its name
    ends without that place, and an operator's command on the same database has one with it."""
    database, _, place = one.rpartition("/")
    other_database, _, other_place = other.rpartition("/")
    return database == other_database and (place == other_place or not place or not other_place)


async def found(tx: ReadTx) -> Sending | None:
    """The row; None before the first mail was looked for."""
    row = await tx.one(f"select {_COLUMNS} from sending")
    if row is None:
        return None
    return Sending(**row)


async def hold(tx: WriteTx, named: str) -> Sending:
    """The row, made where there is none; nobody else changes it until the end of the transaction."""
    await tx.execute("insert into sending (origin) values (:origin) on conflict do nothing", origin=named)
    row = await tx.one(f"select {_COLUMNS} from sending for update")
    if row is None:
        raise LookupError("the row was just written")
    return Sending(**row)


async def pause(tx: WriteTx, named: str, reason: str, now: datetime, actor: str) -> None:
    """No mail goes from now on."""
    await tx.execute(
        "update sending set origin = :origin, paused_at = :now, paused_by = :actor, reason = :reason,"
        " resumed_at = null, resumed_by = null",
        origin=named,
        now=now,
        actor=actor,
        reason=reason,
    )


async def forget_origin(tx: WriteTx) -> None:
    """Say that mails went from another database than this last: nothing goes until somebody resumes."""
    await tx.execute("insert into sending (origin) values ('') on conflict (only_row) do update set origin = ''")


async def resume(tx: WriteTx, now: datetime, actor: str) -> None:
    """Mails go again, and what the pause has held is looked at at once."""
    await tx.execute(
        "update sending set paused_at = null, paused_by = null, reason = null, resumed_at = :now, resumed_by = :actor",
        now=now,
        actor=actor,
    )
    await tx.execute("update asks set held_until = :now where state = 'held' and reason = 'paused'", now=now)


async def take_as_sent(tx: WriteTx, now: datetime, actor: str) -> int:
    """Mails that were due may have gone after the copy was made: they count as sent, unconfirmed, and are not sent
    again, reminders neither; returns how many asks these were."""
    await tx.execute(
        "insert into contacts as c (account_id, stakeholder_id, last_asked_at) select account_id, stakeholder_id,"
        f" max(coalesce(held_until, due_at)) from asks where {_UNSENT} group by 1, 2 order by 1, 2"
        " on conflict (account_id, stakeholder_id) do update set"
        " last_asked_at = greatest(c.last_asked_at, excluded.last_asked_at)",
        now=now,
    )
    taken = await tx.execute(
        "with taken as (update asks set state = 'sent', reason = null, note = null, unconfirmed = true,"
        " handed_over = true, sent_at = coalesce(held_until, due_at),"
        " closes_at = coalesce(held_until, due_at) + open_days * interval '1 day', held_until = null"
        f" where {_UNSENT} returning ask_id) insert into ask_changes (ask_id, at, state, note, actor)"
        " select ask_id, :now, 'sent', 'it may have gone before the database was put back', :actor from taken",
        now=now,
        actor=actor,
    )
    await tx.execute(
        "update asks set reminders = reminders + 1, reminder_due_at = null, unconfirmed = true"
        " where state = 'sent' and reminder_due_at <= :now",
        now=now,
    )
    await tx.execute(
        "update notices set state = 'sent', unconfirmed = true, ended_at = :now, content = null"
        " where state = 'waiting' and due_at <= :now",
        now=now,
    )
    return taken


async def unconfirmed(tx: ReadTx) -> int:
    """How many asks count as sent of which nobody has said so."""
    return int(await tx.scalar("select count(*) from asks where unconfirmed and origin = 'programme'"))
