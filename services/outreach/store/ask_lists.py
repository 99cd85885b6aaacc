"""Asks as lists and sums."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from shared.db.erasures import visible
from shared.db.transaction import ReadTx

Position = tuple[datetime, UUID]
"""created_at and ask_id of the last ask of a page."""
# Of an ask that was sent, the first that fits; the sum of these is what was sent.
OUTCOME: Final = """case when k.state <> 'sent' then null when k.answered_at is not null then 'answered'
    when k.bounced_at is not null and k.invited_again_at is null then 'bounced'
    when k.withdrawn_at is not null then 'withdrawn'
    when k.expired_at is not null or k.closes_at <= :now then 'expired' else 'open' end"""
_FROM = """
    from asks k left join aliases l on l.account_id = k.account_id and l.alias_id = k.stakeholder_id
    left join accounts a on a.account_id = k.account_id
    left join stakeholders s on s.account_id = k.account_id
        and s.stakeholder_id = coalesce(l.stakeholder_id, k.stakeholder_id)
    left join surveys v on v.survey_id = k.survey_id
    left join programmes p on p.programme_id = k.programme_id
"""
LIST = f"""
    select k.ask_id, k.survey_id, coalesce(v.name, k.survey_id) as survey_name, k.survey_version, k.account_id,
        coalesce(l.stakeholder_id, k.stakeholder_id) as stakeholder_id, a.name as account_name, s.name, k.origin,
        k.review_id, k.programme_id, p.name as programme_name, k.state, k.reason, k.note, k.held_until,
        {OUTCOME} as outcome, k.channel, k.language, k.handed_over, k.created_at, k.created_by, k.due_at, k.sent_at,
        k.closes_at, k.opened_at, k.started_at, k.reminded_at, k.answered_at, k.finished_at, k.bounced_at,
        k.unsubscribed_at, k.expired_at, k.withdrawn_at
    {_FROM}
"""
_VISIBLE = f"(cast(:owner_email as text) is null or a.owner_email = :owner_email) and {visible('k')}"
GROUPS: Mapping[str, tuple[str, str]] = {
    "survey": ("k.survey_id", "v.name"),
    "account": ("k.account_id", "a.name"),
    "owner": ("a.owner_email", "a.owner_name"),
    "tier": ("a.tier", "null"),
    "programme": ("k.programme_id", "p.name"),
}
"""What asks are summed by: the SQL of the key, and of what it is called."""
FLAGS: Mapping[str, str] = {
    "started": "started_at",
    "finished": "finished_at",
    "reminded": "reminded_at",
    "unsubscribed": "unsubscribed_at",
}


@dataclass(frozen=True, slots=True)
class AskFilter:
    """Which asks; None is any. `account`: a part of the account's name, or its id. `stakeholder_ids` are all ids of one
    person, `due_since` and `due_before` bound when they were due first."""

    account_id: str | None = None
    account: str | None = None
    stakeholder_ids: Collection[str] | None = None
    survey_id: str | None = None
    programme_id: str | None = None
    states: Collection[str] | None = None
    reasons: Collection[str] | None = None
    unconfirmed: bool | None = None
    due_since: datetime | None = None
    due_before: datetime | None = None


_CONDITIONS: Mapping[str, str] = {
    "account_id": "k.account_id = :account_id",
    "account": "(position(lower(:account) in lower(a.name)) > 0 or k.account_id = :account)",
    "stakeholder_ids": "k.stakeholder_id = any(cast(:stakeholder_ids as text[]))",
    "survey_id": "k.survey_id = :survey_id",
    "programme_id": "k.programme_id = :programme_id",
    "states": "k.state = any(cast(:states as text[]))",
    "reasons": "k.reason = any(cast(:reasons as text[]))",
    "unconfirmed": "k.unconfirmed = :unconfirmed",
    "due_since": "k.due_at >= :due_since",
    "due_before": "k.due_at < :due_before",
}


async def ids_of_person(tx: ReadTx, account_id: str | None, stakeholder_id: str) -> list[str]:
    """Every id of the person who has this one, at one account or at any."""
    found = await tx.column(
        "with own as (select account_id, stakeholder_id from aliases where alias_id = :id"
        " and (cast(:account_id as text) is null or account_id = :account_id))"
        " select stakeholder_id from own union"
        " select a.alias_id from aliases a where a.stakeholder_id = :id"
        " and (cast(:account_id as text) is null or a.account_id = :account_id) union"
        " select a.alias_id from aliases a join own o on o.account_id = a.account_id"
        " and o.stakeholder_id = a.stakeholder_id",
        id=stakeholder_id,
        account_id=account_id,
    )
    return sorted({stakeholder_id, *found})


async def list_asks(
    tx: ReadTx, which: AskFilter, owner_email: str | None, now: datetime, after: Position | None, limit: int
) -> Sequence[RowMapping]:
    """Asks, the newest first, `limit` at most after the position."""
    where, binds = _where(which)
    if after is not None:
        where.append("(k.created_at, k.ask_id) < (:after_at, :after_id)")
        binds |= {"after_at": after[0], "after_id": after[1]}
    return await tx.all(
        f"{LIST} where {' and '.join(where)} order by k.created_at desc, k.ask_id desc limit :limit",
        owner_email=owner_email,
        now=now,
        limit=limit,
        **binds,
    )


async def shown_ask(tx: ReadTx, ask_id: UUID, owner_email: str | None, now: datetime) -> RowMapping | None:
    """One ask as lists have it; None for one of an account that the caller does not see."""
    return await tx.one(
        f"{LIST} where k.ask_id = :ask_id and {_VISIBLE}", ask_id=ask_id, owner_email=owner_email, now=now
    )


async def sums(
    tx: ReadTx, which: AskFilter, group_by: str | None, owner_email: str | None, now: datetime
) -> Sequence[RowMapping]:
    """How many asks there are by group (key, name), state, reason and outcome, with how many of each flag. Tests count
    nowhere."""
    key, name = "cast(null as text)", "cast(null as text)"
    if group_by is not None:
        key, name = GROUPS[group_by]
    where, binds = _where(which)
    flags = ", ".join(
        f"count(*) filter (where k.state = 'sent' and k.{column} is not null) as {flag}"
        for flag, column in FLAGS.items()
    )
    return await tx.all(
        f"select {key} as key, min({name}) as name, k.state, k.reason, {OUTCOME} as outcome, count(*) as count, {flags}"
        f" {_FROM} where {' and '.join(where)} and k.origin <> 'test' group by {key}, 3, 4, 5"
        " order by 1 nulls last, 3, 4, 5",
        owner_email=owner_email,
        now=now,
        **binds,
    )


def _where(which: AskFilter) -> tuple[list[str], dict[str, Any]]:
    binds: dict[str, Any] = {}
    for name, value in asdict(which).items():
        if isinstance(value, tuple | list | set | frozenset):
            binds[name] = sorted(value)
        elif value is not None:
            binds[name] = value
    return [_VISIBLE, *(_CONDITIONS[name] for name in binds)], binds
