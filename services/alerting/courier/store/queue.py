"""The queue of deliveries in PostgreSQL: taken in two steps, leased, and given back when not attempted.

The first statement locks endpoint rows and skips those that another process holds; the second, with a new
snapshot, counts what is in flight and takes deliveries up to the endpoint's limit. One statement that did
both would overshoot. Endpoints take turns by when they were served last, so a slow one delays no other.

A sender that holds all that is in flight for an endpoint may take more than the limit, ahead of time: it
keeps the limit itself. As long as it does, others find no free place; so the limit holds over all senders.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from services.alerting.courier.domain.deliveries import DueAttempt, Trigger
from services.alerting.courier.store.restores import SENDING
from services.alerting.outbound.domain.outcomes import Failure
from shared.db.erasures import nobody_waits
from shared.db.transaction import ReadTx, WriteTx
from shared.isolation import of_the_items
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
ENDPOINTS_AT_ONCE = 32
UNUSABLE_PAUSE = timedelta(minutes=5)
"""How long a delivery is left alone of which no attempt can be made."""
TURNS = {"synchronous_commit": "off"}
"""Settings of the connection that turns are made on. None waits for the disk at its commit: it would take longer than
all the rest. Should PostgreSQL itself crash, it forgets the turns of up to its last second; what they had sent is sent
again with the same webhook-id. Messages are enqueued by transactions that do wait."""


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """The sender, how much it takes at most, and for how long. `ahead` says for which endpoints it takes how many times
    their limit, and `probe_every` how often one delivery goes to an endpoint whose breaker is open. `passed_over` are
    the endpoints and the deliveries with which it failed lately; `only` are the deliveries to take from, None for all.
    """

    sender: str
    room: int
    lease: timedelta
    ahead: Mapping[str, int] = field(default_factory=dict)
    probe_every: timedelta = timedelta(seconds=30)
    passed_over: tuple[Sequence[str], Sequence[str]] = ((), ())
    only: Sequence[str] | None = None

    def choice(self) -> dict[str, Any]:
        """The binds of `_ENDPOINT_CHOSEN` and `_chosen`."""
        endpoints, deliveries = self.passed_over
        return {
            "endpoints_over": list(endpoints),
            "deliveries_over": list(deliveries),
            "only": None if self.only is None else list(self.only),
        }


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was taken; `more` when there may be endpoints that were not looked at, `filled` the endpoints that got all
    they may have, so that more may wait for them.
    """

    work: list[DueAttempt]
    more: bool
    filled: frozenset[str] = frozenset()


async def claim(tx: WriteTx, now: datetime, request: ClaimRequest) -> Claimed:
    """Take due deliveries, endpoints in turn, each within its limit; none of an account of which somebody waits to be
    erased."""
    at_once = min(request.room, ENDPOINTS_AT_ONCE)
    if at_once <= 0:
        return Claimed([], False)
    endpoints = await _lock_endpoints(tx, now, request, at_once)
    if not endpoints:
        return Claimed([], False)
    rows = await _take(tx, list(endpoints), now, request)
    work, unusable = [], []
    for row in rows:
        try:
            work.append(_work_of(row, endpoints[row["endpoint_id"]]))
        except Exception as error:
            if not of_the_items(error):
                raise
            log.error("webhook_unusable", delivery_id=row["delivery_id"], exc_info=error)
            unusable.append(row["delivery_id"])
    if unusable:
        await _postpone(tx, unusable, now)
    return Claimed(work, len(endpoints) == at_once, _filled(endpoints, rows))


async def due(tx: ReadTx, now: datetime, request: ClaimRequest) -> list[tuple[str, str]]:
    """(endpoint, delivery) of what may be taken now, the first of each endpoint before the second of any."""
    rows = await tx.rows(
        f"""
        select d.endpoint_id, d.delivery_id from webhook_endpoints e join webhook_deliveries d using (endpoint_id)
        where {_ENDPOINT_CHOSEN} and {_chosen("d")} and e.status = 'enabled'
        order by row_number() over (
            partition by d.endpoint_id order by d.priority, d.next_attempt_at, d.delivery_id
        ), d.endpoint_id
        limit :room
        """,
        now=now,
        room=request.room,
        **request.choice(),
    )
    return [(endpoint_id, delivery_id) for endpoint_id, delivery_id in rows]


