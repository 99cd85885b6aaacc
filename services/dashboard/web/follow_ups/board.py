"""Follow-ups as a board or a list, one's own first."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api
from services.dashboard.web.bits import Cell, Text, address, box, empty, link, severity_chip, table, when
from services.dashboard.web.controls import filters
from services.dashboard.web.frame import page
from services.dashboard.web.names import Names
from services.dashboard.web.section import Section, Visit

Json = dict[str, Any]
OPEN = ("open", "acknowledged", "in_progress", "snoozed")
SEVERITIES = {"critical": "‼ Critical", "high": "! High", "medium": "Medium", "low": "Low"}
KINDS = (
    "detractor", "promoter_to_passive", "follow_up_requested", "two_falls_in_a_row", "low_csat", "high_effort",
    "account_score_drop", "account_class_changed", "renewal_risk", "segment_drop", "non_response", "bounced_contact",
    "new_promoter", "recovered", "manual",
)  # fmt: skip
FIELDS = (
    ("q", "Search", None),
    ("mine", "Whose", {"yes": "Mine"}),
    ("severity", "Severity", SEVERITIES),
    ("kind", "Kind", {kind: wording.plain(kind) for kind in KINDS}),
    ("due", "Due", {"late": "Overdue"}),
)
NAMES = ("severity", "kind", "account_id", "q")
MOST, IN_LANE = 400, 12


@page("/follow-ups", "Follow-ups")
async def follow_ups(visit: Visit) -> None:
    """Draw the page; the view and what is shown are in the address."""
    wanted = {name: visit.query[name] for name in NAMES if visit.query.get(name)}
    as_list = visit.query.get("view") == "list"
    names = Names()
    with box("div", "head"):
        with box():
            Text("h1", "Follow-ups")
            Text("p", "Your own first, then what is due next", "lead")
        with box("nav", "buttons", aria_label="View"):
            for view, words in (("board", "Board"), ("list", "List"), ("closed", "Closed")):
                chosen = visit.query.get("view", "board") == view
                target = address("/follow-ups", **{**visit.query, "view": view})
                Text("a", words, "button main" if chosen else "button", href=target)
    filters("/follow-ups", FIELDS, visit.query)
    closed = visit.query.get("view") == "closed"

    async def load(api: Api) -> list[Json]:
        query: Json = {"state": "closed", "sort": "-updated_at"} if closed else {"state": ",".join(OPEN)}
        if visit.query.get("mine"):
            query["owner"] = visit.user.email
        if visit.query.get("due") == "late":
            query |= {"due_before": visit.now.replace(second=0, microsecond=0).isoformat(), "state": "open"}
        found = await api.items("alerting", "/v1/follow-ups", most=MOST, **query, **wanted)
        found.sort(key=lambda one: one["owner"]["email"] != visit.user.email)
        return await names.add_to(api, found)

    draw = _draw_list if as_list or closed else partial(_draw_board, visit)
    Section(visit, "", load, draw, classes="plain")


def _draw_board(visit: Visit, found: list[Json]) -> None:
    if not found:
        _nothing()
        return
    with box("div", "board", tabindex="0", role="region", aria_label="Board of follow-ups"):
        for state in OPEN:
            lane = [one for one in found if one["state"] == state]
            with box("section", "lane", aria_label=wording.STATE_NAMES[state]):
                Text("h2", f"{wording.STATE_NAMES[state]} ({len(lane)})")
                for one in lane[:IN_LANE]:
                    _card(visit, one)
                if len(lane) > IN_LANE:
                    link(f"{len(lane) - IN_LANE} more in the list", address("/follow-ups", view="list"))


def _card(visit: Visit, one: Json) -> None:
    late = one["state"] == "open" and one["due_at"] < visit.now.isoformat()
    with box("article", "task late" if late else "task"):
        with box("div"):
            severity_chip(one["severity"])
            if one["owner"]["email"] == visit.user.email:
                Text("span", "mine", "chip")
        with box("h3"):
            link(wording.plain(one["kind"]), f"/follow-ups/{one['follow_up_id']}")
        Text("span", ", ".join(part for part in (one["person"], one["account"]) if part))
        Text("span", one["reasons"][0] if one["reasons"] else "", "muted")
        with box("span", "muted"):
            Text("span", "overdue, was due " if late else "due ")
            when(one["due_at"], "ago")
            Text("span", f" · {one['owner']['name'] or one['owner']['email'] or 'nobody'}")


def _draw_list(found: list[Json]) -> None:
    if not found:
        _nothing()
        return
    rows: list[list[Cell]] = [
        [
            partial(link, wording.plain(one["kind"]), f"/follow-ups/{one['follow_up_id']}"),
            ", ".join(part for part in (one["person"], one["account"]) if part),
            partial(severity_chip, one["severity"]),
            wording.STATE_NAMES[one["state"]] + (f": {one['outcome']}" if one["outcome"] else ""),
            one["owner"]["name"] or one["owner"]["email"] or "nobody",
            partial(when, one["closed_at"] or one["due_at"], "time"),
        ]
        for one in found
    ]
    with box("div", "card"):
        heads = ("Follow-up", "About", "Severity", "State", "Owner", "Due, or closed")
        table(heads, rows, "Follow-ups")


def _nothing() -> None:
    empty("There is no follow-up like this.", "They open by themselves when somebody turns, falls silent or asks.")
