"""Revenue by class and by renewal, and the drivers of the score."""

from collections.abc import Sequence
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.dot_plots import quadrants
from services.dashboard.web.elements import Cell, Text, address, class_chip, empty, figure_of, link, money, table
from services.dashboard.web.score_view import steps
from shared.api.business import ClassRevenue, Driver, DriverGroup, PortfolioRevenue
from shared.api.questions import DRIVERS, PORTFOLIO_REVENUE
from shared.http.client import Api

RISKY = ("at_risk", "divided", "silent")
QUARTERS = 6


class BusinessSections:
    """The data and drawing of the sections about revenue and drivers."""

    def __init__(self, window: str) -> None:
        self._window = window

    async def load_revenue(self, api: Api) -> PortfolioRevenue:
        return await api.ask(PORTFOLIO_REVENUE)

    def draw_revenue(self, revenue: PortfolioRevenue) -> None:
        currency = revenue.currency
        if not currency:
            empty("No account has an annual revenue yet.", "Write it at each account, or bring a file of accounts.")
            return
        with figure_of("A year, at accounts at risk", address("/accounts", class_="at_risk")):
            money(revenue.revenue_at_risk, currency)
        share = _share(revenue.revenue_at_risk, revenue.revenue)
        Text("p", f"{share} of all, by the class of their last year", "muted")
        classes = sorted(revenue.by_class, key=lambda part: (part.class_ not in RISKY, -part.revenue))
        rows: list[list[Cell]] = []
        for part in classes:
            if part.account_count:
                revenue_cell = partial(money, part.revenue, currency)
                rows.append([partial(class_chip, part.class_), partial(_accounts, part), revenue_cell])
        table(("Class", "Accounts", "Revenue a year"), rows, "Revenue by class")
        Text("h3", "At risk, by quarter of renewal")
        _draw_quarters(revenue)
        Text("p", "Shares are of the revenue that renews in the quarter.", "muted")
        if revenue.left_out_count:
            left = wording.count(revenue.left_out_count, "account")
            Text("p", f"{left} without revenue in {currency}: left out.", "muted")

    async def load_drivers(self, api: Api) -> DriverGroup:
        found = await api.ask(DRIVERS, window=self._window)
        return found.groups[0]

    def draw_drivers(self, group: DriverGroup) -> None:
        if not group.drivers:
            empty("No attribute was rated by 20 respondents in this window.", "Add rating questions to the survey.")
        else:
            _draw_quadrants(group.drivers)
            Text(
                "p",
                "Correlation with NPS: from −1 to 1. ▲ ● ▼: mean ratings of promoters, passives and detractors.",
                "muted",
            )
        if group.left_out:
            names = ", ".join(f"{wording.plain(few.attribute)} ({few.n})" for few in group.left_out)
            Text("p", f"Rated by fewer than 20 respondents: {names}", "muted")


def _draw_quadrants(drivers: Sequence[Driver]) -> None:
    """Importance against performance, the table behind it."""
    heads = ("Attribute", "Correlation with NPS", "Mean", "Low", "▲ ● ▼", "Respondents")
    rows = [_driver_row(driver) for driver in drivers]
    draw = partial(table, heads, rows, "What drives the score, the strongest first")
    points = []
    for driver in drivers:
        if driver.rank_correlation is not None:
            points.append((wording.plain(driver.attribute), 100 - driver.low_percent, driver.rank_correlation))
    if not points:
        draw()
        return
    said = ", ".join(f"{name} {wording.percent(x)} and {wording.decimal(y, 2, '+')}" for name, x, y in points)
    axes = ("Performance: share not rated low", "Importance: correlation with NPS")
    quadrants(f"Performance and importance of each attribute: {said}", points, axes, draw)


def _draw_quarters(revenue: PortfolioRevenue) -> None:
    quarters = [quarter for quarter in revenue.by_renewal_quarter if quarter.quarter][:QUARTERS]
    rows = []
    for quarter in quarters:
        name, share = (quarter.quarter or "").replace("-", " "), 0.0
        if quarter.revenue:
            share = quarter.revenue_at_risk / quarter.revenue
        rows.append((name, share, _share(quarter.revenue_at_risk, quarter.revenue)))
    steps(rows, 1)


def _accounts(part: ClassRevenue) -> None:
    link(wording.count(part.account_count, "account"), address("/accounts", class_=part.class_))


def _share(part: float, whole: float) -> str:
    if whole:
        return wording.share(part / whole)
    return wording.NOTHING


def _driver_row(driver: Driver) -> list[Cell]:
    means = (driver.promoter_mean, driver.passive_mean, driver.detractor_mean)
    return [
        wording.plain(driver.attribute),
        wording.if_known(driver.rank_correlation, lambda rho: wording.decimal(rho, 2, "+")),
        wording.decimal(driver.mean),
        f"{wording.percent(driver.low_percent)} gave {driver.low_up_to} or less",
        " · ".join(wording.if_known(mean, wording.decimal) for mean in means),
        wording.grouped(driver.n),
    ]
