"""What waits to be done: who moved, what is due, how well loops are closed, who is silent before their renewal."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.domain.follow_ups import about, kind
from services.dashboard.web.bits import (
    Cell,
    Text,
    account_link,
    address,
    box,
    category_chip,
    class_chip,
    empty,
    figure,
    link,
    money,
    person_link,
    severity_chip,
    table,
    when,
)
from services.dashboard.web.follow_ups.listing import OPEN, own_first
from services.dashboard.web.follow_ups.loop import draw_figures
from services.dashboard.web.names import Names
from services.dashboard.web.section import Visit
from shared.http.client import Api

Json = dict[str, Any]
TIERS = ("premium", "key")
MOVED_DAYS, DUE_DAYS, LOOP_DAYS, RENEWAL_DAYS, SILENT_WINDOW = 30, 7, 90, 180, "90d"
SHOWN, SHOWN_SILENT, MOST_MOVES, MOST_DUE, MOST_SILENT = 8, 20, 200, 200, 40
MOVED = f"Changes of category in {MOVED_DAYS} days"
DUE = f"Open, and due within {DUE_DAYS} days"
SILENT = f"Key and premium accounts that renew within {RENEWAL_DAYS} days, and nobody there answered in 90"


class Work:
    """What the sections load and draw."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._names = Names()

    async def load_moves(self, api: Api) -> Json:
        since = self._full_hour() - timedelta(days=MOVED_DAYS)
        changes = await api.items("scorer", "/v1/changes", since=since.isoformat(), sort="-changed_at", most=MOST_MOVES)
        fell, rose = wording.falls_and_rises(changes)
        named = await self._names.add_to(api, fell[:SHOWN] + rose[:SHOWN])
        some = len(fell[:SHOWN])
        return {
            "more": len(changes) == MOST_MOVES,
            "Fell": (_people(fell), named[:some]),
            "Rose": (_people(rose), named[some:]),
        }

    def draw_moves(self, found: Json) -> None:
        targets = {"Fell": "detractor", "Rose": "promoter"}
        for title, category in targets.items():
            number, some = found[title]
            with box("h3"):
                Text("span", f"{title}: {wording.count(number, 'person', 'people')}{' or more' * found['more']}")
            if not some:
                Text("p", "Nobody.", "muted")
                continue
            table(("Who", "Account", "Change", "When"), [_move_row(one) for one in some], title)
            if number > len(some):
                words = f"All {category}s who answered in {MOVED_DAYS} days"
                link(words, address("/people", category=category, window=f"{MOVED_DAYS}d"))

    async def load_due(self, api: Api) -> Json:
        before = self._full_hour() + timedelta(days=DUE_DAYS)
        email = self._visit.user.email
        found = await own_first(api, email, MOST_DUE, state=",".join(OPEN), due_before=before.isoformat())
        late = [one for one in found if one["state"] == "open" and one["due_at"] < self._visit.now.isoformat()]
        mine = [one for one in found if one["owner"]["email"] == email]
        counts = {name: _many(len(some)) for name, some in (("due", found), ("late", late), ("mine", mine))}
        return counts | {"first": await self._names.add_to(api, found[:SHOWN])}

    def draw_due(self, found: Json) -> None:
        if not found["first"]:
            empty("Nothing is due.", "Follow-ups open by themselves when somebody turns.")
            return
        with box("div", "figures"):
            figure("Due", found["due"], href=address("/follow-ups", view="list", due="week"))
            figure("Overdue", found["late"], href=address("/follow-ups", view="list", due="late"))
            figure("Mine", found["mine"], href=address("/follow-ups", mine="yes"))
        rows = [_due_row(one) for one in found["first"]]
        table(("Follow-up", "About", "Severity", "Due"), rows, "Follow-ups due next")
        link("All follow-ups", "/follow-ups")

    async def load_loop(self, api: Api) -> Json:
        since = self._full_hour() - timedelta(days=LOOP_DAYS)
        found = await api.get("alerting", "/v1/follow-ups/summary", opened_since=since.isoformat())
        return dict(found["groups"][0])

    def draw_loop(self, found: Json) -> None:
        draw_figures(found)
        link("By kind, owner and root cause", address("/follow-ups", view="loop"))

    async def load_silent(self, api: Api) -> list[Json]:
        asked = self._silent() | {
            "window": SILENT_WINDOW,
            "sort": "renewal_on",
            "limit": MOST_SILENT,
            "most": MOST_SILENT,
        }
        both = await asyncio.gather(*(api.items("scorer", "/v1/accounts", tier=tier, **asked) for tier in TIERS))
        found = [one for some in both for one in some if not one["removed"]]
        return sorted(found, key=lambda one: str(one["renewal_on"]))[: SHOWN_SILENT + 1]

    def draw_silent(self, found: list[Json]) -> None:
        if not found:
            empty("None: every key and premium account that renews soon has been heard.")
            return
        heads = ("Account", "Class", "Renews", "Annual revenue", "Tier", "Asked", "Owner")
        table(heads, [_silent_row(one) for one in found[:SHOWN_SILENT]], "Silent accounts before their renewal")
        if len(found) > SHOWN_SILENT:
            with box("p", "figures"):
                for tier in TIERS:
                    query = self._silent() | {"tier": tier, "sort": "renewal_on"}
                    link(f"All {tier} ones", address("/accounts", **query))

    def _silent(self) -> Json:
        """The question for accounts that renew soon and where nobody answered."""
        today = self._visit.now.date()
        last = today + timedelta(days=RENEWAL_DAYS)
        return {"renews_from": today.isoformat(), "renews_to": last.isoformat(), "answered": "false"}

    def _full_hour(self) -> Any:
        """So that the same question is asked again for an hour, and the answer compares."""
        return self._visit.now.replace(minute=0, second=0, microsecond=0)


def _many(number: int) -> str:
    return wording.grouped(number) if number < MOST_DUE else f"{MOST_DUE} or more"


def _people(changes: list[Json]) -> int:
    return len({(one["account_id"], one["stakeholder_id"]) for one in changes})


def _move_row(one: Json) -> list[Cell]:
    return [
        partial(person_link, one["account_id"], one["stakeholder_id"], one["person"]),
        partial(account_link, one["account_id"], one["account"]),
        partial(_scores, one),
        partial(when, one["changed_at"], "ago"),
    ]


def _scores(one: Json) -> None:
    with box("span"):
        category_chip(one["from"], one["from_score"])
        Text("span", " → ")
        category_chip(one["to"], one["to_score"])


def _due_row(one: Json) -> list[Cell]:
    return [
        partial(link, kind(one["kind"]), f"/follow-ups/{one['follow_up_id']}"),
        partial(Text, "span", about(one)),
        partial(severity_chip, one["severity"]),
        partial(when, one["due_at"], "ago"),
    ]


def _silent_row(one: Json) -> list[Cell]:
    coverage = one["coverage"]
    return [
        partial(account_link, one["account_id"], one["name"]),
        partial(class_chip, one["class"]),
        partial(when, one["renewal_on"]),
        partial(money, **(one["annual_revenue"] or {"amount": None, "currency": None})),
        wording.plain(one["tier"]),
        f"{coverage['asked']} of {wording.count(coverage['known'], 'person', 'people')}",
        (one["owner"] or {}).get("name") or wording.NOTHING,
    ]
