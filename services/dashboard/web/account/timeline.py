"""What changed at an account and when."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.domain.follow_ups import kind
from services.dashboard.domain.timeline import Moment
from services.dashboard.web.bits import Cell, Text, box, category_chip, empty, link, person_link, table, when

Json = dict[str, Any]
SHOWN = 40
EVENT_SIGN = "◇"


def draw_timeline(found: list[Moment]) -> None:
    """One line for each turn of a person, each event around them, each follow-up that was closed."""
    if not found:
        empty("Nothing has changed yet.", "Turns of people, events and closed follow-ups are listed here.")
        return
    _table(found[:SHOWN])
    if len(found) > SHOWN:
        with box("details"):
            Text("summary", f"{len(found) - SHOWN} earlier ones")
            _table(found[SHOWN:])


def _table(found: list[Moment]) -> None:
    rows: list[list[Cell]] = [[partial(_what, one), partial(_who, one), partial(when, one.at)] for one in found]
    table(("What", "Who", "When"), rows, "What changed and when")


def _what(one: Moment) -> None:
    with box("span"):
        if one.kind == "change":
            if one.what["from"]:
                category_chip(one.what["from"], one.what["from_score"])
                Text("span", " → ")
            category_chip(one.what["to"], one.what["to_score"])
            if not one.what["from"]:
                Text("span", " first answer", "muted")
        elif one.kind == "event":
            sort = wording.plain(one.what["kind"])
            Text("span", f"{EVENT_SIGN} {one.what['label'] or sort}")
            if one.what["label"]:
                Text("span", f", {sort.lower()}", "muted")
        else:
            link(f"{kind(one.what['kind'])}: follow-up closed", f"/follow-ups/{one.what['follow_up_id']}")
            Text("span", f", {one.what['outcome']}", "muted")


def _who(one: Moment) -> None:
    person = one.what.get("stakeholder_id")
    if person:
        person_link(one.what["account_id"], person, one.what.get("person"))
    else:
        Text("span", "the account", "muted")
