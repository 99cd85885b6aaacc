"""What is open about an account by its facts, worked out as plainly as can be: no runs kept, no order, no batches.

Written apart from the product; a slow reference that looks at everything from the beginning. A new shipped rule is told
here as well, and in histories.py what it holds on.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from services.scorer.domain.answer_changes import Entry, Series
from tests.integration.alerting.cases import MONDAY
from tests.integration.alerting.histories import History

MONTH = timedelta(days=30)
WORSE = {"critical": "critical", "high": "critical", "medium": "high", "low": "medium"}
RANK = ("critical", "high", "medium", "low")
NO_SPONSOR = "the account has no sponsor in the directory: goes to its owner"
BAD_CLASSES = ("at_risk", "divided")


class Open(NamedTuple):
    """A follow-up that is open in the end."""

    kind: str
    person: str | None
    severity: str
    occurrences: int
    reasons: tuple[str, ...]
    score: int | None


class Ground(NamedTuple):
    """One occasion of a follow-up: when, how bad, why, with which score; `at` None is always recent."""

    order: tuple[datetime, str]
    severity: str
    reason: str
    score: int | None = None
    at: datetime | None = None


Grounds = dict[tuple[str, str | None], list[Ground]]


def expected(history: History) -> set[Open]:
    """Everything that has to be open, nobody having touched or closed anything."""
    closed_on = history.account["closed_on"]
    if closed_on is not None and closed_on <= MONDAY.date():
        return set()
    grounds: Grounds = defaultdict(list)
    stories = story_of(history)
    for series, story in stories.items():
        if series.stakeholder_id not in history.removed:
            answers(series, story, grounds)
    invitations(history, stories, grounds)
    account(history, grounds)
    grounds = {key: found for key, found in grounds.items() if any(is_recent(ground) for ground in found)}
    members = burst(history, stories, grounds)
    premium = history.account["tier"] == "premium"
    return {
        shown(kind, person, found, premium)
        for (kind, person), found in grounds.items()
        if not any(takes_in(other, (kind, person), members) for other in grounds)
    }


def story_of(history: History) -> dict[Series, list[Entry]]:
    found: dict[Series, list[Entry]] = defaultdict(list)
    for entry in sorted(history.answers.values(), key=lambda entry: (entry.answered_at, entry.response_id)):
        if not (entry.withdrawn or entry.erased):
            found[entry.series].append(entry)
    return found


def level(entry: Entry) -> int:
    middle, good = {"nps": (7, 9), "csat": (3, 4), "ces": (3, 5)}[entry.series.survey_type]
    return (entry.score >= middle) + (entry.score >= good)


def fresh(entry: Entry) -> bool:
    return not entry.quiet and entry.recorded_at - entry.answered_at <= MONTH


def is_recent(ground: Ground) -> bool:
    return ground.at is None or ground.at >= MONDAY - MONTH


def answers(series: Series, story: list[Entry], grounds: Grounds) -> None:
    for number, entry in enumerate(story):
        if not fresh(entry):
            continue
        same = all(level(later) == level(story[-1]) for later in story[number:])
        pairs = zip(story[number:], story[number + 1 :], strict=False)
        rising = all(level(earlier) <= level(later) for earlier, later in pairs)
        before = story[number - 1] if number else None
        for kind, severity, reason, needed in said(series.survey_type, entry, before, falls(story[: number + 1])):
            if {"run": same, "rise": rising, "wish": True}[needed]:
                ground = Ground(
                    (entry.answered_at, entry.response_id), severity, reason, entry.score, entry.answered_at
                )
                grounds[kind, series.stakeholder_id].append(ground)


def falls(story: list[Entry]) -> int:
    count = 0
    while count + 1 < len(story) and story[-count - 1].score < story[-count - 2].score:
        count += 1
    return count


def said(survey_type: str, entry: Entry, before: Entry | None, fell: int) -> list[tuple[str, str, str, str]]:
    """(kind, severity, reason, what has to hold) of each rule that an answer fits by itself."""
    score, found = entry.score, []
    if entry.follow_up_requested:
        found.append(("follow_up_requested", "high", "asked for a follow-up", "wish"))
    if fell >= 2:
        found.append(("two_falls_in_a_row", "medium", f"fell {fell} times in a row, now at {score}", "run"))
    if survey_type == "csat" and score <= 2:
        severity = "critical" if score == 1 else "high"
        found.append(("low_csat", severity, f"satisfaction {score} of 5", "run"))
    if survey_type == "ces" and score <= 2:
        found.append(("high_effort", "high", f"effort: {score} of 7, where 7 is very easy", "run"))
    return found + (said_by_nps(entry, before) if survey_type == "nps" else [])


def said_by_nps(entry: Entry, before: Entry | None) -> list[tuple[str, str, str, str]]:
    score, found = entry.score, []
    if score <= 3:
        found.append(("detractor", "critical", f"scored {score} of 10: a deep detractor", "run"))
    elif score <= 6:
        found.append(("detractor", "high", f"scored {score} of 10: a detractor", "run"))
    was = None if before is None else level(before)
    now = level(entry)
    if (was, now) == (2, 1) and before is not None:
        reason = f"fell from promoter ({before.score}) to passive ({score})"
        found.append(("promoter_to_passive", "high", reason, "run"))
    if now == 2 and was in (None, 1):
        found.append(("new_promoter", "low", f"is a promoter now ({score})", "rise"))
    if was == 0 and now > 0 and before is not None:
        found.append(("recovered", "low", f"came back from detractor ({before.score}) to {score}", "rise"))
    return found


def invitations(history: History, stories: dict[Series, list[Entry]], grounds: Grounds) -> None:
    heard: dict[str, datetime] = {}
    for series, story in stories.items():
        last = story[-1].answered_at
        heard[series.stakeholder_id] = max(last, heard.get(series.stakeholder_id, last))
    reached: dict[str, list[datetime]] = defaultdict(list)
    for invitation in history.invited.values():
        reached[invitation.person] += [
            invitation.moments[step] for step in ("delivered", "opened", "started") if step in invitation.moments
        ]
    for name, invitation in history.invited.items():
        answered = heard.get(invitation.person)
        if invitation.person in history.removed:
            continue
        bounced = invitation.moments.get("bounced")
        if (
            bounced
            and not (answered and answered >= bounced)
            and not any(at > bounced for at in reached[invitation.person])
        ):
            ground = Ground((bounced, name), "low", "an invitation to them came back", None, bounced)
            grounds["bounced_contact", invitation.person].append(ground)
        waits = invitation.silent is not None and not {"unsubscribed", "withdrawn"} & invitation.moments.keys()
        if invitation.silent is None or not waits or (answered and answered >= invitation.moments["sent"]):
            continue
        steps = ("bounced", "started", "opened", "delivered", "sent")
        far = next(step for step in steps if step in invitation.moments)
        words = {"sent": "not opened", "delivered": "not opened", "started": "begun"}.get(far, far)
        kind_of = invitation.silent.stakeholder_type or history.types.get(invitation.person)
        important = kind_of == "decision_maker" and history.account["tier"] in ("key", "premium")
        reason = f"no answer 21 days after the invitation ({words})"
        ground = Ground(
            (invitation.silent.at, name), "medium" if important else "low", reason, None, invitation.silent.at
        )
        grounds["non_response", invitation.person].append(ground)


def account(history: History, grounds: Grounds) -> None:
    if history.points is not None:
        reason = f"the score of the account fell by {history.points:g} points"
        grounds["account_score_drop", None].append(Ground((MONDAY, ""), "high", reason))
    number = 0
    if history.account_class in BAD_CLASSES:
        for old, new in reversed(history.class_changes):
            if new not in BAD_CLASSES:
                break
            if old not in ("unknown", "at_risk"):
                number += 1
                reason = f"the account went from {old.replace('_', ' ')} to {new.replace('_', ' ')}"
                order = (MONDAY - timedelta(minutes=number), "")
                grounds["account_class_changed", None].append(Ground(order, "high", reason))
    ends = history.account["renewal_on"]
    near = ends is not None and (ends - MONDAY.date()).days <= 120
    if ends is not None and near and history.account_class in (*BAD_CLASSES, "silent") and not history.renewed:
        reason = f"renews in {(ends - MONDAY.date()).days} days and is {history.account_class.replace('_', ' ')}"
        grounds["renewal_risk", None].append(Ground((MONDAY, ""), "critical", reason))


def burst(history: History, stories: dict[Series, list[Entry]], grounds: Grounds) -> set[str]:
    """Who is in the first day in which eight people's detractor runs began."""
    begun = []
    for series, story in stories.items():
        if series.survey_type == "nps" and level(story[-1]) == 0 and series.stakeholder_id not in history.removed:
            first = len(story) - 1
            while first and level(story[first - 1]) == 0:
                first -= 1
            if fresh(story[first]):
                begun.append((story[first].answered_at, story[first].response_id, series.stakeholder_id))
    begun.sort()
    for start, _, _ in begun:
        inside = {person for at, _, person in begun if start <= at < start + timedelta(hours=24)}
        if len(inside) >= 8:
            reason = f"{len(inside)} people gave a detractor's score at about the same time"
            grounds["detractor_burst", None] = [Ground((start, ""), "critical", reason)]
            return inside
    return set()


