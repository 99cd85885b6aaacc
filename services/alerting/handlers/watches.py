"""What no event says but time brings: once a business day, from eight o'clock on, all that is open is judged, and
renewals that come near and segments that turn may open a follow-up.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from services.alerting.domain.default_rules import SEGMENT_DROPPED
from services.alerting.domain.facts import Facts
from services.alerting.domain.occasions import YEAR
from services.alerting.domain.people import Account
from services.alerting.domain.reconciliation import COMES_BACK
from services.alerting.domain.segments import Shift, shifts
from services.alerting.handlers.judging import Batch, judge, judge_segments
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.rules import rules_in_force
from services.alerting.store.past import purge_past
from services.alerting.store.watches import (
    account_voices,
    accounts_to_watch,
    come_to,
    go_on,
    note_known,
    segments_with_tasks,
)
from shared.db.transaction import ReadTx, WriteTx

BEGINS = time(8)
PAST_KEPT = timedelta(days=180)
AT_ONCE = 200
"""Accounts of one transaction: they are locked meanwhile, and people want to acknowledge."""
RENEWALS, SEGMENTS = "accounts", "segments"


async def watch_accounts(tx: WriteTx, resources: Resources) -> int:
    """Judge the next accounts of today's watch; answers how many, 0 once all of them have been judged."""
    today = _day(resources)
    known = await come_to(tx, RENEWALS)
    if today is None or (known is not None and known[0] > today):
        return 0
    after = known[1] if known is not None and known[0] == today else ""
    accounts = await judge_next(tx, resources, after)
    await go_on(tx, RENEWALS, today, accounts[-1] if accounts else after)
    return len(accounts)


async def judge_next(tx: WriteTx, resources: Resources, after: str) -> list[str]:
    """Judge the next accounts behind `after` with a follow-up or a renewal; answers them."""
    accounts = await next_accounts(tx, resources, after)
    await judge(tx, resources, Batch(renewing=set(accounts)))
    await note_known(tx, accounts, resources.clock.now())
    return accounts


async def next_accounts(tx: ReadTx, resources: Resources, after: str) -> list[str]:
    """The next accounts behind `after` with a follow-up or a renewal within a year."""
    now = resources.clock.now()
    first = resources.policy.calendar.local_date(now)
    return await accounts_to_watch(tx, after, first, first + timedelta(days=YEAR), now - COMES_BACK, AT_ONCE)


async def watch_segments(tx: WriteTx, resources: Resources) -> int:
    """Judge every segment, once a business day; answers how many follow-ups changed."""
    today = _day(resources)
    known = await come_to(tx, SEGMENTS)
    if today is None or (known is not None and known[0] >= today):
        return 0
    await go_on(tx, SEGMENTS, today, "")
    rules = await rules_in_force(tx, resources.clock)
    if not any(rule.enabled and rule.event == SEGMENT_DROPPED for rule in rules):
        return 0
    bare = Facts(Account(""), resources.clock.now(), resources.policy.calendar)
    facts = {name: replace(bare, account=Account(name)) for name in await segments_with_tasks(tx)}
    facts |= {name_of(shift): _facts(bare, shift) for shift in shifts(await account_voices(tx))}
    return await judge_segments(tx, resources, facts)


async def purge(tx: WriteTx, resources: Resources) -> int:
    """Drop what is past its time; answers how much."""
    return await purge_past(tx, resources.clock.now() - PAST_KEPT)


def name_of(shift: Shift) -> str:
    """The account id under which a segment's follow-up stands; `/` keeps it apart from every real one."""
    dimension, value = shift.segment
    return f"segment/{dimension}/{value}"


def _facts(bare: Facts, shift: Shift) -> Facts:
    return replace(bare, account=Account(name_of(shift)), shift=shift)


def _day(resources: Resources) -> date | None:
    """Today, if it is a business day and the watch has begun."""
    now, calendar = resources.clock.now(), resources.policy.calendar
    local: datetime = now.astimezone(calendar.zone)
    return local.date() if local.time() >= BEGINS and calendar.is_business_day(local.date()) else None
