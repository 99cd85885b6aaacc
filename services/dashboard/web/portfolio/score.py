"""The score of the portfolio: by four methods, over time, and by group."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web import charts
from services.dashboard.web.elements import Cell, Text, address, box, empty, figure, link, shares, table
from services.dashboard.web.names import owners_of
from services.dashboard.web.score_view import headline
from shared.api.portfolio import GroupFigures, PortfolioTrend
from shared.api.questions import PORTFOLIO_SCORE, PORTFOLIO_TREND
from shared.http.client import Api
from shared.industries import NAMES as INDUSTRIES

METHOD_PAGES = {"all": "", "mean_of_accounts": "/accounts", "revenue_weighted": "/accounts"}
METHODS = "latest,all,mean_of_accounts,revenue_weighted"
GROUPS = {
    "owner": "By owner",
    "tier": "By tier",
    "industry": "By industry",
    "region": "By region",
    "class": "By class",
    "stakeholder_type": "By role",
    "touchpoint": "By touchpoint",
}
NAMES: dict[str, dict[str, str]] = {
    "industry": dict(INDUSTRIES),
    "class": wording.CLASS_NAMES,
    "stakeholder_type": wording.TYPE_NAMES,
}
NO_VALUE = {"owner": "No owner", "touchpoint": "Relationship survey", "stakeholder_type": "Role unknown"}
OF_PEOPLE = ("stakeholder_type",)


@dataclass(frozen=True)
class Grouped:
    """Figures by group, and what groups are called."""

    groups: list[GroupFigures]
    names: Mapping[str, str]


class ScoreSections:
    """The data and drawing of the sections about the score."""

    def __init__(self, window: str, by: str) -> None:
        self._window, self._by = window, by

    async def load(self, api: Api) -> dict[str, GroupFigures]:
        found = await api.ask(PORTFOLIO_SCORE, window=self._window, method=METHODS)
        return {group.method: group for group in found.groups}

    async def load_trend(self, api: Api) -> PortfolioTrend:
        return await api.ask(PORTFOLIO_TREND, interval="month", points=13, window=self._window)

    async def load_groups(self, api: Api) -> Grouped:
        found = await api.ask(PORTFOLIO_SCORE, window=self._window, group_by=self._by)
        names: Mapping[str, str] = NAMES.get(self._by, {})
        if self._by == "owner":
            names = await owners_of(api, (group.group["owner"] for group in found.groups))
        return Grouped(found.groups, names)

    def draw(self, found: dict[str, GroupFigures]) -> None:
        if not found["latest"].response_count:
            empty("Nobody has answered in this window.", "New answers appear here at once.")
            return
        headline(found["latest"], {"window": self._window})
        Text("h3", "The same, counted in other ways")
        with box("div", "figures"):
            for method, figures in found.items():
                if method != "latest":
                    href = METHOD_PAGES[method]
                    figure(wording.METHOD_NAMES[method], wording.points(figures.nps), note=_note(figures), href=href)

    def draw_distribution(self, figures: dict[str, GroupFigures]) -> None:
        if not figures["latest"].response_count:
            empty("Nobody has answered in this window.")
            return
        charts.distribution(figures["latest"].distribution, "Answers by score")
        link("What they answered and wrote", address("/answers", survey_type="nps", window=self._window))

    def draw_groups(self, found: Grouped) -> None:
        if not found.groups:
            empty("Nobody has answered in this window.")
            return
        order = sorted(found.groups, key=lambda group: (group.nps is None, group.nps))
        name = GROUPS[self._by].removeprefix("By ").capitalize()
        heads = (name, "NPS", wording.INTERVAL, "Change", "Respondents", "")
        rows = [self._row(group, found.names) for group in order]
        table(heads, rows, f"NPS {GROUPS[self._by].lower()}, the lowest first")

    def _draw_name(self, value: str | None, names: Mapping[str, str]) -> None:
        target = ""
        if value:
            target = self._target(value)
        if target:
            link(self._name(value, names), target)
        else:
            Text("span", self._name(value, names))

    def _name(self, value: str | None, names: Mapping[str, str]) -> str:
        if value is None:
            return NO_VALUE.get(self._by, wording.NOTHING)
        if value in names:
            return names[value]
        if self._by in ("owner", "region"):
            return value or wording.NOTHING
        return wording.plain(value)

    def _row(self, group: GroupFigures, names: Mapping[str, str]) -> list[Cell]:
        return [
            partial(self._draw_name, group.group[self._by], names),
            wording.points(group.nps),
            wording.between(group.ci_low, group.ci_high),
            wording.points(group.change),
            wording.grouped(group.stakeholder_count),
            partial(shares, group),
        ]

    def _target(self, value: str) -> str:
        if self._by in OF_PEOPLE:
            return address("/people", type=value, window=self._window)
        if self._by == "touchpoint":
            return address("/answers", touchpoint=value, survey_type="nps", window=self._window)
        return address("/accounts", **{self._by: value})


def _note(figures: GroupFigures) -> str:
    """A remark on the figures of a method."""
    parts = [wording.interval(figures.ci_low, figures.ci_high)]
    if figures.method == "all":
        parts.append(wording.count(figures.response_count, "answer"))
    if figures.method == "mean_of_accounts":
        parts.append(f"each of {wording.count(figures.account_count, 'account')} counts the same")
    if figures.method == "revenue_weighted":
        if figures.currency:
            parts.append(f"in {figures.currency}")
        else:
            parts.append("no revenue is known")
        if figures.left_out_count:
            parts.append(f"{wording.count(figures.left_out_count, 'account')} left out: no revenue in it")
    return " · ".join(part for part in parts if part)
