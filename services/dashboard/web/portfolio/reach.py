"""Coverage, the invitation funnel, and the gaps."""

from collections.abc import Mapping
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, account_link, address, box, empty, link, money, table, when
from services.dashboard.web.names import owners_of
from services.dashboard.web.portfolio.targets import set_target, standing, targets_of
from services.dashboard.web.score_view import funnel, steps
from services.dashboard.web.section import Visit
from shared.api.benchmark_funnel import Funnel
from shared.api.figures import Coverage, Extent, RevenueExtent
from shared.api.portfolio import GroupFigures
from shared.api.questions import FUNNEL, PORTFOLIO_FUNNEL, PORTFOLIO_GAPS
from shared.api.reach import FunnelGroup, Gap, GapAccount, PortfolioGaps, Selection
from shared.http.client import Api

NAMED = 20
Funnels = tuple[list[FunnelGroup], Mapping[str, str], Mapping[str, float]]
"""Figures by owner, the owners' names by their e-mail addresses, and their targets."""
Gaps = tuple[PortfolioGaps, Mapping[str, str]]
"""What accounts lack, and the names of their owners by e-mail address."""


class ReachSections:
    """The data and drawing of the sections about reach."""

    def __init__(self, visit: Visit, window: str) -> None:
        self._visit, self._window = visit, window

    def draw_coverage(self, figures: Mapping[str, GroupFigures]) -> None:
        coverage = figures["latest"].coverage
        _draw_part("People", coverage)
        _draw_part("Accounts", coverage.accounts)
        _draw_part("Revenue", coverage.revenue, coverage.revenue.currency)
        link("Coverage gaps and drivers of the score", address("/reach", window=self._window))

    async def load_funnel(self, api: Api) -> FunnelGroup:
        found = await api.ask(PORTFOLIO_FUNNEL, window=self._window)
        return found.groups[0]

    def draw_funnel(self, group: FunnelGroup) -> None:
        funnel(group)
        if group.sent_count:
            link("Who is silent", address("/people", silent="true"))

    async def load_yardsticks(self, api: Api) -> Funnel:
        return await api.ask(FUNNEL, window=self._window)

    async def load_owners(self, api: Api) -> Funnels:
        found = await api.ask(PORTFOLIO_FUNNEL, window=self._window, group_by="owner")
        names = await owners_of(api, (group.group["owner"] for group in found.groups))
        return found.groups, names, await targets_of(api)

    def draw_owners(self, found: Funnels) -> None:
        groups, names, targets = found
        if not groups:
            empty("Nobody was asked in this window.")
            return
        heads = ("Owner", "Sent", "Bounced", "Opened", "Answered", "Response rate", "Target", "")
        rows: list[list[Cell]] = [
            [
                partial(_owner, group.group["owner"], names),
                wording.grouped(group.sent_count),
                wording.share(group.bounce_rate),
                wording.share(group.open_rate),
                wording.grouped(group.answered_count),
                wording.share(group.response_rate),
                standing(group.response_rate, targets.get(group.group["owner"] or "")),
                partial(set_target, self._visit, group.group["owner"], targets),
            ]
            for group in sorted(groups, key=lambda group: group.response_rate or 0)
        ]
        table(heads, rows, "From invitation to answer, by owner")
        Text("p", "50 to 60 % is what account managers aim at; ordinary B2B mail surveys get 12 to 15 %.", "muted")

    async def load_gaps(self, api: Api) -> Gaps:
        found = await api.ask(PORTFOLIO_GAPS, window=self._window)
        owners = [account.owner for gap in gaps_of(found).values() for account in gap.accounts[:NAMED]]
        return found, await owners_of(api, owners)

    def draw_gaps(self, found: Gaps) -> None:
        portfolio, names = found
        gaps = gaps_of(portfolio)
        for title, gap in gaps.items():
            if not gap.account_count:
                continue
            Text("h3", f"{title}: {wording.count(gap.account_count, 'account')}")
            with box("details"):
                Text("summary", "Which")
                _gap_table(title, gap.accounts[:NAMED], names)
                if gap.account_count > NAMED:
                    Text("p", f"and {wording.grouped(gap.account_count - NAMED)} more", "muted")
        _friendly(portfolio.selection, portfolio.warnings)
        if not any(gap.account_count for gap in gaps.values()):
            empty("No account lacks a decision-maker, hangs on one contact or was never asked.")


def gaps_of(portfolio: PortfolioGaps) -> dict[str, Gap]:
    """What accounts lack, in words, and which they are."""
    return {
        "Without a decision-maker": portfolio.without_decision_maker,
        "Known by a single person": portfolio.single_threaded,
        "Never asked in 12 months": portfolio.never_asked_in_12_months,
    }


def _draw_part(name: str, part: Coverage | Extent | RevenueExtent, currency: str | None = None) -> None:
    """Draw how much of a known total was asked and answered; revenue has a currency, the others are counts."""
    known, asked, answered = (float(size or 0) for size in (part.known, part.asked, part.answered))
    Text("h3", name)
    if not known:
        Text("p", "None is known.", "muted")
        return
    rows = {"Asked": asked, "Answered": answered}
    bars = []
    for step, size in rows.items():
        label = f"{step} {wording.grouped(int(size))}"
        if currency:
            label = step
        bars.append((label, size, wording.share(size / known)))
    steps(bars, known)
    with box("p", "muted"):
        Text("span", "of ")
        if currency:
            money(known, currency)
        else:
            Text("span", wording.grouped(int(known)))
        Text("span", " known")


def _owner(email: str | None, names: Mapping[str, str]) -> None:
    if email:
        link(names.get(email, email), address("/accounts", owner=email))
    else:
        Text("span", "nobody")


def _gap_table(title: str, accounts: list[GapAccount], names: Mapping[str, str]) -> None:
    rows: list[list[Cell]] = []
    for account in accounts:
        owner = account.owner or "nobody"
        rows.append(
            [
                partial(account_link, account.account_id, account.name),
                wording.count(account.known, "person", "people"),
                names.get(owner, owner),
                partial(when, account.last_asked_at),
            ]
        )
    table(("Account", "Known", "Owner", "Last asked"), rows, title)


def _friendly(selection: Selection, warnings: list[str]) -> None:
    """Draw whether the people who were asked had scored better before than those left out."""
    if selection.difference is None:
        return
    asked, left = selection.asked, selection.left_out
    Text("h3", "Were the friendly ones asked?")
    sentence = (
        f"Before, those asked in this window stood at {wording.points(asked.nps)}"
        f" ({wording.count(asked.stakeholder_count, 'person', 'people')}), those left out at"
        f" {wording.points(left.nps)} ({wording.count(left.stakeholder_count, 'person', 'people')})"
    )
    chance = "could be chance"
    if selection.significant:
        chance = "unlikely to be chance"
    Text("p", f"{sentence}: {wording.points(selection.difference)}, {chance}.")
    if "asked_scored_higher" in warnings:
        Text(
            "p", "Keep in mind: those asked had scored higher, so the score may flatter. Ask everybody.", "notice warn"
        )