async def mark_served(tx: WriteTx, endpoint_ids: Sequence[str], now: datetime) -> None:
    """Write to the rows of endpoints as taking for them does, and take nothing."""
    await tx.execute(
        "update webhook_endpoints set served_at = :now where endpoint_id = any(cast(:ids as text[]))",
        ids=list(endpoint_ids),
        now=now,
    )


async def give_back(tx: WriteTx, work: Sequence[DueAttempt], sender: str, now: datetime) -> None:
    """Give back what was taken and not attempted: as if it had not been taken."""
    if not work:
        return
    await tx.execute(
        """
        update webhook_deliveries d
        set status = case e.status when 'enabled' then 'pending' when 'disabled' then 'held' else 'cancelled' end,
            next_attempt_at = case e.status when 'enabled' then cast(:now as timestamptz) end,
            attempts = d.attempts - 1, lease_until = null, sender = null
        from webhook_endpoints e,
            unnest(cast(:ids as text[]), cast(:numbers as int[])) as given (delivery_id, number)
        where e.endpoint_id = d.endpoint_id and d.delivery_id = given.delivery_id
            and d.status = 'sending' and d.sender = :sender and d.attempts = given.number
        """,
        ids=[item.delivery_id for item in work],
        numbers=[item.number for item in work],
        sender=sender,
        now=now,
    )


async def next_due(tx: WriteTx, now: datetime) -> datetime | None:
    """When the next delivery that is not due yet becomes so."""
    due: datetime | None = await tx.scalar(
        "select min(next_attempt_at) from webhook_deliveries where status = 'pending' and next_attempt_at > :now",
        now=now,
    )
    return due


_ENDPOINT_CHOSEN = "e.endpoint_id <> all(cast(:endpoints_over as text[]))"


def _chosen(alias: str) -> str:
    """Whether a delivery is due and may be chosen."""
    return f"""{SENDING} and {alias}.status = 'pending' and {alias}.next_attempt_at <= greatest(:now, now())
        and {nobody_waits(f"{alias}.account_id")} and {alias}.delivery_id <> all(cast(:deliveries_over as text[]))
        and (cast(:only as text[]) is null or {alias}.delivery_id = any(cast(:only as text[])))"""


_IN_FLIGHT = """
    select count(*) filter (where s.sender = :sender) as own, count(*) filter (where s.sender <> :sender) as others
    from webhook_deliveries s where s.endpoint_id = e.endpoint_id and s.status = 'sending'
"""
_AHEAD = """
    select coalesce(max(a.times), 1) as times
    from unnest(cast(:ahead_ids as text[]), cast(:ahead_times as int[])) as a (endpoint_id, times)
    where a.endpoint_id = e.endpoint_id and not e.ordered
"""
_FREE = """
    case when e.breaker_until is not null then 1 - busy.own - busy.others
        when busy.others = 0 then e.max_in_flight * ahead.times - busy.own
        else e.max_in_flight - busy.own - busy.others end
"""


async def _lock_endpoints(tx: WriteTx, now: datetime, request: ClaimRequest, limit: int) -> dict[str, RowMapping]:
    """Lock endpoints that have something due and a free place, the one served longest ago first.

    With each come its sealed live secrets, newest first.
    """
    rows = await tx.all(
        f"""
        with chosen as materialized (
            select e.endpoint_id from webhook_endpoints e
                cross join lateral ({_IN_FLIGHT}) as busy cross join lateral ({_AHEAD}) as ahead
            where {_ENDPOINT_CHOSEN} and e.status = 'enabled' and (e.breaker_until is null or e.breaker_until <= :now)
                and (e.rest_until is null or e.rest_until <= :now)
                and exists (
                    select 1 from webhook_deliveries d
                    where d.endpoint_id = e.endpoint_id and {_chosen("d")}
                )
                and {_FREE} > 0
            order by e.served_at nulls first, e.endpoint_id
            limit :limit
            for no key update of e skip locked
        )
        update webhook_endpoints e set served_at = :now,
            breaker_until = case when e.breaker_until is not null then cast(:next_probe as timestamptz) end
        from chosen where e.endpoint_id = chosen.endpoint_id
        returning e.endpoint_id, e.url, e.format, e.ordered, e.max_in_flight, e.sealed_headers, (
            select array_agg(s.sealed order by s.created_at desc, s.secret_id desc) from webhook_secrets s
            where s.endpoint_id = e.endpoint_id and (s.expires_at is null or s.expires_at > :now)
        ) as sealed_secrets
        """,
        now=now,
        next_probe=now + request.probe_every,
        limit=limit,
        sender=request.sender,
        ahead_ids=list(request.ahead),
        ahead_times=list(request.ahead.values()),
        **request.choice(),
    )
    return {row["endpoint_id"]: row for row in rows}


