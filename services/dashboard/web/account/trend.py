"""The score of an account over a year, with every answer and event."""

from services.dashboard.web import charts
from services.dashboard.web.account.explanation import explained_at
from services.dashboard.web.account.view import AccountView
from services.dashboard.web.charts import TrendPoint
from services.dashboard.web.section import Section
from shared.api.portfolio import AccountTrend

MONTHS = 13
LEAD = "Each dot is an answer, dotted lines are events"


def place_trend(view: AccountView) -> None:
    """The section of the trend."""
    Section(view.visit, "Trend", view.trend, _draw, lead=LEAD)


def _draw(found: AccountTrend) -> None:
    points = found.points[-MONTHS:]
    first = points[0].from_
    answers = [answer for answer in found.answers or () if answer.answered_at >= first]
    marks = [mark for mark in found.marks if mark.at >= first]

    def why(point: TrendPoint) -> str:
        return explained_at(found.account_id, window=found.window, as_of=point.to.isoformat())

    charts.trend(points, answers=answers, marks=marks, name="This account", why=why)
