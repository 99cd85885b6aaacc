"""What no event says but time brings: a renewal comes near, a segment turns. Each is acted on once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.alerting.domain.calendar import BusinessCalendar
from services.alerting.domain.decisions import Decision, decide
from services.alerting.domain.default_rules import RENEWAL_NEAR, SEGMENT_DROPPED
from services.alerting.domain.people import Account
from services.alerting.domain.rules import FactValue, Rule, latest
from services.alerting.domain.segments import Shift, shifts
from services.alerting.domain.triggers import Trigger
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.facts import around
from services.alerting.handlers.resources import Resources
from services.alerting.handlers.rules import rules_in_force
from services.alerting.handlers.triggers import place
from services.alerting.store.accounts import accounts_by_id
from services.alerting.store.past import purge_past
from services.alerting.store.watches import (
    Renewal,
    account_voices,
    note_renewals,
    purge_watched,
    renewals_between,
    take_down,
    watched,
)
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import derived_uuid

FARTHEST_DAYS = 366
KEPT = timedelta(days=400)
PAST_KEPT = timedelta(days=180)
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that a rule wants a follow-up for."""

    trigger: Trigger
    decision: Decision


async def watch_renewals(tx: WriteTx, resources: Resources, among: Collection[str] | None = None) -> int:
    """Look at every contract that ends soon, of these accounts or of all; answers how many follow-ups came of it.

    One account, renewal date, class and rule is told once, however often it is looked at. The caller holds the locks
    of the accounts, or none.
    """
    rules = [rule for rule in await rules_in_force(tx, resources.clock) if rule.event == RENEWAL_NEAR and rule.enabled]
    if not rules:
        return 0
    now, calendar = resources.clock.now(), resources.policy.calendar
    days = int(latest(rules, "days_to_renewal", FARTHEST_DAYS))
    today = calendar.local_date(now)
    seen = []
    for one, trigger in await renewals_now(tx, calendar, now, days, among):
        if (found := _decided(rules, trigger, resources)) is not None:
            seen.append(_named(found, _renewal_id(one, found)))
    acted = await _act(tx, resources, seen)
    # After the locks of accounts, as everywhere: who holds one may be about to write the same row.
    await note_renewals(tx, today, today + timedelta(days=days), now, among)
    return acted


async def renewals_now(
    tx: ReadTx,
    calendar: BusinessCalendar,
    now: datetime,
    days: int = FARTHEST_DAYS,
    among: Collection[str] | None = None,
) -> list[tuple[Renewal, Trigger]]:
    """The contracts that end within so many days, of these accounts or of all, each as what a rule looks at."""
    today = calendar.local_date(now)
    renewals = await renewals_between(tx, today, today + timedelta(days=days), now, among)
    accounts = await accounts_by_id(tx, [one.account_id for one in renewals])
    return [
        (one, _renewal_trigger(one, accounts[one.account_id], now, (one.renewal_on - today).days)) for one in renewals
    ]


async def watch_segments(tx: WriteTx, resources: Resources) -> int:
    """Look at every segment; a rise that a rule wants a follow-up for is told once a month, to the leader."""
    rules = [
        rule for rule in await rules_in_force(tx, resources.clock) if rule.event == SEGMENT_DROPPED and rule.enabled
    ]
    if not rules:
        return 0
    now = resources.clock.now()
    month = resources.policy.calendar.local_date(now).strftime("%Y-%m")
    seen = []
    for shift in shifts(await account_voices(tx)):
        if (found := _decided(rules, _segment_trigger(shift, now), resources)) is not None:
            seen.append(_named(found, derived_uuid(SEGMENT_DROPPED, *shift.segment, month)))
    return await _act(tx, resources, seen)


async def purge(tx: WriteTx, resources: Resources) -> int:
    """Drop what is past its time; answers how much."""
    now = resources.clock.now()
    return await purge_past(tx, now - PAST_KEPT) + await purge_watched(tx, now - KEPT)


def segment_account(dimension: str, value: str) -> str:
    """The account id under which a segment's follow-up stands; `/` keeps it apart from every real one."""
    return f"segment/{dimension}/{value}"


async def _act(tx: WriteTx, resources: Resources, seen: Sequence[Seen]) -> int:
    old = await watched(tx, [one.trigger.event_id for one in seen])
    new = [one for one in seen if one.trigger.event_id not in old][:AT_ONCE]
    if not new:
        return 0
    await tx.lock_accounts({one.trigger.account_id for one in new})
    # Under the locks: somebody may have acted on one meanwhile.
    fresh = await take_down(tx, [one.trigger.event_id for one in new], resources.clock.now())
    acted = [one for one in new if one.trigger.event_id in fresh]
    if not acted:
        return 0
    casework = await Casework.around(tx, resources, [(one.trigger.account_id, None) for one in acted], ())
    for one in acted:
        casework.judged(one.trigger, place(casework, one.trigger, one.decision, resources.policy))
    await casework.save(tx)
    return len(acted)


def _decided(rules: Sequence[Rule], trigger: Trigger, resources: Resources) -> Seen | None:
    decision = decide(rules, trigger.event, trigger.facts, trigger.at, resources.policy.calendar)
    return Seen(trigger, decision) if decision.chosen else None


def _named(seen: Seen, event_id: UUID) -> Seen:
    old = seen.trigger
    trigger = Trigger(event_id, old.event, old.at, old.account_id, None, None, old.facts)
    return Seen(trigger, seen.decision)


def _renewal_id(renewal: Renewal, seen: Seen) -> UUID:
    rule = seen.decision.chosen.rule.rule_id if seen.decision.chosen else ""
    name = renewal.account_class or ""
    return derived_uuid(RENEWAL_NEAR, renewal.account_id, renewal.renewal_on.isoformat(), name, rule)


def _renewal_trigger(renewal: Renewal, account: Account, now: datetime, days: int) -> Trigger:
    facts = around(account, None) | {
        "account_class": renewal.account_class,
        "days_to_renewal": days,
        "decision_maker_days": (now - renewal.heard_at).days,
    }
    event_id = derived_uuid(RENEWAL_NEAR, renewal.account_id, renewal.renewal_on.isoformat())
    return Trigger(event_id, RENEWAL_NEAR, now, renewal.account_id, None, None, facts)


def _segment_trigger(shift: Shift, now: datetime) -> Trigger:
    dimension, value = shift.segment
    facts: dict[str, FactValue] = {
        "segment_by": dimension,
        "segment": value,
        "share": round(shift.share, 1),
        "share_before": round(shift.share_before, 1),
        "rise": round(shift.rise, 1),
        "voices": shift.voices,
        "z": round(shift.z, 2),
    }
    return Trigger(UUID(int=0), SEGMENT_DROPPED, now, segment_account(dimension, value), None, None, facts)
