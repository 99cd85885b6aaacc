"""The first page: how the portfolio stands, who moved, and what waits to be done."""

import asyncio
from datetime import timedelta
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api
from services.dashboard.web import charts
from services.dashboard.web.bits import (
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
from services.dashboard.web.figures import funnel, headline, steps
from services.dashboard.web.frame import page
from services.dashboard.web.names import Names, named_changes
from services.dashboard.web.section import Section, Visit

Json = dict[str, Any]
METHODS = "latest,all,mean_of_accounts,revenue_weighted"
OPEN = "open,acknowledged,in_progress,snoozed"
MOVED_DAYS, DUE_DAYS, RENEWAL_DAYS = 30, 7, 180
SHOWN = 8
MOVED = f"Changes of category in {MOVED_DAYS} days"
DUE = f"Open, and due within {DUE_DAYS} days"


@page("/", "Portfolio")
async def portfolio(visit: Visit) -> None:
    """Draw the page; the window is in the address."""
    window = visit.query.get("window", "90d")
    window = window if window in wording.WINDOWS else "90d"
    parts = _Parts(visit, window)
    with box("div", "head"):
        with box():
            Text("h1", "Portfolio")
            Text(
                "p", f"Everybody who answered in {wording.WINDOWS[window]}, by the latest answer of each person", "lead"
            )
        with box("nav", "buttons", aria_label="Window"):
            for name, words in wording.WINDOWS.items():
                current = {"aria_current": "true"} if name == window else {}
                Text(
                    "a",
                    words.capitalize(),
                    "button" + (" main" if name == window else ""),
                    href=f"/?window={name}",
                    **current,
                )
    with box("div", "columns"):
        with box("div", "stack"):
            Section(visit, "Score", parts.load_score, parts.draw_score)
            Section(visit, "Who moved", parts.load_moves, parts.draw_moves, lead=MOVED)
        with box("div", "stack"):
            Section(visit, "Trend", parts.load_trend, lambda found: charts.trend(found["points"], name="Portfolio"))
            Section(visit, "Follow-ups due", parts.load_due, parts.draw_due, lead=DUE)
            Section(visit, "The score, counted four ways", parts.load_score, parts.draw_methods)
            Section(visit, "Distribution", parts.load_score, parts.draw_distribution)
    with box("div", "grid"):
        Section(visit, "Revenue at risk", parts.load_risk, parts.draw_risk, classes="third")
        Section(visit, "Coverage", parts.load_score, parts.draw_coverage, classes="third")
        Section(
            visit, "From invitation to answer", parts.load_score, lambda found: funnel(found["latest"]), classes="third"
        )
        Section(
            visit, "Silent before their renewal", parts.load_silent, parts.draw_silent, classes="wide",
            lead=f"Key and premium accounts that say nothing and renew within {RENEWAL_DAYS} days",
        )  # fmt: skip


class _Parts:
    """What the sections load and draw."""

    def __init__(self, visit: Visit, window: str) -> None:
        self._visit, self._window = visit, window
        self._names = Names()

    async def load_score(self, api: Api) -> dict[str, Json]:
        found = await api.get("scorer", "/v1/portfolio/score", window=self._window, method=METHODS)
        return {group["method"]: group for group in found["groups"]}

    def draw_score(self, found: dict[str, Json]) -> None:
        if not found["latest"]["response_count"]:
            empty("Nobody has answered in this window.", "As soon as an answer comes, it is here.")
            return
        headline(found["latest"], {"window": self._window})

    def draw_methods(self, found: dict[str, Json]) -> None:
        rows = []
        for method, figures in found.items():
            left_out = figures.get("left_out_count")
            note = (
                f"{wording.count(left_out, 'account')} without revenue left out"
                if left_out
                else wording.interval(figures)
            )
            rows.append([wording.METHOD_NAMES[method], wording.points(figures["nps"]), note or wording.NOTHING])
        table(("How it is counted", "NPS", "Note"), rows, "The NPS of the portfolio by four methods")

    def draw_distribution(self, found: dict[str, Json]) -> None:
        charts.distribution(found["latest"]["distribution"], "Answers by score")

    def draw_coverage(self, found: dict[str, Json]) -> None:
        coverage = found["latest"]["coverage"]
        for name, part in (("People", coverage), ("Accounts", coverage["accounts"]), ("Revenue", coverage["revenue"])):
            known, asked, answered = part["known"] or 0, part["asked"] or 0, part["answered"] or 0
            Text("h3", name)
            if not known:
                Text("p", "None is known.", "muted")
                continue
            rows = [
                ("Asked", asked, wording.share(asked / known)),
                ("Answered", answered, wording.share(answered / known)),
            ]
            steps([(label, float(size), text) for label, size, text in rows], float(known))
        link("Accounts that were never asked", address("/accounts", class_="unknown"))

    async def load_trend(self, api: Api) -> Json:
        return await api.get("scorer", "/v1/portfolio/trend", interval="month", points=13, window=self._window)

    async def load_moves(self, api: Api) -> list[Json]:
        since = self._visit.now.replace(minute=0, second=0, microsecond=0) - timedelta(days=MOVED_DAYS)
        changes = await api.items("scorer", "/v1/changes", since=since.isoformat(), sort="-changed_at", most=200)
        return await named_changes(api, self._names, changes)

    def draw_moves(self, found: list[Json]) -> None:
        moved = [one for one in found if "_to_" in one["kind"]]
        falls = [one for one in moved if wording.is_fall(one["kind"])]
        rises = [one for one in moved if not wording.is_fall(one["kind"])]
        if not moved:
            empty("Nobody changed category.")
            return
        for title, some in (("Fell", falls), ("Rose", rises)):
            Text("h3", f"{title}: {wording.count(len(some), 'person', 'people')}")
            table(("Who", "Account", "Change", "When"), [_move_row(one) for one in some[:SHOWN]], title)
        if len(moved) > 2 * SHOWN:
            link("All detractors", address("/people", category="detractor"))

    async def load_due(self, api: Api) -> list[Json]:
        before = self._visit.now.replace(minute=0, second=0, microsecond=0) + timedelta(days=DUE_DAYS)
        found = await api.items("alerting", "/v1/follow-ups", state=OPEN, due_before=before.isoformat(), most=200)
        return await self._names.add_to(api, found)

    def draw_due(self, found: list[Json]) -> None:
        if not found:
            empty("Nothing is due.", "Follow-ups open by themselves when somebody turns.")
            return
        now = self._visit.now.isoformat()
        late = sum(one["due_at"] < now and one["state"] == "open" for one in found)
        with box("div", "figures"):
            figure("Due", str(len(found)), href="/follow-ups")
            figure("Overdue", str(late), href=address("/follow-ups", due="late"))
        table(
            ("Follow-up", "About", "Severity", "Due"), [_due_row(one) for one in found[:SHOWN]], "Follow-ups due next"
        )
        link("All follow-ups", "/follow-ups")

    async def load_risk(self, api: Api) -> dict[str, list[Json]]:
        classes = ("at_risk", "divided", "silent")
        found = await asyncio.gather(*(api.items("scorer", "/v1/accounts", class_=name, most=2000) for name in classes))
        return {
            name: [one["annual_revenue"] for one in some if one["annual_revenue"]]
            for name, some in zip(classes, found, strict=True)
        }

    def draw_risk(self, found: dict[str, list[Json]]) -> None:
        for name, revenues in found.items():
            sums: dict[str, float] = {}
            for one in revenues:
                sums[one["currency"]] = sums.get(one["currency"], 0) + one["amount"]
            with box("p"):
                class_chip(name)
                Text("span", " ")
                link(wording.count(len(revenues), "account"), address("/accounts", class_=name))
                for currency, amount in sums.items():
                    Text("span", ", ")
                    money(amount, currency)
        Text("p", "Annual revenue of the accounts in these classes, by their last year", "muted")

    async def load_silent(self, api: Api) -> list[Json]:
        today = self._visit.now.date()
        last = (today + timedelta(days=RENEWAL_DAYS)).isoformat()
        found: list[Json] = []
        for tier in ("premium", "key"):
            found += await api.items("scorer", "/v1/accounts", class_="silent", tier=tier, sort="renewal_on")
        return [one for one in found if one["renewal_on"] and today.isoformat() <= one["renewal_on"] <= last]

    def draw_silent(self, found: list[Json]) -> None:
        if not found:
            empty("None: every key and premium account that renews soon has been heard.")
            return
        rows = [
            [
                lambda one=one: account_link(one["account_id"], one["name"]),
                wording.plain(one["tier"]),
                lambda one=one: when(one["renewal_on"]),
                lambda one=one: money(**(one["annual_revenue"] or {"amount": None, "currency": None})),
                (one["owner"] or {}).get("name") or wording.NOTHING,
            ]
            for one in found
        ]
        table(("Account", "Tier", "Renews", "Annual revenue", "Owner"), rows, "Silent accounts before their renewal")


def _move_row(one: Json) -> list[Any]:
    return [
        lambda: person_link(one["account_id"], one["stakeholder_id"], one["person"]),
        lambda: account_link(one["account_id"], one["account"]),
        lambda: _scores(one),
        lambda: when(one["changed_at"], "ago"),
    ]


def _scores(one: Json) -> None:
    with box("span"):
        category_chip(one["from"], one["from_score"])
        Text("span", " → ")
        category_chip(one["to"], one["to_score"])


def _due_row(one: Json) -> list[Any]:
    about = one["person"] or one["account"]
    return [
        lambda: link(wording.plain(one["kind"]), f"/follow-ups/{one['follow_up_id']}"),
        f"{about}, {one['account']}" if one["person"] else one["account"],
        lambda: severity_chip(one["severity"]),
        lambda: when(one["due_at"], "ago"),
    ]
