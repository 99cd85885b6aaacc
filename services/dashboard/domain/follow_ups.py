"""Follow-ups in words: history, reasons and outcome."""

import re
from collections.abc import Mapping
from typing import Any

from services.dashboard.domain import wording

ACTIONS = {
    "opened": "opened", "repeated": "it happened again", "inhibited": "something less severe happened as well",
    "acknowledged": "took it on", "unacknowledged": "taken on, but nothing was done: open again",
    "started": "began the work", "snoozed": "snoozed it", "woken": "the snooze ended", "assigned": "reassigned it",
    "promised": "noted a promise", "commented": "said", "closed": "closed it", "reopened": "opened it again",
    "judged": "the facts changed", "said_anew": "its description changed", "reason_over": "no longer applies",
    "reason_holds": "it applies again", "answered_again": "answered again", "comment_received": "a comment came",
    "escalated": "escalated", "corrected": "the answer was corrected", "amended": "the answer was amended",
    "erased": "the person was erased",
}  # fmt: skip
KINDS = {
    "detractor": "Detractor", "promoter_to_passive": "Promoter became passive",
    "follow_up_requested": "Asked for a follow-up", "detractor_burst": "Several detractors at once",
    "two_falls_in_a_row": "Two falls in a row", "low_csat": "Low satisfaction", "high_effort": "High effort",
    "account_score_drop": "Account score dropped", "account_class_changed": "Account class changed",
    "renewal_risk": "Renewal at risk", "segment_drop": "More detractors in a segment", "non_response": "No answer",
    "bounced_contact": "Contact lost", "new_promoter": "New promoter", "recovered": "Recovered", "manual": "By hand",
    "review_due": "Business review due",
}  # fmt: skip
"""The kinds of follow-ups, worded as in their titles."""
EVENTS = {
    "stakeholder.answered": "An answer",
    "stakeholder.answer_corrected": "An answer was corrected",
    "stakeholder.went_silent": "Silence after an invitation",
    "account_score.dropped": "The score of the account fell",
    "account_class.changed": "The class of the account changed",
}
RESULTS = {"recovered": "better than before", "unchanged": "as before", "worse": "worse than before"}
OUTCOMES = {
    "resolved": "resolved", "dismissed": "nothing to do", "answered": "answered", "improved": "improved without action",
    "corrected": "corrected", "over": "over", "gone": "nobody left to contact",
    "superseded": "replaced by a more severe one", "merged": "merged",
}  # fmt: skip
"""The outcomes of follow-ups."""
RESULT_SIGNS = {"recovered": "↑", "unchanged": "→", "worse": "↓"}
RECIPIENTS = {"owner": "the owner", "sponsor": "the sponsor", "leader": "the leader"}
FACTS = {
    "score": "score", "previous_score": "score before", "change": "change", "falls_in_a_row": "falls in a row",
    "follow_up_requested": "asked to be called", "survey_type": "survey", "touchpoint": "touchpoint",
    "product": "product", "stakeholder_type": "role", "tier": "tier", "days": "days of silence",
    "furthest": "how far they came", "points": "points lost", "account_class": "class now",
    "previous_class": "class before", "days_to_renewal": "days to the renewal",
    "decision_maker_days": "days since a decision-maker was heard",
}  # fmt: skip
"""The facts to be shown, in this order."""
HOURS_A_DAY = 24


def deed(action: str) -> str:
    """An action of the history, in words."""
    return ACTIONS.get(action, wording.plain(action).lower())


def kind(code: str) -> str:
    """A kind of follow-up, in words."""
    return KINDS.get(code, wording.plain(code))


def actor(who: str, people: Mapping[str, str], name: str | None = None) -> str:
    """The actor of a change: `people` gives the names behind keys, `name` is what a CRM calls itself."""
    if who == "system":
        return "Tellback"
    if who.startswith("crm:"):
        if name:
            return f"CRM ({name})"
        return "CRM"
    return people.get(who.removeprefix("key:"), "A program")


def event(name: str) -> str:
    """An event, in words."""
    return EVENTS.get(name, wording.plain(name.replace(".", " ")))


def span(document: Mapping[str, Any]) -> str:
    """`{"amount": 4, "unit": "business_hours"}` as `4 business hours`."""
    unit = str(document["unit"]).replace("_", " ")
    return wording.count(document["amount"], unit.removesuffix("s"), unit)


def rule_name(rule_id: str) -> str:
    """`detractor_4_6` as `Detractor 4–6`."""
    return re.sub(r"(\d) (\d)", r"\1–\2", wording.plain(rule_id))


def rule(document: Mapping[str, Any]) -> str:
    """The rule as it was when it fired, in one sentence."""
    recipients = [document["recipient"], *document["informs"]]
    names = " and ".join(RECIPIENTS.get(recipient, recipient) for recipient in recipients)
    return (
        f"{rule_name(document['rule_id'])}, version {document['version']}: {document['severity']},"
        f" first touch within {span(document['due'])}, to {names}"
    )


def facts(known: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The known facts of an event, as names and values; unknown ones are left out."""
    rows = []
    for name, words in FACTS.items():
        value = known.get(name)
        if value is not None and value is not False and value != "":
            rows.append((words, _value(value)))
    return rows


def _value(value: Any) -> str:
    if value is True:
        return "yes"
    if isinstance(value, str):
        return value.replace("_", " ")
    return f"{value:g}"


def hours(value: float | None) -> str:
    """A span of hours as people say it: `40 min`, `5.5 h`, `3.2 days`."""
    if value is None:
        return wording.NOTHING
    if value < 1:
        return f"{max(1, round(60 * value))} min"
    unit = "h"
    if value >= 2 * HOURS_A_DAY:
        value, unit = value / HOURS_A_DAY, "days"
    whole, tenths = divmod(round(10 * value), 10)
    if tenths and whole < 100:
        return f"{wording.decimal(whole + tenths / 10)} {unit}"
    return f"{wording.grouped(whole)} {unit}"


def next_answer(result: str) -> str:
    """`↑ better than before`: the person's next answer compared with the one that opened the follow-up."""
    return f"{RESULT_SIGNS[result]} {RESULTS[result]}"


def outcome(code: str) -> str:
    """An outcome, in words."""
    return OUTCOMES.get(code, wording.plain(code).lower())


def moved(changes: Mapping[str, Any]) -> str | None:
    """The change of the answer in a line of the history: `2 to 6`; None where the line changed nothing about it."""
    before, after = changes.get("score", (None, None))
    if before is None or after is None:
        return None
    return f"{before} to {after}"


def about(person: str, account: str) -> str:
    """The subject of a follow-up in words; `person` is empty where it is about the whole account."""
    if not person:
        return account
    return f"{person}, {account}"
