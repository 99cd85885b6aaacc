"""Rows of `asks` and their history."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from services.outreach.domain.asks import SYSTEM, UNSENT, AskChange, NewAsk, PublishedSurvey, kind_of
from shared.db.sql import BOUND_PEOPLE, arrays, people_binds
from shared.db.transaction import ReadTx, WriteTx, as_columns

# Column -> SQL type, of what an ask is when it is planned.
_NEW: Mapping[str, str] = {
    "ask_id": "uuid",
    "survey_id": "text",
    "survey_version": "int",
    "account_id": "text",
    "stakeholder_id": "text",
    "address_hash": "bytea",
    "address_key_id": "text",
    "origin": "text",
    "review_id": "uuid",
    "programme_id": "text",
    "occasion": "text",
    "latest_at": "timestamptz",
    "state": "text",
    "reason": "text",
    "note": "text",
    "again_at": "timestamptz",
    "channel": "text",
    "language": "text",
    "handed_over": "boolean",
    "open_days": "int",
    "created_at": "timestamptz",
    "created_by": "text",
    "due_at": "timestamptz",
    "sent_at": "timestamptz",
    "closes_at": "timestamptz",
}
_NEW_COLUMNS = ", ".join(_NEW)
INSERT = f"insert into asks ({_NEW_COLUMNS}) select * from unnest({arrays(_NEW)})"
INSERT_FIRST_CHANGES = """
    insert into ask_changes (ask_id, at, state, reason, note, actor)
    select * from unnest(cast(:ask_id as uuid[]), cast(:created_at as timestamptz[]), cast(:state as text[]),
        cast(:reason as text[]), cast(:note as text[]), cast(:created_by as text[]))
"""
MARKS = ("opened_at", "started_at", "answered_at", "finished_at", "bounced_at", "unsubscribed_at")
"""Moments of an ask of which the earliest counts, from wherever it is heard."""


async def published_survey(tx: ReadTx, survey_id: str) -> PublishedSurvey | None:
    """The version of a survey by which people are asked now. None where there is no such survey; of one that was never
    published the version is 0."""
    row = await tx.one(
        "select s.current_version, s.archived_at, v.document ->> 'nps_kind' as nps_kind from surveys s"
        " left join survey_versions v on v.survey_id = s.survey_id and v.version = s.current_version"
        " where s.survey_id = :survey_id",
        survey_id=survey_id,
    )
    if row is None:
        return None
    archived = row["archived_at"] is not None
    return PublishedSurvey(survey_id, row["current_version"] or 0, kind_of(row["nps_kind"]), archived)


async def insert_asks(tx: WriteTx, asks: Sequence[NewAsk]) -> None:
    """Write asks, each with the first entry of its history; one statement for all, since there may be thousands."""
    if not asks:
        return
    rows = as_columns({name: getattr(ask, name) for name in _NEW} for ask in asks)
    await tx.execute(INSERT, **rows)
    history = ("ask_id", "created_at", "state", "reason", "note", "created_by")
    await tx.execute(INSERT_FIRST_CHANGES, **{name: rows[name] for name in history})


async def lock_asking(tx: WriteTx) -> None:
    """Let nobody else ask until the end of the transaction: an address is asked once in a while over all accounts, so
    their locks are not enough. Taken before these."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('asking of ' || current_schema()))")


