"""Follow-ups as a board or a list, one's own first; closed follow-ups; and figures of the closed loop."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from services.dashboard.domain import follow_ups as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, address, box, choices, empty, link, severity_chip, table, when
from services.dashboard.web.follow_ups.closing import draw_closable
from services.dashboard.web.follow_ups.listing import MOST, OPEN, Listed, listed, load_own_first, owner_of
from services.dashboard.web.follow_ups.loop import GROUPS, draw_figures, draw_groups
from services.dashboard.web.form_fields import filters
from services.dashboard.web.names import NameLookup, Pair, owners_of
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.follow_ups import FollowUp, LoopGroup
from shared.api.questions import FOLLOW_UP_SUMMARY
from shared.http.client import Api

VIEWS = {"board": "Board", "list": "List", "closed": "Closed", "loop": "Performance"}
LEADS = {
    "closed": "Your own first, then what was closed last",
    "loop": "How soon follow-ups are acted on and closed, and what respondents say next",
}
ORDERS = {"": "Default order", "-opened_at": "Newest first", "-updated_at": "Changed last first"}
SEVERITIES = {"critical": "‼ Critical", "high": "! High", "medium": "Medium", "low": "Low"}
FIELDS = (
    ("q", "Search", None),
    ("mine", "Whose", {"yes": "Mine"}),
    ("severity", "Severity", SEVERITIES),
    ("kind", "Kind", told.KINDS),
    ("due", "Due", {"late": "Overdue", "week": "Within 7 days"}),
    ("so", "Reason", {"no": "No longer applies"}),
    ("sort", "Order", ORDERS),
)
LOOP_FIELDS = (
    ("by", "By", GROUPS),
    ("window", "Opened", wording.IN_WINDOWS),
)
NAMES = ("severity", "kind", "account_id", "stakeholder_id", "owner", "q")
OPENED = "They open automatically when a score drops, somebody falls silent or asks for a call."
IN_LANE = 12
WEEK = timedelta(days=7)


@page("/follow-ups", "Follow-ups")
async def follow_ups(visit: Visit) -> None:
    """Draw the page; the view and the filter are in the address."""
    view = visit.chosen("view", VIEWS, "board")
    with box("div", "head"):
        with box():
            Text("h1", "Follow-ups")
            Text("p", LEADS.get(view, "Your own first, then what is due next"), "lead")
        choices("View", VIEWS, view, lambda name: address("/follow-ups", **{**visit.query, "view": name}))
    if view == "loop":
        _loop(visit)
    else:
        _tasks(visit, view)


def _tasks(visit: Visit, view: str) -> None:
    names = NameLookup()
    filters("/follow-ups", FIELDS, visit.query, keep=("view", "account_id", "stakeholder_id", "owner"))

    async def load(api: Api) -> Listed:
        tasks = await load_own_first(api, visit.user.email, **_question(visit, view))
        return await listed(api, names, tasks[:MOST])

    draw: Callable[[Listed], None] = partial(_draw_list, visit)
    if view == "board":
        draw = partial(_draw_board, visit)
    if visit.query.get("so") and view != "closed" and visit.user.may("act"):
        draw = partial(draw_closable, visit, draw)
    Section(visit, "", load, draw, classes="plain")


def _question(visit: Visit, view: str) -> dict[str, Any]:
    query: dict[str, Any] = visit.given(*NAMES)
    if view == "closed":
        query |= {"state": "closed", "sort": "-updated_at"}
    else:
        query["state"] = ",".join(OPEN)
    if visit.chosen("sort", ORDERS, ""):
        query["sort"] = visit.query["sort"]
    if visit.query.get("mine"):
        query["owner"] = visit.user.email
    if visit.query.get("due") == "late":
        query |= {"due_before": visit.now.replace(second=0, microsecond=0).isoformat(), "state": "open"}
        query["reason_holds"] = "true"
    if visit.query.get("so") and view != "closed":
        query["reason_holds"] = "false"
    if visit.query.get("due") == "week":
        query["due_before"] = (visit.now.replace(minute=0, second=0, microsecond=0) + WEEK).isoformat()
    return query


def _loop(visit: Visit) -> None:
    by = visit.chosen("by", GROUPS, "kind")
    window, days = visit.query.get("window"), 90
    if window in wording.WINDOWS and window != "all":
        days = int(window.removesuffix("d"))
    filters("/follow-ups", LOOP_FIELDS, {"view": "loop", "by": by, "window": f"{days}d"}, keep=("view",))

    names = NameLookup()

    def load_by(group: str | None) -> Callable[[Api], Awaitable[Loop]]:
        async def load(api: Api) -> Loop:
            since = visit.now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
            summary = await api.ask(FOLLOW_UP_SUMMARY, group_by=group, opened_since=since.isoformat())
            unowned: list[Pair] = [(account_id, None) for account_id in summary.accounts_without_owner[:MOST]]
            book = await names.of(api, unowned)
            owners = await owners_of(api, (figures.group.get("owner") for figures in summary.groups))
            return Loop(summary.groups, {pair[0]: book.account(pair) for pair in unowned}, owners)

        return load

    opened = f"Follow-ups opened in {wording.WINDOWS[f'{days}d']}"

    def draw_by(loop: Loop) -> None:
        draw_groups(by, loop.groups, loop.owners)

    whole = load_by(None)
    Section(visit, "The closed loop", whole, lambda loop: draw_figures(loop.groups[0]), lead=opened)
    Section(visit, f"By {GROUPS[by].lower()}", load_by(by), draw_by, lead=opened)
    Section(visit, "Accounts without an owner", whole, _draw_unowned)


@dataclass(frozen=True)
class Loop:
    """Figures of the closed loop by group, the accounts (id → name) without an owner, and the names of owners by their
    e-mail addresses."""

    groups: list[LoopGroup]
    unowned: Mapping[str, str]
    owners: Mapping[str, str]


def _draw_unowned(found: Loop) -> None:
    if not found.unowned:
        empty("No account is without an owner.")
        return
    Text("p", "Their follow-ups go to the default owner.", "muted")
    with box("ul"):
        for account_id, name in found.unowned.items():
            with box("li"):
                link(name, address("/follow-ups", view="list", account_id=account_id))


def _draw_board(visit: Visit, found: Listed) -> None:
    if not found.follow_ups:
        _nothing(visit)
        return
    with box("div", "board", tabindex="0", role="region", aria_label="Board of follow-ups"):
        for state in OPEN:
            lane = [follow_up for follow_up in found.follow_ups if follow_up.state == state]
            with box("section", "lane", aria_label=wording.STATE_NAMES[state]):
                Text("h2", f"{wording.STATE_NAMES[state]} ({len(lane)})")
                if not lane:
                    Text("p", "None", "muted")
                for follow_up in lane[:IN_LANE]:
                    _card(visit, follow_up, found.about(follow_up))
                if len(lane) > IN_LANE:
                    target = address("/follow-ups", **{**visit.query, "view": "list"})
                    link(f"{len(lane) - IN_LANE} more in the list", target)


def _card(visit: Visit, follow_up: FollowUp, about: str) -> None:
    late = follow_up.state == "open" and follow_up.reason_holds and follow_up.due_at < visit.now
    classes, due = "task", "due "
    if late:
        classes, due = "task late", "overdue, was due "
    with box("article", classes):
        with box("div"):
            severity_chip(follow_up.severity)
            if follow_up.owner.email == visit.user.email:
                Text("span", "mine", "chip")
            if not follow_up.reason_holds:
                Text("span", "no longer applies", "chip")
        with box("h3"):
            link(told.kind(follow_up.kind), f"/follow-ups/{follow_up.follow_up_id}")
        Text("span", about)
        Text("span", next(iter(follow_up.reasons), ""), "muted")
        with box("span", "muted"):
            Text("span", due)
            when(follow_up.due_at, "ago")
            Text("span", f" · {owner_of(follow_up)}")


def _draw_list(visit: Visit, found: Listed) -> None:
    if not found.follow_ups:
        _nothing(visit)
        return
    rows = [_row(follow_up, found.about(follow_up)) for follow_up in found.follow_ups]
    with box("div", "card"):
        heads = ("Follow-up", "About", "Severity", "State", "Owner", "Due, or closed")
        table(heads, rows, "Follow-ups")
    if len(rows) == MOST:
        Text("p", f"These are the first {MOST}: filter to see fewer.", "muted")


def _row(follow_up: FollowUp, about: str) -> list[Cell]:
    return [
        partial(link, told.kind(follow_up.kind), f"/follow-ups/{follow_up.follow_up_id}"),
        partial(Text, "span", about),
        partial(severity_chip, follow_up.severity),
        _state(follow_up),
        owner_of(follow_up),
        partial(_time, follow_up),
    ]


def _state(follow_up: FollowUp) -> str:
    said = wording.STATE_NAMES[follow_up.state]
    if follow_up.outcome:
        return f"{said}: {told.outcome(follow_up.outcome)}"
    if follow_up.reason_holds:
        return said
    return f"{said}, no longer applies"


def _time(follow_up: FollowUp) -> None:
    with box("span"):
        if follow_up.closed_at:
            Text("span", "closed ", "muted")
            when(follow_up.closed_at, "time")
        else:
            Text("span", "due ", "muted")
            when(follow_up.due_at, "time")


def _nothing(visit: Visit) -> None:
    text = "There is no follow-up here yet."
    if visit.given(*(name for name, _, _ in FIELDS), *NAMES):
        text = "No follow-ups match these filters."
    with box("div", "card"):
        empty(text, OPENED)