def takes_in(host: tuple[str, str | None], weaker: tuple[str, str | None], members: set[str]) -> bool:
    (kind, person), (other, whose) = host, weaker
    if other == "detractor":
        return kind == "detractor_burst" and whose in members
    if other in ("account_score_drop", "account_class_changed"):
        return kind in ("detractor", "detractor_burst") or (kind, other) == (
            "account_score_drop",
            "account_class_changed",
        )
    stands_back = {
        "detractor": ("promoter_to_passive", "two_falls_in_a_row", "new_promoter", "non_response"),
        "promoter_to_passive": ("two_falls_in_a_row",),
        "bounced_contact": ("non_response",),
    }
    return person == whose and other in stands_back.get(kind, ())


def shown(kind: str, person: str | None, found: list[Ground], premium: bool) -> Open:
    severities, reasons = [], []
    found = sorted(found, key=lambda ground: ground.order)
    for ground in found:
        severity = WORSE[ground.severity] if premium else ground.severity
        severities.append(severity)
        reasons.append(ground.reason)
        if severity != ground.severity:
            reasons.append(f"premium account: severity raised from {ground.severity} to {severity}")
    if kind == "follow_up_requested":
        reasons.append(NO_SPONSOR)
    worst = min(severities, key=RANK.index)
    return Open(kind, person, worst, len(found), tuple(dict.fromkeys(reasons)), found[-1].score)