async def stored_links(tx: ReadTx, ask_ids: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Those of these asks that are there: ask_id -> language, closes_at, reason, note, again_at."""
    rows = await tx.all(
        "select ask_id, language, closes_at, reason, note, again_at from asks where ask_id = any(cast(:ids as uuid[]))",
        ids=list(ask_ids),
    )
    return {row["ask_id"]: dict(row) for row in rows}


async def find_ask(tx: ReadTx, ask_id: UUID, owner_email: str | None, *, for_update: bool = False) -> RowMapping | None:
    """An ask; None for one of an account that the caller does not see."""
    lock = ""
    if for_update:
        lock = " for update"
    return await tx.one(
        "select ask_id, account_id, stakeholder_id, review_id, state, sent_at, closes_at, answered_at, expired_at,"
        " withdrawn_at from asks where ask_id = :ask_id and (cast(:owner_email as text) is null or account_id in"
        f" (select account_id from accounts where owner_email = :owner_email)){lock}",
        ask_id=ask_id,
        owner_email=owner_email,
    )


async def own_asks(tx: ReadTx, ask_ids: Collection[UUID]) -> dict[UUID, RowMapping]:
    """Which of these are asks: ask_id -> account_id, stakeholder_id, state, and the nps_kind of the survey."""
    if not ask_ids:
        return {}
    rows = await tx.all(
        "select k.ask_id, k.account_id, k.stakeholder_id, k.state, v.document ->> 'nps_kind' as nps_kind from asks k"
        " join survey_versions v on v.survey_id = k.survey_id and v.version = k.survey_version"
        " where k.ask_id = any(cast(:ids as uuid[]))",
        ids=sorted(ask_ids),
    )
    return {row["ask_id"]: row for row in rows}


async def mark(tx: WriteTx, name: str, moments: Mapping[UUID, datetime]) -> None:
    """Note a moment of these asks, one of MARKS; the earliest counts."""
    if name not in MARKS:
        raise ValueError(f"no moment of an ask: {name}")
    await tx.execute(
        f"update asks set {name} = least({name}, m.at) from {_MOMENTS} where asks.ask_id = m.ask_id"
        f" and ({name} is null or {name} > m.at)",
        ids=list(moments),
        ats=list(moments.values()),
    )


async def mark_reminded(tx: WriteTx, moments: Mapping[UUID, datetime]) -> None:
    """Note reminders; the latest counts."""
    await tx.execute(
        f"update asks set reminded_at = greatest(reminded_at, m.at) from {_MOMENTS} where asks.ask_id = m.ask_id",
        ids=list(moments),
        ats=list(moments.values()),
    )


async def mark_sent(tx: WriteTx, moments: Mapping[UUID, datetime], *, waiting_only: bool = False) -> None:
    """Note that asks were sent; the earliest moment counts, and their links close so many days later. One that waited
    for its mailer is sent from now on. `waiting_only`: leave those alone that are known to have been sent."""
    states = ["waiting", "sent"]
    if waiting_only:
        states = ["waiting"]
    bound = {"ids": list(moments), "ats": list(moments.values())}
    await tx.execute(
        "insert into ask_changes (ask_id, at, state, actor) select asks.ask_id, m.at, 'sent', :actor"
        f" from asks join {_MOMENTS} on asks.ask_id = m.ask_id where asks.state = 'waiting'",
        actor=SYSTEM,
        **bound,
    )
    await tx.execute(
        "update asks set state = 'sent', sent_at = m.at, closes_at = m.at + open_days * interval '1 day'"
        f" from {_MOMENTS} where asks.ask_id = m.ask_id and asks.state = any(cast(:states as text[]))"
        " and (asks.sent_at is null or asks.sent_at > m.at)",
        states=states,
        **bound,
    )


async def call_off(tx: WriteTx, reason: str, people: Collection[tuple[str, str]], now: datetime) -> None:
    """Withdraw what has not been sent to these people; what was sent stays open until it closes."""
    if not people:
        return
    await _withdraw_unsent(
        tx,
        f"(account_id, stakeholder_id) in {BOUND_PEOPLE}",
        people_binds(people) | {"reason": reason, "at": now},
    )


async def call_off_accounts(tx: WriteTx, reason: str, account_ids: Collection[str], now: datetime) -> None:
    """Withdraw what has not been sent to anybody at these accounts."""
    if account_ids:
        await _withdraw_unsent(
            tx,
            "account_id = any(cast(:accounts as text[]))",
            {"accounts": sorted(account_ids), "reason": reason, "at": now},
        )


async def skip_late_links(tx: WriteTx, now: datetime) -> int:
    """Links that waited too long for the mailer that was to hand them over: they never go. Returns how many."""
    return await tx.execute(
        "with late as (update asks set state = 'skipped', reason = 'too_late', note = :note where origin = 'link'"
        " and state = 'waiting' and latest_at <= :now returning ask_id, reason, note)"
        " insert into ask_changes (ask_id, at, state, reason, note, actor)"
        " select ask_id, :now, 'skipped', reason, note, :actor from late",
        now=now,
        note="no mailer said that it handed the link over",
        actor=SYSTEM,
    )


async def closed_accounts(tx: ReadTx, today: date) -> Sequence[str]:
    """Accounts that are no clients any more while something waits for their people."""
    return await tx.column(
        "select k.account_id from accounts k where cast(k.record ->> 'closed_on' as date) <= :today and exists (select"
        " from asks a where a.account_id = k.account_id and a.state = any(cast(:unsent as text[]))) order by 1",
        today=today,
        unsent=list(UNSENT),
    )


async def _withdraw_unsent(tx: WriteTx, which: str, bound: Mapping[str, Any]) -> None:
    await tx.execute(
        "with called_off as (update asks set state = 'withdrawn', reason = :reason, held_until = null,"
        f" withdrawn_at = :at where state = any(cast(:unsent as text[])) and {which} returning ask_id)"
        " insert into ask_changes (ask_id, at, state, reason, actor)"
        " select ask_id, :at, 'withdrawn', :reason, :actor from called_off",
        unsent=list(UNSENT),
        actor=SYSTEM,
        **bound,
    )


async def withdraw(tx: WriteTx, ask_id: UUID, change: AskChange) -> None:
    """Withdraw one ask: the state is withdrawn, or sent for one that was sent, whose outcome it becomes."""
    reason = None
    if change.state == "withdrawn":
        reason = change.reason
    await tx.execute(
        "update asks set state = :state, reason = :reason, note = :note, held_until = null, withdrawn_at = :at"
        " where ask_id = :ask_id",
        ask_id=ask_id,
        state=change.state,
        reason=reason,
        note=change.note,
        at=change.at,
    )
    await note_change(tx, ask_id, change)


async def resend(tx: WriteTx, ask_id: UUID, change: AskChange) -> None:
    """Let the next reminder of an ask be due now."""
    await tx.execute(
        "update asks set reminder_due_at = :at where ask_id = :ask_id and state = 'sent'", ask_id=ask_id, at=change.at
    )
    await note_change(tx, ask_id, change)


async def mailed_by(tx: ReadTx, ask_id: UUID) -> tuple[str, int] | None:
    """The state of the programme that mailed an ask, and how often the person was reminded; None for an ask of
    none."""
    row = await tx.one(
        "select p.state, a.reminders from asks a join programmes p on p.programme_id = a.programme_id"
        " where a.ask_id = :ask_id",
        ask_id=ask_id,
    )
    if row is None:
        return None
    return row["state"], row["reminders"]


async def note_change(tx: WriteTx, ask_id: UUID, change: AskChange) -> None:
    """Write an entry of the history of an ask."""
    await tx.execute(
        "insert into ask_changes (ask_id, at, state, reason, note, actor)"
        " values (:ask_id, :at, :state, :reason, :note, :actor)",
        ask_id=ask_id,
        **asdict(change),
    )


async def changes_of(tx: ReadTx, ask_id: UUID) -> Sequence[RowMapping]:
    """The history of an ask, the oldest first."""
    return await tx.all(
        "select at, state, reason, note, actor from ask_changes where ask_id = :ask_id order by change_id",
        ask_id=ask_id,
    )


_MOMENTS = "unnest(cast(:ids as uuid[]), cast(:ats as timestamptz[])) as m(ask_id, at)"
