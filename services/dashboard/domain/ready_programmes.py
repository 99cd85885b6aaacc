"""Programmes that are ready to begin with: all but the survey and the sender."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.dashboard.domain.programmes import Json


@dataclass(frozen=True, slots=True)
class Ready:
    """A programme that is ready but for its survey and its sender; `fields` are those that differ from the default."""

    name: str
    text: str
    when: Json
    objective: str = "perception"
    fields: Json = field(default_factory=dict)


READY: Final[Mapping[str, Ready]] = {
    "relationship": Ready(
        "Relationship",
        "Everybody about the relationship: users each quarter, decision-makers each half-year.",
        {"type": "cadence", "users_days": 91, "decision_makers_days": 182},
    ),
    "decision_makers": Ready(
        "Decision-makers",
        "Decision-makers of key accounts, each half-year.",
        {"type": "cadence", "users_days": 182, "decision_makers_days": 182},
        "retention",
        {"who": {"type": "decision_maker", "tier": "key"}},
    ),
    "delivery": Ready(
        "After a delivery",
        "Who got an order, two days after it was delivered.",
        {"type": "event", "kind": "order_delivered", "after_days": 2},
    ),
    "support": Ready(
        "After a problem was solved",
        "Who had a problem, a day after it was solved.",
        {"type": "event", "kind": "issue_resolved", "after_days": 1},
    ),
    "onboarding": Ready(
        "After the beginning",
        "New customers, two weeks after they signed up.",
        {"type": "event", "kind": "signed_up", "after_days": 14, "only_first": True},
    ),
    "project": Ready(
        "At the end of a project",
        "Who took part, when a project is completed.",
        {"type": "event", "kind": "project_completed", "whom": "audience"},
    ),
    "renewal": Ready(
        "Before the renewal",
        "Everybody at an account, 90 days before its contract is renewed.",
        {"type": "renewal", "days_before": 90},
        "retention",
    ),
    "once": Ready("One wave", "Everybody once, in a week that you choose.", {"type": "once", "on": ""}),
}


def begun(ready: Ready, values: Mapping[str, str]) -> Json:
    """A ready programme with the name, survey, sender and, for one wave, the day that were typed."""
    when = dict(ready.when)
    if when["type"] == "once":
        when["on"] = values.get("on", "")
    sender = {"kind": "owner", "name": values.get("sender_name"), "email": values.get("sender_email")}
    named = {"name": values.get("name", ""), "survey_id": values.get("survey_id", "")}
    return {**named, "objective": ready.objective, "when": when, "sender": sender, **ready.fields}
