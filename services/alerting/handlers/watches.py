"""What no event says but time brings: once a business day, from eight o'clock on, all that is open is judged, and
renewals that come near and segments that turn may open a follow-up.
"""

from collections.abc import Sequence
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
    Watched,
    account_voices,
    accounts_to_watch,
    note_watched,
    segments_with_tasks,
    watched_since,
)
from shared.db.transaction import ReadTx, WriteTx

BEGINS = time(8)
PAST_KEPT = timedelta(days=180)
AT_ONCE = 200
"""Accounts of one transaction: they are locked meanwhile, and people want to acknowledge."""


async def accounts_of_today(tx: WriteTx, resources: Resources, held: Sequence[str]) -> Sequence[str]:
    """The next accounts with a follow-up or a renewal within a year that have not been judged today; none before the
    watch begins.
    """
    if not _has_begun(resources):
        return ()
    return await accounts_to_watch(tx, replace(_watched(resources), but=held, day=_today(resources)), AT_ONCE)


async def watch_accounts(tx: WriteTx, resources: Resources, account_ids: Sequence[str]) -> int:
    """Judge those of the accounts that have not been judged today; answers how many."""
    fresh = await _not_yet_today(tx, resources, account_ids)
    await judge_accounts(tx, resources, fresh)
    return len(fresh)


async def judge_accounts(tx: WriteTx, resources: Resources, account_ids: Sequence[str]) -> None:
    """Judge these accounts, whenever they were judged last."""
    await judge(tx, resources, Batch(renewing=set(account_ids)))
    await note_watched(tx, account_ids, resources.clock.now(), _today(resources))


async def next_accounts(tx: ReadTx, resources: Resources, after: str) -> Sequence[str]:
    """The next accounts behind `after` with a follow-up or a renewal within a year."""
    return await accounts_to_watch(tx, replace(_watched(resources), after=after), AT_ONCE)


async def segments_of_today(tx: WriteTx, resources: Resources, held: Sequence[str]) -> Sequence[str]:
    """The names of the segments that have not been judged today; none before the watch begins, or without a rule."""
    if not _has_begun(resources):
        return ()
    rules = await rules_in_force(tx, resources.clock)
    if not any(rule.enabled and rule.event == SEGMENT_DROPPED for rule in rules):
        return ()
    names = {*await segments_with_tasks(tx), *map(name_of, shifts(await account_voices(tx)))}
    return sorted(names - set(held) - await watched_since(tx, names, _today(resources)))


async def watch_segments(tx: WriteTx, resources: Resources, names: Sequence[str]) -> int:
    """Judge those of the segments that have not been judged today; answers how many follow-ups changed."""
    fresh = await _not_yet_today(tx, resources, names)
    now = resources.clock.now()
    moved = {name_of(shift): shift for shift in shifts(await account_voices(tx))}
    bare = Facts(Account(""), now, resources.policy.calendar)
    facts = {name: replace(bare, account=Account(name), shift=moved.get(name)) for name in fresh}
    changed = await judge_segments(tx, resources, facts)
    await note_watched(tx, fresh, now, _today(resources))
    return changed


async def purge(tx: WriteTx, resources: Resources) -> int:
    """Drop what is past its time; answers how much."""
    return await purge_past(tx, resources.clock.now() - PAST_KEPT)


def name_of(shift: Shift) -> str:
    """The account id under which a segment's follow-up stands; `/` keeps it apart from every real one."""
    dimension, value = shift.segment
    return f"segment/{dimension}/{value}"


async def _not_yet_today(tx: WriteTx, resources: Resources, names: Sequence[str]) -> list[str]:
    """Those that nobody else has judged today, locked from here on."""
    await tx.lock_accounts(names)
    return sorted(set(names) - await watched_since(tx, names, _today(resources)))


def _watched(resources: Resources) -> Watched:
    today = _today(resources)
    return Watched(today, today + timedelta(days=YEAR), resources.clock.now() - COMES_BACK)


def _today(resources: Resources) -> date:
    return resources.policy.calendar.local_date(resources.clock.now())


def _has_begun(resources: Resources) -> bool:
    """Whether it is a business day and late enough."""
    calendar = resources.policy.calendar
    local: datetime = resources.clock.now().astimezone(calendar.zone)
    return local.time() >= BEGINS and calendar.is_business_day(local.date())
