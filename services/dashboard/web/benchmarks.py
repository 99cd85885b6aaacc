"""The portfolio compared with its own past first, then with published benchmarks and their sources."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.charts import ACCENT
from services.dashboard.web.dot_plots import ORANGE, POINTS, Mark, Span, dot_plot
from services.dashboard.web.elements import Cell, Text, address, box, choices, empty, link, table
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.yardsticks import draw_yardsticks
from shared.api.benchmark_funnel import Funnel
from shared.api.cohorts import CohortModel, CohortsModel
from shared.api.comparisons import GroupComparison, PortfolioComparison, PublishedBenchmark
from shared.api.questions import COHORTS, FUNNEL, PORTFOLIO_COMPARISON, PUBLISHED_BENCHMARKS
from shared.http.client import Api
from shared.industries import NAMES as INDUSTRIES

INDUSTRY = "Lines are the range in which the score lies with 95\u00a0% certainty"


@page("/benchmarks", "Benchmarks", charts=True)
async def benchmarks(visit: Visit) -> None:
    """Draw the page; the window is in the address."""
    window = visit.chosen("window", wording.WINDOWS, "365d")
    span = wording.WINDOWS[window]
    with box("div", "head"):
        with box():
            Text("h1", "Benchmarks")
            lead = f"Your own past first, then your industries; over {span}, by the latest answer of each respondent"
            Text("p", lead, "lead")
        choices("Window", wording.WINDOWS, window, lambda name: address("/benchmarks", window=name))

    async def whole(api: Api) -> PortfolioComparison:
        return await api.ask(PORTFOLIO_COMPARISON, window=window)

    async def by_industry(api: Api) -> PortfolioComparison:
        return await api.ask(PORTFOLIO_COMPARISON, window=window, group_by="industry")

    async def published(api: Api) -> list[PublishedBenchmark]:
        return await api.ask_all(PUBLISHED_BENCHMARKS)

    async def funnel(api: Api) -> Funnel:
        return await api.ask(FUNNEL, window=window)

    async def cohorts(api: Api) -> CohortsModel:
        return await api.ask(COHORTS, window=window, group_by="tier")

    with box("div", "grid"):
        Section(visit, "Against your own past", whole, _draw_past, classes="wide")
        Section(visit, "By industry", by_industry, _draw_industries, classes="wide", lead=INDUSTRY)
        Section(visit, "Response rate against its yardsticks", funnel, draw_yardsticks)
        lead = "What could tell what a single account says is hidden"
        Section(visit, "Among your own accounts, by tier", cohorts, _draw_cohorts, lead=lead)
        Section(visit, "What is published", published, _draw_published, classes="wide")


def _draw_past(comparison: PortfolioComparison) -> None:
    if not comparison.groups:
        empty(*wording.NOBODY_ANSWERED)
        return
    portfolio = comparison.groups[0]
    if not portfolio.figures["stakeholder_count"]:
        empty(portfolio.sentence, "Answers from before count as the past: bring them as a file.")
        return
    Text("p", portfolio.sentence)
    past = portfolio.past
    times = (("A month ago", past.month), ("A quarter ago", past.quarter), ("A year ago", past.year))
    rows = [(name, wording.points(then.nps), wording.points(then.change)) for name, then in times]
    table(("", "NPS then", "Change since"), rows, "The portfolio against its own past")


def _draw_industries(comparison: PortfolioComparison) -> None:
    if not comparison.groups:
        empty(*wording.NOBODY_ANSWERED)
        return
    names: list[str] = []
    said: list[str] = []
    own: list[float | None] = []
    published: list[float | None] = []
    before: list[float | None] = []
    spans: list[Span] = []
    for row, industry in enumerate(comparison.groups):
        figures, mark = industry.figures, industry.benchmark
        names.append(_industry_name(industry))
        said.append(f"{names[-1]} {wording.points(figures['nps'])}")
        own.append(figures["nps"])
        before.append(industry.past.year.nps)
        nps = None
        if mark is not None:
            nps = mark.nps
        published.append(nps)
        if figures["ci_low"] is not None and figures["ci_high"] is not None:
            spans.append(Span(row, figures["ci_low"], figures["ci_high"]))
    marks = (
        Mark("Yours", own),
        Mark("Published", published, "diamond", ORANGE),
        Mark("Yours a year ago", before, "circle", ACCENT, hollow=True),
    )
    rows = [_industry_row(industry) for industry in comparison.groups]
    heads = ("Industry", "NPS", "A year ago", "Benchmark", "Gap", "Keep in mind")
    draw = partial(table, heads, rows, "Industries against their benchmarks")
    dot_plot(f"NPS by industry against the published figures: {', '.join(said)}", names, marks, spans, POINTS, draw)


def _industry_name(industry: GroupComparison) -> str:
    slug = industry.group.get("industry") or ""
    return INDUSTRIES.get(slug, slug) or "No industry"


def _industry_row(industry: GroupComparison) -> list[Cell]:
    slug = industry.group.get("industry") or ""
    name = _industry_name(industry)
    mark = industry.benchmark
    figures = industry.figures
    benchmark = "no published benchmark"
    if mark:
        benchmark = f"{wording.points(mark.nps)} ({mark.source} {mark.year})"
    warnings = ", ".join(wording.remark(code) for code in industry.warnings if code != "no_published_benchmark")
    return [
        partial(link, name, address("/accounts", industry=slug)),
        f"{wording.points(figures['nps'])} from {wording.count(figures['stakeholder_count'], 'respondent')}",
        wording.points(industry.past.year.nps),
        benchmark,
        wording.points(industry.gap),
        warnings or wording.NOTHING,
    ]


HIDDEN = {
    "few_accounts": "hidden: too few accounts",
    "dominated": "hidden: one account outweighs the others",
    "complement": "hidden: it would tell what a hidden one says",
}


def _draw_cohorts(cohorts: CohortsModel) -> None:
    rows = [_cohort_row(cohort) for cohort in cohorts.groups]
    if not rows:
        empty(*wording.NOBODY_ANSWERED)
        return
    table(("Cohort", "NPS", wording.INTERVAL, "Accounts", "Respondents"), rows, "Own cohorts by tier")


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
        return "unknown"
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
