"""What is at stake: revenue by class and by renewal; and what drives the score."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, address, class_chip, empty, figure_of, link, money, table
from services.dashboard.web.score_view import steps
from shared.http.client import Api

Json = dict[str, Any]
RISKY = ("at_risk", "divided", "silent")
QUARTERS = 6


class Business:
    """What the sections load and draw."""

    def __init__(self, window: str) -> None:
        self._window = window

    async def load_revenue(self, api: Api) -> Json:
        return await api.get("scorer", "/v1/portfolio/revenue")

    def draw_revenue(self, found: Json) -> None:
        if not found["currency"]:
            empty("No account has a revenue yet.", "It comes with the directory.")
            return
        currency = found["currency"]
        with figure_of("A year, at accounts at risk", address("/accounts", class_="at_risk")):
            money(found["revenue_at_risk"], currency)
        Text(
            "p",
            f"{_share(found['revenue_at_risk'], found['revenue'])} of all, by the class of their last year",
            "muted",
        )
        rows: list[list[Cell]] = [
            [
                partial(class_chip, one["class"]),
                partial(_accounts, one),
                partial(money, one["revenue"], currency),
            ]
            for one in sorted(found["by_class"], key=lambda one: (one["class"] not in RISKY, -one["revenue"]))
            if one["account_count"]
        ]
        table(("Class", "Accounts", "Revenue a year"), rows, "Revenue by class")
        Text("h3", "At risk, by quarter of renewal")
        quarters = [one for one in found["by_renewal_quarter"] if one["quarter"]][:QUARTERS]
        most = max((one["revenue"] for one in quarters), default=0)
        steps(
            [
                (
                    one["quarter"].replace("-", " "),
                    one["revenue_at_risk"],
                    _share(one["revenue_at_risk"], one["revenue"]),
                )
                for one in quarters
            ],
            most,
        )
        Text("p", "Shares are of the revenue that renews in the quarter.", "muted")
        if found["left_out_count"]:
            left = wording.count(found["left_out_count"], "account")
            Text("p", f"{left} without revenue in {currency}: left out.", "muted")

    async def load_drivers(self, api: Api) -> Json:
        found = await api.get("scorer", "/v1/drivers", window=self._window)
        return dict(found["groups"][0])

    def draw_drivers(self, found: Json) -> None:
        if not found["drivers"]:
            empty("No attribute has been rated by 20 people in this window.", "Add rating questions to the survey.")
        else:
            rows = [_driver_row(one) for one in found["drivers"]]
            heads = ("Attribute", "Goes with NPS", "Mean", "Low", "▲ ● ▼", "Voices")
            table(heads, rows, "What drives the score, the strongest first")
            Text(
                "p",
                "Goes with NPS: rank correlation, from −1 to 1. ▲ ● ▼: means among promoters, passives and detractors.",
                "muted",
            )
        if found["left_out"]:
            names = ", ".join(f"{wording.plain(one['attribute'])} ({one['n']})" for one in found["left_out"])
            Text("p", f"Rated by fewer than 20 people: {names}", "muted")


def _accounts(one: Json) -> None:
    link(wording.count(one["account_count"], "account"), address("/accounts", class_=one["class"]))


def _share(part: float, whole: float) -> str:
    return wording.share(part / whole) if whole else wording.NOTHING


def _driver_row(one: Json) -> list[Cell]:
    rho = one["rank_correlation"]
    means = (one["promoter_mean"], one["passive_mean"], one["detractor_mean"])
    return [
        wording.plain(one["attribute"]),
        wording.NOTHING if rho is None else wording.decimal(rho, 2, "+"),
        wording.decimal(one["mean"]),
        f"{wording.percent(one['low_percent'])} gave {one['low_up_to']} or less",
        " · ".join(wording.NOTHING if mean is None else wording.decimal(mean) for mean in means),
        wording.grouped(one["n"]),
    ]
