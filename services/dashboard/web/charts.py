"""Charts, each with its figures in words and as a table for people who do not see it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.elements import echart as _library  # noqa: F401 - its import makes the library known to pages

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, box, linked, table, when
from shared.api.portfolio import Mark, Point, PortfolioPoint, TrendAnswer

ACCENT = "#4a86c8"
COLOURS = {"promoter": "#009e73", "passive": "#e0b92f", "detractor": "#d55e00"}
GREY = "#8a93a0"
HALF_A_DAY = timedelta(hours=12)
SHAPES = {"promoter": "triangle", "passive": "circle", "detractor": "path://M0,0 L10,0 L5,9 Z"}
MONTH = "value => new Date(value).toLocaleDateString(navigator.languages, {month: 'short', year: '2-digit'})"
PLAIN = "value => value.toLocaleString(navigator.languages)"
ABOVE = "point => point.value.toLocaleString(navigator.languages)"
TOLD = """point => {
    const [at, value] = point.value, options = {day: 'numeric', month: 'short', year: 'numeric'};
    const said = point.seriesType === 'line' ? (value > 0 ? '+' : value < 0 ? '−' : '') + Math.round(Math.abs(value))
        : `gave ${value}`;
    return `${point.seriesName} ${said}, ${new Date(at).toLocaleDateString(navigator.languages, options)}`;
}"""
SIGNED = "value => (value > 0 ? '+' : value < 0 ? '−' : '') + Math.abs(value)"
Json = dict[str, Any]
TrendPoint = Point | PortfolioPoint


class Chart(ui.element, component="chart.js"):
    """A chart of ECharts. NiceGUI's own chart loads the library before it paints anything of the page."""

    def __init__(self, options: Json) -> None:
        super().__init__()
        self.classes("chart")
        self.props["options"] = options


def trend(
    points: Sequence[TrendPoint],
    *,
    answers: Sequence[TrendAnswer] = (),
    marks: Sequence[Mark] = (),
    name: str,
    why: Callable[[TrendPoint], str] | None = None,
) -> None:
    """NPS over time with its interval; single answers as dots on their own scale, context events as lines. `why`
    gives the address where a point is explained."""
    known = [point for point in points if point.nps is not None]
    if not known and not answers:
        Text("p", "Nobody has answered in this time.", "empty")
        return
    words = f"{name}: NPS at the end of the last periods, "
    words += ", ".join(wording.points(point.nps) for point in known[-6:])
    with box("figure", role="img", aria_label=words).style("margin:0"):
        Chart(_options(known, answers, marks))
    with box("details"):
        Text("summary", "As a table")
        rows: list[list[Cell]] = [
            [
                partial(_until, point, why),
                wording.points(point.nps),
                wording.interval(point.ci_low, point.ci_high) or wording.NOTHING,
                wording.grouped(point.response_count),
            ]
            for point in reversed(points)
        ]
        table(("Until", "NPS", "Interval", "Answers"), rows, name)
        if marks:
            with box("ul"):
                for mark in reversed(marks):
                    with box("li"):
                        when(mark.at)
                        Text("span", f": {label_of(mark)}")


def label_of(mark: Mark) -> str:
    """The label of a context event."""
    return mark.label or wording.plain(mark.kind)


def _until(point: TrendPoint, why: Callable[[TrendPoint], str] | None) -> None:
    href = ""
    if why is not None:
        href = why(point)
    with linked(href, tag="span"):
        when(_last_day(point).date())


def _last_day(point: TrendPoint) -> datetime:
    """The middle of the last day of a point: `to` is the first moment after it, so already of the next month."""
    return point.to - HALF_A_DAY


def _options(points: Sequence[TrendPoint], answers: Sequence[TrendAnswer], marks: Sequence[Mark]) -> Json:
    nps: list[tuple[str, float]] = []
    low: list[tuple[str, float]] = []
    high: list[tuple[str, float]] = []
    for point in points:
        if point.nps is not None:
            nps.append((_time(_last_day(point)), round(point.nps, 1)))
        if point.ci_low is not None and point.ci_high is not None:
            low.append((_time(_last_day(point)), point.ci_low))
            high.append((_time(_last_day(point)), point.ci_high - point.ci_low))
    hidden = {"type": "line", "stack": "interval", "symbol": "none", "silent": True, "lineStyle": {"opacity": 0}}
    line: Json = {
        "name": "NPS", "type": "line", "data": nps, "symbolSize": 6, "z": 5,
        "lineStyle": {"color": ACCENT, "width": 2.5}, "itemStyle": {"color": ACCENT},
    }  # fmt: skip
    if marks:
        line["markLine"] = {
            "symbol": "none",
            "silent": True,
            "label": {"formatter": "{b}", "fontSize": 10, "position": "insideEndTop", "textBorderWidth": 0},
            "lineStyle": {"color": GREY, "type": "dotted"},
            "data": [{"xAxis": _time(mark.at), "name": label_of(mark)} for mark in marks[-6:]],
        }
    series: list[Json] = [
        {**hidden, "name": "", "data": low},
        {**hidden, "name": "", "data": high, "areaStyle": {"color": ACCENT, "opacity": 0.16}},
        line,
    ]
    for category, colour in COLOURS.items():
        dots = [(_time(answer.answered_at), answer.score) for answer in answers if answer.category == category]
        if dots:
            series.append(
                {
                    "name": wording.CATEGORY_NAMES[category],
                    "type": "scatter",
                    "yAxisIndex": 1,
                    "data": dots,
                    "symbol": SHAPES[category],
                    "symbolSize": 9,
                    "itemStyle": {"color": colour, "opacity": 0.85},
                }
            )
    axes: list[Json] = [_axis("NPS", -100, 100, {":formatter": SIGNED})]
    axes.append(_axis("Score", 0, 10, {}) | {"show": bool(answers), "splitLine": {"show": False}})
    grid = {"left": 44, "right": 14, "top": 30, "bottom": 26}
    if answers:
        grid["right"] = 34
    return {
        "animation": False,
        "grid": grid,
        "tooltip": {"trigger": "item", "confine": True, ":formatter": TOLD},
        "xAxis": {"type": "time", "axisLabel": {":formatter": MONTH, "hideOverlap": True}, "splitNumber": 5},
        "yAxis": axes,
        "series": series,
    }


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _axis(name: str, low: int, high: int, label: Json) -> Json:
    return {
        "type": "value", "name": name, "min": low, "max": high, "axisLabel": label,
        "splitLine": {"lineStyle": {"color": GREY, "opacity": 0.25}},
    }  # fmt: skip


def distribution(counts: Sequence[int], name: str) -> None:
    """How many answers of each score from 0 to 10, in the colours of their categories."""
    words = f"{name}: " + ", ".join(f"{count} gave {score}" for score, count in enumerate(counts) if count)
    data = [{"value": count, "itemStyle": {"color": COLOURS[category_of(score)]}} for score, count in enumerate(counts)]
    options = {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 20, "bottom": 40, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [str(score) for score in range(len(counts))],
            "name": "Score given",
            "nameLocation": "middle",
            "nameGap": 28,
        },
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": {":formatter": PLAIN},
            "splitLine": {"lineStyle": {"color": GREY, "opacity": 0.25}},
        },
        "series": [{"type": "bar", "data": data, "label": {"show": True, "position": "top", ":formatter": ABOVE}}],
    }
    with box("figure", role="img", aria_label=words).style("margin:0"):
        Chart(options).style("height:12rem")


def category_of(score: int) -> str:
    """The category of an NPS score."""
    if score >= 9:
        return "promoter"
    if score >= 7:
        return "passive"
    return "detractor"
