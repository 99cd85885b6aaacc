"""Whom a programme may ask, page by page, and what was planned for them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from services.outreach.domain.asks import SYSTEM, UNSENT, NewAsk
from services.outreach.domain.audience import Member
from services.outreach.domain.eligibility import RANKS, Candidate
from services.outreach.domain.occasions import BY_HAND, Happening
from services.outreach.store import asks
from services.outreach.store.people import CONDITIONS, Chosen, PersonKey
from shared.db.erasures import visible
from shared.db.transaction import ReadTx, WriteTx

PAGE = 2_000
"""People who are planned for in one transaction."""


_MEMBER = """
    select s.account_id, s.stakeholder_id, s.type, s.record ->> 'time_zone' as zone,
        k.record ->> 'time_zone' as account_zone, k.region, k.tier,
        cast(k.record ->> 'customer_since' as date) as customer_since, k.renewal_on, k.owner_email
    from stakeholders s join accounts k using (account_id)
"""


async def members(
    tx: ReadTx, chosen: Chosen, accounts: Collection[str] | None, after: PersonKey | None, most: int
) -> list[Member]:
    """The next people of an audience, by account and id: those of the directory who are chosen, at `accounts` alone
    where they are given."""
    where = ["not s.removed", "not k.removed", visible("s")]
    binds: dict[str, Any] = {}
    for name, value in asdict(chosen).items():
        if value is not None:
            where.append(CONDITIONS[name])
            binds[name] = value
    if accounts is not None:
        where.append("s.account_id = any(cast(:accounts as text[]))")
        binds["accounts"] = sorted(accounts)
    if after is not None:
        where.append("(s.account_id, s.stakeholder_id) > (:after_account, :after_person)")
        binds |= {"after_account": after[0], "after_person": after[1]}
    rows = await tx.all(f"{_MEMBER} where {' and '.join(where)} order by 1, 2 limit :most", most=most, **binds)
    return [Member(**row) for row in rows]


async def member(tx: ReadTx, person: PersonKey) -> Member | None:
    """One person of the directory."""
    row = await tx.one(
        f"{_MEMBER} where not s.removed and not k.removed and s.account_id = :account_id"
        " and s.stakeholder_id = :stakeholder_id",
        account_id=person[0],
        stakeholder_id=person[1],
    )
    if row is None:
        return None
    return Member(**row)


async def accounts_of(tx: ReadTx, chosen: Chosen, accounts: Collection[str]) -> list[str]:
    """Those of the accounts that an audience may be at, whatever it asks of people."""
    where = ["not k.removed", "k.account_id = any(cast(:accounts as text[]))"]
    binds: dict[str, Any] = {}
    for name in ("tier", "industry", "region", "owner"):
        value = getattr(chosen, name)
        if value is not None:
            where.append(CONDITIONS[name])
            binds[name] = value
    found = await tx.column(
        "select k.account_id from accounts k where (cast(:account_id as text) is null or k.account_id = :account_id)"
        f" and {' and '.join(where)} order by 1",
        accounts=sorted(accounts),
        account_id=chosen.account_id,
        **binds,
    )
    return list(found)


async def write_new(tx: WriteTx, planned: Sequence[NewAsk]) -> int:
    """Write those asks whose occasion has none yet for the person; returns how many."""
    if not planned:
        return 0
    known = await tx.rows(
        "select occasion, account_id, stakeholder_id from asks where programme_id = :programme_id"
        " and occasion = any(cast(:occasions as text[])) and account_id = any(cast(:accounts as text[]))",
        programme_id=planned[0].programme_id,
        occasions=sorted({ask.occasion or "" for ask in planned}),
        accounts=sorted({ask.account_id for ask in planned}),
    )
    there = set(map(tuple, known))
    new = [ask for ask in planned if (ask.occasion, ask.account_id, ask.stakeholder_id) not in there]
    await asks.insert_asks(tx, new)
    return len(new)


async def asks_of(tx: ReadTx, programme_id: str, occasion: str, people: Collection[PersonKey]) -> dict[PersonKey, UUID]:
    """Person -> the ask of a programme for one occasion."""
    rows = await tx.rows(
        "select account_id, stakeholder_id, ask_id from asks where programme_id = :programme_id"
        " and occasion = :occasion and account_id = any(cast(:accounts as text[]))",
        programme_id=programme_id,
        occasion=occasion,
        accounts=sorted({account_id for account_id, _ in people}),
    )
    return {(account_id, stakeholder_id): ask_id for account_id, stakeholder_id, ask_id in rows}


async def settled(tx: ReadTx, programme_id: str, occasions: Collection[str]) -> set[tuple[str | None, str, str]]:
    """(occasion, account_id, stakeholder_id) of the asks of a programme that are waited for no longer: sent, or
    decided otherwise."""
    rows = await tx.rows(
        "select occasion, account_id, stakeholder_id from asks where programme_id = :programme_id"
        " and occasion = any(cast(:occasions as text[])) and state <> all(cast(:unsent as text[]))",
        programme_id=programme_id,
        occasions=sorted(occasions),
        unsent=list(UNSENT),
    )
    return {(occasion, account_id, stakeholder_id) for occasion, account_id, stakeholder_id in rows}


async def forget_unsent(tx: WriteTx, programme_id: str) -> int:
    """Delete what a programme has planned and not sent, to plan it anew, but for what somebody asked by hand and mails
    that may be on their way; returns how many. The caller holds the lock of asking, as whoever begins a mail does."""
    return await tx.execute(
        "delete from asks a where programme_id = :programme_id and state = any(cast(:unsent as text[]))"
        f" and a.occasion not like '{BY_HAND}%' and not exists"
        " (select 1 from sends d where d.ask_id = a.ask_id and d.data_started_at is not null and d.ended_at is null)",
        programme_id=programme_id,
        unsent=list(UNSENT),
    )


async def release_paused(tx: WriteTx, programme_id: str, now: datetime) -> None:
    """Look again at what a pause has held."""
    await tx.execute(
        "update asks set held_until = :now where programme_id = :programme_id and state = 'held' and reason = 'paused'",
        programme_id=programme_id,
        now=now,
    )


async def call_off_unsent(tx: WriteTx, programme_id: str, now: datetime) -> int:
    """Withdraw what a programme that ends has planned and not sent; returns how many."""
    return await tx.execute(
        "with ended as (update asks set state = 'withdrawn', reason = 'programme_ended', held_until = null,"
        " withdrawn_at = :at where programme_id = :programme_id and state = any(cast(:unsent as text[]))"
        " returning ask_id) insert into ask_changes (ask_id, at, state, reason, actor)"
        " select ask_id, :at, 'withdrawn', 'programme_ended', :actor from ended",
        programme_id=programme_id,
        at=now,
        unsent=list(UNSENT),
        actor=SYSTEM,
    )


async def note_happenings(tx: WriteTx, rows: Mapping[str, list[Any]]) -> None:
    """Keep events, each once: columns of the table, as arrays."""
    await tx.execute(
        "insert into happenings (account_id, event_id, kind, at, stakeholder_id, recorded_at) select * from"
        " unnest(cast(:account_id as text[]), cast(:event_id as uuid[]), cast(:kind as text[]),"
        " cast(:at as timestamptz[]), cast(:stakeholder_id as text[]), cast(:recorded_at as timestamptz[]))"
        " on conflict do nothing",
        **rows,
    )


async def happenings(tx: ReadTx, kinds: Collection[str], since: datetime) -> list[Happening]:
    """Events of these kinds that happened since a moment, by account and moment, each of the person whose id it is
    now."""
    rows = await tx.all(
        "select cast(h.event_id as text) as event_id, h.kind, h.at, h.account_id,"
        " coalesce(a.stakeholder_id, h.stakeholder_id) as stakeholder_id from happenings h"
        " left join aliases a on a.account_id = h.account_id and a.alias_id = h.stakeholder_id"
        " where h.kind = any(cast(:kinds as text[])) and h.at >= :since order by h.account_id, h.at, h.event_id",
        kinds=sorted(kinds),
        since=since,
    )
    return [Happening(**row) for row in rows]


async def is_shared(tx: ReadTx, ask_id: UUID, candidate: Candidate) -> bool:
    """Whether somebody else of the account with the same address was asked on this occasion, or will be, since they
    come first by rank."""
    place, stakeholder_id = candidate.rank
    found = await tx.scalar(
        "select 1 from asks a join asks o on o.programme_id = a.programme_id and o.occasion = a.occasion"
        " and o.account_id = a.account_id and o.ask_id <> a.ask_id join stakeholders s on s.account_id = o.account_id"
        " and s.stakeholder_id = o.stakeholder_id and not s.removed and lower(s.email) = lower(:email)"
        " where a.ask_id = :ask_id and ((o.state = 'sent' and (o.bounced_at is null or o.invited_again_at is not null))"
        " or (o.state in ('waiting', 'held') and"
        " (coalesce(array_position(cast(:ranks as text[]), s.type) - 1, :last), s.stakeholder_id)"
        " < (:place, :stakeholder_id))) limit 1",
        ask_id=ask_id,
        email=candidate.email,
        ranks=list(RANKS),
        last=len(RANKS),
        place=place,
        stakeholder_id=stakeholder_id,
    )
    return found is not None
