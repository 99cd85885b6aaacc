"""An account against its own past and its industry."""

from services.dashboard.domain import wording
from services.dashboard.web.account.view import AccountView
from services.dashboard.web.elements import Cell, Text, address, link, table
from services.dashboard.web.section import Section
from shared.api.comparisons import AccountComparison


def place_comparison(view: AccountView) -> None:
    """The section of the comparison."""
    Section(view.visit, "Against the past and the industry", view.comparison, _draw)


def _draw(found: AccountComparison) -> None:
    Text("p", found.sentence)
    past = {"month": found.past.month, "quarter": found.past.quarter, "year": found.past.year}
    rows: list[list[Cell]] = [
        [f"A {name} ago", wording.points(then.nps), wording.points(then.change)] for name, then in past.items()
    ]
    if found.benchmark:
        source = f"{found.benchmark.source} {found.benchmark.year}"
        rows.append([source, wording.points(found.benchmark.nps), wording.points(found.gap)])
    table(("Compared with", "NPS", "Difference"), rows, "Against the own past and the industry")
    for warning in found.warnings:
        Text("p", f"Keep in mind: {wording.remark(warning)}", "muted")
    link("All benchmarks", address("/benchmarks"))
