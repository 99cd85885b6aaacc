"""The portfolio compared with its own past first, then with published benchmarks and their sources."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, address, box, empty, link, table
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.benchmark_funnel import Funnel
from shared.api.cohorts import CohortModel, CohortsModel
from shared.api.comparisons import GroupComparison, PortfolioComparison, PublishedBenchmark
from shared.api.questions import COHORTS, FUNNEL, PORTFOLIO_COMPARISON, PUBLISHED_BENCHMARKS
from shared.http.client import Api
from shared.industries import NAMES as INDUSTRIES


@page("/benchmarks", "Benchmarks")
async def benchmarks(visit: Visit) -> None:
    """Draw the page."""
    Text("h1", "Benchmarks")
    Text("p", "Your own past first, then your industries; over a year, by the latest answer of each person", "lead")

    async def whole(api: Api) -> PortfolioComparison:
        return await api.ask(PORTFOLIO_COMPARISON, window="365d")

    async def by_industry(api: Api) -> PortfolioComparison:
        return await api.ask(PORTFOLIO_COMPARISON, window="365d", group_by="industry")

    async def published(api: Api) -> list[PublishedBenchmark]:
        return await api.ask_all(PUBLISHED_BENCHMARKS)

    async def funnel(api: Api) -> Funnel:
        return await api.ask(FUNNEL, window="365d")

    async def cohorts(api: Api) -> CohortsModel:
        return await api.ask(COHORTS, window="365d", group_by="tier")

    with box("div", "grid"):
        Section(visit, "Against your own past", whole, _draw_past, classes="wide")
        Section(visit, "By industry", by_industry, _draw_industries, classes="wide")
        Section(visit, "Response rate against its yardsticks", funnel, _draw_funnel)
        lead = "What could tell what a single account says is hidden"
        Section(visit, "Among your own accounts, by tier", cohorts, _draw_cohorts, lead=lead)
        Section(visit, "What is published", published, _draw_published, classes="wide")


def _draw_past(comparison: PortfolioComparison) -> None:
    if not comparison.groups:
        empty("Nobody has answered yet.")
        return
    portfolio = comparison.groups[0]
    Text("p", portfolio.sentence)
    past = portfolio.past
    times = (("A month ago", past.month), ("A quarter ago", past.quarter), ("A year ago", past.year))
    rows = [(name, wording.points(then.nps), wording.points(then.change)) for name, then in times]
    table(("", "NPS then", "Change since"), rows, "The portfolio against its own past")


def _draw_industries(comparison: PortfolioComparison) -> None:
    if not comparison.groups:
        empty("Nobody has answered yet.")
        return
    rows = [_industry_row(industry) for industry in comparison.groups]
    table(
        ("Industry", "NPS", "A year ago", "Benchmark", "Gap", "Keep in mind"),
        rows,
        "Industries against their benchmarks",
    )


def _industry_row(industry: GroupComparison) -> list[Cell]:
    slug = industry.group.get("industry") or ""
    name = INDUSTRIES.get(slug, slug) or "No industry"
    mark = industry.benchmark
    figures = industry.figures
    benchmark = "no published benchmark"
    if mark:
        benchmark = f"{wording.points(mark.nps)} ({mark.source} {mark.year})"
    warnings = ", ".join(wording.plain(code).lower() for code in industry.warnings if code != "no_published_benchmark")
    return [
        partial(link, name, address("/accounts", industry=slug)),
        f"{wording.points(figures['nps'])} from {wording.count(figures['stakeholder_count'], 'voice')}",
        wording.points(industry.past.year.nps),
        benchmark,
        wording.points(industry.gap),
        warnings or wording.NOTHING,
    ]


def _draw_funnel(funnel: Funnel) -> None:
    if not funnel.groups or not funnel.groups[0].recipient_count:
        empty("Nobody was asked in a year.", "Invitations are told to the collector by whoever mails them.")
        return
    portfolio = funnel.groups[0]
    Text("p", portfolio.sentence)
    marks = funnel.yardsticks.response_rate
    rows: list[list[Cell]] = [["Yours", wording.share(portfolio.response_rate), _level(portfolio.level)]]
    for name, (low, high) in marks.items():
        rows.append([wording.plain(name), f"{wording.share(low)} to {wording.share(high)}", ""])
    review = funnel.yardsticks.business_review.get("response_rate")
    if review is not None:
        rows.append(["Sent with a business review", wording.share(review), ""])
    table(("Response rate", "Of recipients", "Level"), rows, "The response rate against its yardsticks")
    sources = funnel.yardsticks.sources
    Text("p", f"Sources: {'; '.join(dict.fromkeys(sources.values()))}", "muted")


def _level(level: str | None) -> str:
    if level:
        return wording.plain(level).lower()
    return wording.NOTHING


HIDDEN = {
    "few_accounts": "hidden: too few accounts",
    "dominated": "hidden: one account outweighs the others",
    "complement": "hidden: it would tell what a hidden one says",
}


def _draw_cohorts(cohorts: CohortsModel) -> None:
    rows = [_cohort_row(cohort) for cohort in cohorts.groups]
    if not rows:
        empty("Nobody has answered yet.")
        return
    table(("Cohort", "NPS", "95 % between", "Accounts", "Voices"), rows, "Own cohorts by tier")


def _cohort_row(cohort: CohortModel) -> list[Cell]:
    tier = cohort.group.get("tier")
    values = [wording.plain(value or "None") for value in cohort.group.values()]
    text = ", ".join(values) or "All"
    name: Cell = text
    if tier:
        name = partial(link, text, address("/accounts", tier=tier))
    if cohort.hidden:
        return [name, HIDDEN.get(cohort.hidden_reason or "", "hidden"), *[wording.NOTHING] * 3]
    score = [wording.points(cohort.nps), wording.between(cohort.ci_low, cohort.ci_high)]
    return [name, *score, wording.grouped(cohort.account_count or 0), wording.grouped(cohort.stakeholder_count or 0)]


def _answers(benchmark: PublishedBenchmark) -> str:
    if not benchmark.n:
        return "not published"
    return wording.grouped(benchmark.n)


def _draw_published(benchmarks: list[PublishedBenchmark]) -> None:
    rows: list[list[Cell]] = [
        [
            benchmark.industry_name or benchmark.industry,
            str(benchmark.year),
            wording.points(benchmark.nps),
            _answers(benchmark),
            benchmark.source,
            benchmark.note or wording.NOTHING,
        ]
        for benchmark in benchmarks
    ]
    table(("Industry", "Year", "NPS", "Answers", "Source", "Note"), rows, "Published benchmarks")
