"""The daily watch, for what depends on time rather than on an event: once a business day, from eight o'clock on, the
rules are evaluated for all open follow-ups, for renewals that come near and for segments.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from services.alerting.domain.default_rules import SEGMENT_DROPPED
from services.alerting.domain.occasions import YEAR
from services.alerting.domain.reconciliation import COMES_BACK
from services.alerting.domain.segments import Shift, shifts
from services.alerting.handlers.evaluation import EvaluationRequest, evaluate, evaluate_segments
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.rules import rules_in_force
from services.alerting.store.dry_run_triggers import purge_triggers
from services.alerting.store.watches import (
    WatchFilter,
    account_counts,
    accounts_to_watch,
    note_watched,
    segments_with_tasks,
    watched_since,
)
from shared.db.transaction import ReadTx, WriteTx

BEGINS = time(8)
TRIGGERS_KEPT = timedelta(days=180)
AT_ONCE = 200
"""Accounts of one transaction: they are locked meanwhile, and people want to acknowledge."""


async def accounts_of_today(tx: WriteTx, resources: Resources, held: Sequence[str]) -> Sequence[str]:
    """The next accounts with a follow-up or a renewal within a year that have not been evaluated today; none before the
    watch begins.
    """
    if not _has_begun(resources):
        return ()
    return await accounts_to_watch(tx, replace(_watch_filter(resources), but=held, day=_today(resources)), AT_ONCE)


async def watch_accounts(tx: WriteTx, resources: Resources, account_ids: Sequence[str]) -> int:
    """Evaluate those of the accounts that have not been evaluated today; returns how many."""
    fresh = await _not_yet_today(tx, resources, account_ids)
    await evaluate_accounts(tx, resources, fresh)
    return len(fresh)


async def evaluate_accounts(tx: WriteTx, resources: Resources, account_ids: Sequence[str]) -> None:
    """Evaluate these accounts, whenever they were evaluated last."""
    await tx.lock_accounts(account_ids)
    await evaluate(tx, resources, EvaluationRequest(renewing=set(account_ids)))
    await note_watched(tx, account_ids, resources.clock.now(), _today(resources))


async def next_accounts(tx: ReadTx, resources: Resources, after: str) -> Sequence[str]:
    """The next accounts behind `after` with a follow-up or a renewal within a year."""
    return await accounts_to_watch(tx, replace(_watch_filter(resources), after=after), AT_ONCE)


async def segments_of_today(tx: WriteTx, resources: Resources, held: Sequence[str]) -> Sequence[str]:
    """The names of the segments that have not been evaluated today; none before the watch begins, or without a rule."""
    if not _has_begun(resources):
        return ()
    rules = await rules_in_force(tx, resources.clock)
    if not any(rule.enabled and rule.event == SEGMENT_DROPPED for rule in rules):
        return ()
    names = {*await segments_with_tasks(tx), *map(segment_name, shifts(await account_counts(tx)))}
    return sorted(names - set(held) - await watched_since(tx, names, _today(resources)))


async def watch_segments(tx: WriteTx, resources: Resources, names: Sequence[str]) -> int:
    """Evaluate those of the segments that have not been evaluated today; returns how many follow-ups changed."""
    fresh = await _not_yet_today(tx, resources, names)
    now = resources.clock.now()
    moved = {segment_name(shift): shift for shift in shifts(await account_counts(tx))}
    changed = await evaluate_segments(tx, resources, {name: moved.get(name) for name in fresh})
    await note_watched(tx, fresh, now, _today(resources))
    return changed


async def purge(tx: WriteTx, resources: Resources) -> int:
    """Delete triggers for dry-runs that are past their time; returns how many."""
    return await purge_triggers(tx, resources.clock.now() - TRIGGERS_KEPT)


def segment_name(shift: Shift) -> str:
    """The account id under which a segment's follow-up stands; `/` keeps it apart from every real one."""
    dimension, value = shift.segment
    return f"segment/{dimension}/{value}"


async def _not_yet_today(tx: WriteTx, resources: Resources, names: Sequence[str]) -> list[str]:
    """Those that no other process has evaluated today; locked until the end of the transaction."""
    await tx.lock_accounts(names)
    return sorted(set(names) - await watched_since(tx, names, _today(resources)))


def _watch_filter(resources: Resources) -> WatchFilter:
    today = _today(resources)
    return WatchFilter(today, today + timedelta(days=YEAR), resources.clock.now() - COMES_BACK)


def _today(resources: Resources) -> date:
    return resources.policy.calendar.local_date(resources.clock.now())


def _has_begun(resources: Resources) -> bool:
    """Whether it is a business day and late enough."""
    calendar = resources.policy.calendar
    local: datetime = resources.clock.now().astimezone(calendar.zone)
    return local.time() >= BEGINS and calendar.is_business_day(local.date())
