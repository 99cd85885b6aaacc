"""Coverage, the invitation funnel, and the gaps."""

from collections.abc import Mapping
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, account_link, address, box, empty, link, money, table, when
from services.dashboard.web.score_view import funnel, steps
from shared.api.figures import Coverage, Extent, RevenueExtent
from shared.api.portfolio import GroupFigures
from shared.api.questions import PORTFOLIO_FUNNEL, PORTFOLIO_GAPS
from shared.api.reach import FunnelGroup, GapAccount, PortfolioGaps, Selection
from shared.http.client import Api

NAMED = 20


class ReachSections:
    """The data and drawing of the sections about reach."""

    def __init__(self, window: str) -> None:
        self._window = window

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

    async def load_owners(self, api: Api) -> list[FunnelGroup]:
        found = await api.ask(PORTFOLIO_FUNNEL, window=self._window, group_by="owner")
        return found.groups

    def draw_owners(self, groups: list[FunnelGroup]) -> None:
        if not groups:
            empty("Nobody was asked in this window.")
            return
        heads = ("Owner", "Sent", "Bounced", "Opened", "Answered", "Response rate")
        rows: list[list[Cell]] = [
            [
                partial(_owner, group.group["owner"]),
                wording.grouped(group.sent_count),
                wording.share(group.bounce_rate),
                wording.share(group.open_rate),
                wording.grouped(group.answered_count),
                wording.share(group.response_rate),
            ]
            for group in sorted(groups, key=lambda group: group.response_rate or 0)
        ]
        table(heads, rows, "From invitation to answer, by owner")
        Text("p", "50 to 60 % is what account managers aim at; ordinary B2B mail surveys get 12 to 15 %.", "muted")

    async def load_gaps(self, api: Api) -> PortfolioGaps:
        return await api.ask(PORTFOLIO_GAPS, window=self._window)

    def draw_gaps(self, portfolio: PortfolioGaps) -> None:
        gaps = {
            "Without a decision-maker": portfolio.without_decision_maker,
            "Known by a single person": portfolio.single_threaded,
            "Never asked in 12 months": portfolio.never_asked_in_12_months,
        }
        for title, gap in gaps.items():
            Text("h3", f"{title}: {wording.count(gap.account_count, 'account')}")
            if gap.account_count:
                with box("details"):
                    Text("summary", "Which")
                    _gap_table(title, gap.accounts[:NAMED])
                    if gap.account_count > NAMED:
                        Text("p", f"and {gap.account_count - NAMED} more", "muted")
        _friendly(portfolio.selection, portfolio.warnings)
        if not any(gap.account_count for gap in gaps.values()):
            empty("Every account has a decision-maker and more than one contact, and was asked.")


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


def _owner(email: str | None) -> None:
    if email:
        link(email, address("/accounts", owner=email))
    else:
        Text("span", "nobody")


def _gap_table(title: str, accounts: list[GapAccount]) -> None:
    rows: list[list[Cell]] = [
        [
            partial(account_link, account.account_id, account.name),
            wording.count(account.known, "person", "people"),
            account.owner or "nobody",
            partial(when, account.last_asked_at),
        ]
        for account in accounts
    ]
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
