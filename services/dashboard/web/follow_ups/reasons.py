"""The reasons of a follow-up: events, rules, and the messages about it."""

from functools import partial
from typing import Any

from services.dashboard.domain import follow_ups as told
from services.dashboard.domain import wording
from services.dashboard.domain.delivery_wording import went
from services.dashboard.web.elements import Cell, Text, box, facts, link, table, when
from services.dashboard.web.section import Visit
from shared.api.follow_ups import Why

Json = dict[str, Any]


def draw_why(visit: Visit, found: Why) -> None:
    """Draw the reasons, the rule as it was, each event, and the messages that were sent."""
    with box("ul"):
        for reason in found.reasons:
            Text("li", reason)
    if found.inhibited:
        others = ", ".join(told.kind(kind).lower() for kind in found.inhibited)
        Text("p", f"It stands for {others} as well.", "muted")
    if found.rule:
        Text("p", told.rule(found.rule), "muted")
    else:
        Text("p", "Opened by hand, not by a rule.", "muted")
    if found.triggers:
        with box("details"):
            Text("summary", "The facts and the rules behind it")
            for trigger in found.triggers:
                _draw_trigger(trigger)
    with box("details"):
        Text("summary", "Who was notified")
        _draw_told(visit, found)


def _draw_trigger(trigger: Json) -> None:
    with box("h3"):
        Text("span", told.event(trigger["event"]))
        if trigger["at"]:
            Text("span", ", ")
            when(trigger["at"], "time")
    if trigger["role"] == "taken_in":
        Text("p", f"Taken in: {told.kind(trigger['kind']).lower()}.", "muted")
    if not trigger["holds"]:
        Text("p", "It no longer applies.", "muted")
    facts(dict(told.facts(trigger["facts"])))
    rows: list[list[Cell]] = [[told.rule_name(match["rule_id"]), match["severity"]] for match in trigger["matches"]]
    if rows:
        table(("Rule that matched", "Severity"), rows, "Rules that matched, the most severe first")


def _draw_told(visit: Visit, found: Why) -> None:
    rows: list[list[Cell]] = [
        [
            f"{wording.plain(notice['channel'])}: {notice['recipient'] or 'the room'}",
            wording.plain(notice["topic"]).lower(),
            notice["status"],
            partial(when, notice["sent_at"] or notice["due_at"], "time"),
        ]
        for notice in found.notices
    ]
    for message in found.messages:
        rows += [
            [
                _endpoint(visit, delivery["endpoint_id"]),
                told.deed(message["action"]),
                went(delivery["status"], delivery["last_failure"]),
                partial(_delivered, delivery),
            ]
            for delivery in message["deliveries"]
        ]
    if not rows:
        Text("p", "Nobody was notified outside these pages: no webhook or notification covers it.", "muted")
        return
    table(("To", "Of what", "State", "When"), rows, "Messages about it")


def _endpoint(visit: Visit, endpoint_id: str) -> Cell:
    """A webhook; those who manage endpoints are led to it."""
    if visit.user.may("manage"):
        return partial(link, "Webhook", f"/settings/webhooks/{endpoint_id}")
    return "Webhook"


def _delivered(delivery: Json) -> None:
    if delivery["delivered_at"]:
        when(delivery["delivered_at"], "time")
    else:
        Text("span", f"tried {wording.count(len(delivery['attempts']), 'time')}", "muted")
