"""Who is listened to: coverage, the way from the invitation to the answer, and the gaps."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, account_link, address, box, empty, link, money, table, when
from services.dashboard.web.score_view import funnel, steps
from shared.api.portfolio import GroupFigures
from shared.http.client import Api

Json = dict[str, Any]
GAPS = {
    "without_decision_maker": "Without a decision-maker",
    "single_threaded": "Known by a single person",
    "never_asked_in_12_months": "Never asked in 12 months",
}
NAMED = 20


class Reach:
    """What the sections load and draw."""

    def __init__(self, window: str) -> None:
        self._window = window

    def draw_coverage(self, found: Mapping[str, GroupFigures]) -> None:
        coverage = found["latest"].coverage.model_dump()
        parts = {"People": coverage, "Accounts": coverage["accounts"], "Revenue": coverage["revenue"]}
        for name, part in parts.items():
            known, asked, answered = (float(part[key] or 0) for key in ("known", "asked", "answered"))
            Text("h3", name)
            if not known:
                Text("p", "None is known.", "muted")
                continue
            currency = part.get("currency")
            rows = {"Asked": asked, "Answered": answered}
            labels = {name: name if currency else f"{name} {wording.grouped(int(size))}" for name, size in rows.items()}
            steps([(labels[name], size, wording.share(size / known)) for name, size in rows.items()], known)
            with box("p", "muted"):
                Text("span", "of ")
                if currency:
                    money(known, currency)
                else:
                    Text("span", wording.grouped(int(known)))
                Text("span", " known")
        link("Where nobody listens, and what drives the score", address("/reach", window=self._window))

    async def load_funnel(self, api: Api) -> Json:
        found = await api.get("scorer", "/v1/portfolio/funnel", window=self._window)
        return dict(found["groups"][0])

    def draw_funnel(self, found: Json) -> None:
        funnel(found)
        if found["sent_count"]:
            link("Who is silent", address("/people", silent="true"))

    async def load_owners(self, api: Api) -> list[Json]:
        found = await api.get("scorer", "/v1/portfolio/funnel", window=self._window, group_by="owner")
        return list(found["groups"])

    def draw_owners(self, found: list[Json]) -> None:
        if not found:
            empty("Nobody was asked in this window.")
            return
        heads = ("Owner", "Sent", "Bounced", "Opened", "Answered", "Response rate")
        rows: list[list[Cell]] = [
            [
                partial(_owner, one["group"]["owner"]),
                wording.grouped(one["sent_count"]),
                wording.share(one["bounce_rate"]),
                wording.share(one["open_rate"]),
                wording.grouped(one["answered_count"]),
                wording.share(one["response_rate"]),
            ]
            for one in sorted(found, key=lambda one: one["response_rate"] or 0)
        ]
        table(heads, rows, "From invitation to answer, by owner")
        Text("p", "50 to 60 % is what account managers aim at; ordinary B2B mail surveys get 12 to 15 %.", "muted")

    async def load_gaps(self, api: Api) -> Json:
        return await api.get("scorer", "/v1/portfolio/coverage", window=self._window)

    def draw_gaps(self, found: Json) -> None:
        for name, title in GAPS.items():
            gap = found[name]
            Text("h3", f"{title}: {wording.count(gap['account_count'], 'account')}")
            if gap["account_count"]:
                with box("details"):
                    Text("summary", "Which")
                    _gap_table(title, gap["accounts"][:NAMED])
                    if gap["account_count"] > NAMED:
                        Text("p", f"and {gap['account_count'] - NAMED} more", "muted")
        _friendly(found["selection"], found["warnings"])
        if not any(found[name]["account_count"] for name in GAPS):
            empty("Every account has a decision-maker and more than one contact, and was asked.")


def _owner(email: str | None) -> None:
    if email:
        link(email, address("/accounts", owner=email))
    else:
        Text("span", "nobody")


def _gap_table(title: str, accounts: list[Json]) -> None:
    rows: list[list[Cell]] = [
        [
            partial(account_link, one["account_id"], one["name"]),
            wording.count(one["known"], "person", "people"),
            one["owner"] or "nobody",
            partial(when, one["last_asked_at"]),
        ]
        for one in accounts
    ]
    table(("Account", "Known", "Owner", "Last asked"), rows, title)


def _friendly(selection: Json, warnings: list[str]) -> None:
    """Whether those asked were the friendly ones."""
    if selection["difference"] is None:
        return
    asked, left = selection["asked"], selection["left_out"]
    Text("h3", "Were the friendly ones asked?")
    sentence = (
        f"Before, those asked in this window stood at {wording.points(asked['nps'])}"
        f" ({wording.count(asked['stakeholder_count'], 'person', 'people')}), those left out at"
        f" {wording.points(left['nps'])} ({wording.count(left['stakeholder_count'], 'person', 'people')})"
    )
    chance = "beyond chance" if selection["significant"] else "within chance"
    Text("p", f"{sentence}: {wording.points(selection['difference'])}, {chance}.")
    if "asked_scored_higher" in warnings:
        Text(
            "p", "Keep in mind: those asked had scored higher, so the score may flatter. Ask everybody.", "notice warn"
        )
