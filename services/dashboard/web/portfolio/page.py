"""The layout of the first page: what an account manager needs first stands first."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web import charts
from services.dashboard.web.bring.beginning import place_beginning
from services.dashboard.web.demo import place_demo_band
from services.dashboard.web.elements import Text, address, box, choices
from services.dashboard.web.page import page
from services.dashboard.web.portfolio.business import BusinessSections
from services.dashboard.web.portfolio.reach import ReachSections
from services.dashboard.web.portfolio.score import GROUPS, ScoreSections
from services.dashboard.web.portfolio.todo import DUE, MOVED, SILENT, TodoSections
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.cohort import cohort_of, draw_cohort
from services.dashboard.web.yardsticks import draw_yardsticks

DRIVERS = "How respondents rate single attributes, and how that goes with their NPS answer"
COHORT = "From planned to answered, for everybody due to be asked in the window"
INVITATIONS = "Everything sent in the window, also by other mailers, so the numbers differ from those beside it"
GAPS = "Accounts with a single contact or no decision-maker, and accounts that are never asked"


@page("/", "Portfolio", remember=True, charts=True)
async def portfolio(visit: Visit) -> None:
    """Draw the page; the window and the split are in the address."""
    window = visit.chosen("window", wording.WINDOWS, "90d")
    by = visit.chosen("by", GROUPS, "owner")
    lead = f"All respondents in {wording.WINDOWS[window]}, each by their latest answer"
    with box("div", "head"):
        with box():
            Text("h1", "Portfolio")
            Text("p", lead, "lead")
        choice("Window", "/", wording.WINDOWS, window, visit.query)
    place_beginning(visit)
    place_demo_band(visit)
    score, todo = ScoreSections(window, by), TodoSections(visit)
    reach, business = ReachSections(visit, window), BusinessSections(window)
    with box("div", "columns"):
        with box("div", "stack"):
            Section(visit, "Score", score.load, score.draw)
            Section(visit, "Who moved", todo.load_moves, todo.draw_moves, lead=MOVED)
        with box("div", "stack"):
            Section(visit, "Trend", score.load_trend, lambda found: charts.trend(found.points, name="Portfolio"))
            Section(visit, "Follow-ups due", todo.load_due, todo.draw_due, lead=DUE)
            Section(visit, "The closed loop", todo.load_loop, todo.draw_loop, lead="Follow-ups opened in 90 days")
            Section(visit, "Distribution", score.load, score.draw_distribution)
    with box("div", "grid"):
        Section(visit, "Silent before their renewal", todo.load_silent, todo.draw_silent, classes="wide", lead=SILENT)
        with box("section", "card wide", aria_label="Score by group"):
            with box("div", "head"):
                Text("h2", "Score by group")
                choice("By", "/", GROUPS, by, visit.query)
            Section(visit, "", score.load_groups, score.draw_groups, classes="plain")
        Section(visit, "Revenue at risk", business.load_revenue, business.draw_revenue, classes="third")
        Section(visit, "Coverage", score.load, reach.draw_coverage, classes="third")
        Section(visit, "From invitation to answer", reach.load_funnel, reach.draw_funnel, classes="third")


@page("/reach", "Reach", charts=True)
async def reach_and_drivers(visit: Visit) -> None:
    """Draw the page of figures that are needed less often; the window is in the address."""
    window = visit.chosen("window", wording.WINDOWS, "90d")
    with box("div", "head"):
        with box():
            Text("h1", "Reach and drivers")
            Text("p", "Who is asked, who answers, and what drives the score", "lead")
        choice("Window", "/reach", wording.WINDOWS, window, visit.query)
    reach, business = ReachSections(visit, window), BusinessSections(window)
    with box("div", "stack"):
        Section(visit, "What drives the score", business.load_drivers, business.draw_drivers, lead=DRIVERS)
        Section(visit, "Coverage gaps", reach.load_gaps, reach.draw_gaps, lead=GAPS)
        draw = partial(draw_cohort, "/surveys/asks", {})
        with box("div", "columns"):
            Section(visit, "Asked by Tellback", cohort_of(visit, window), draw, lead=COHORT)
            with box("div", "stack"):
                Section(visit, "All invitations", reach.load_funnel, reach.draw_funnel, lead=INVITATIONS)
                Section(visit, "Their rates against the yardsticks", reach.load_yardsticks, draw_yardsticks)
        Section(visit, "From invitation to answer, by owner", reach.load_owners, reach.draw_owners)


def choice(name: str, path: str, options: dict[str, str], chosen: str, query: dict[str, str]) -> None:
    """Links that set `name`, in lower case, to another value in the address; other parameters stay."""
    choices(name, options, chosen, lambda code: address(path, **{**query, name.lower(): code}))