async def _take(tx: WriteTx, endpoint_ids: list[str], now: datetime, request: ClaimRequest) -> Sequence[RowMapping]:
    """Mark due deliveries of locked endpoints as being sent, oldest first.

    In an ordered endpoint the later ones of an account wait for the earlier.
    """
    rows = await tx.all(
        f"""
        with taken as materialized (
            select due.delivery_id, places.number as places from webhook_endpoints e
            cross join lateral ({_IN_FLIGHT}) as busy cross join lateral ({_AHEAD}) as ahead
            cross join lateral (select greatest(0, least(cast(:room_each as int), {_FREE})) as number) as places
            cross join lateral (
                select c.delivery_id from webhook_deliveries c
                where c.endpoint_id = e.endpoint_id and {_chosen("c")}
                    and not (e.ordered and c.account_id is not null and exists (
                        select 1 from webhook_deliveries earlier
                        where earlier.endpoint_id = c.endpoint_id and earlier.account_id = c.account_id
                            and earlier.status in ('pending', 'sending') and earlier.sequence < c.sequence
                    ))
                order by c.priority, c.next_attempt_at, c.delivery_id
                limit places.number
                for update skip locked
            ) as due
            where e.endpoint_id = any(cast(:endpoint_ids as text[]))
        )
        update webhook_deliveries d
        set status = 'sending', attempts = d.attempts + 1, lease_until = :lease_until, sender = :sender,
            next_attempt_at = null
        from taken, webhook_messages m
        where d.delivery_id = taken.delivery_id and m.message_id = d.message_id and m.body is not null
        returning d.delivery_id, d.endpoint_id, d.message_id, d.attempts, d.trigger, d.actor,
            m.event_type, m.body, taken.places
        """,
        endpoint_ids=endpoint_ids,
        now=now,
        lease_until=now + request.lease,
        sender=request.sender,
        room_each=request.room // len(endpoint_ids),
        ahead_ids=list(request.ahead),
        ahead_times=list(request.ahead.values()),
        **request.choice(),
    )
    return sorted(rows, key=lambda row: str(row["delivery_id"]))


def _work_of(row: RowMapping, endpoint: RowMapping) -> DueAttempt:
    return DueAttempt(
        delivery_id=row["delivery_id"],
        endpoint_id=row["endpoint_id"],
        url=endpoint["url"],
        format=endpoint["format"],
        max_in_flight=endpoint["max_in_flight"],
        number=row["attempts"],
        trigger=Trigger(row["trigger"]),
        actor=row["actor"],
        message_id=row["message_id"],
        event_type=row["event_type"],
        body=row["body"],
        sealed_headers=endpoint["sealed_headers"],
        sealed_secrets=tuple(endpoint["sealed_secrets"] or ()),
    )


async def _postpone(tx: WriteTx, delivery_ids: list[str], now: datetime) -> None:
    """Look again later at what was taken and of which no attempt can be made, through a fault of ours."""
    await tx.execute(
        "update webhook_deliveries set status = 'pending', next_attempt_at = :later, attempts = attempts - 1,"
        " lease_until = null, sender = null, last_failure = :failure where delivery_id = any(cast(:ids as text[]))",
        ids=delivery_ids,
        later=now + UNUSABLE_PAUSE,
        failure=Failure.INTERNAL.value,
    )


def _filled(endpoints: Mapping[str, RowMapping], rows: Sequence[RowMapping]) -> frozenset[str]:
    """The endpoints that got as much as they may have, and ordered ones, where more may wait for what was taken."""
    taken = Counter(row["endpoint_id"] for row in rows)
    full = {row["endpoint_id"] for row in rows if taken[row["endpoint_id"]] >= row["places"]}
    return frozenset(full | {endpoint_id for endpoint_id, row in endpoints.items() if row["ordered"]})
