"""Figures as dots: rows of marks on one scale, and points in four quadrants. Marks differ in shape, not only in
colour; the table of the same figures stands behind each picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.dashboard.web.charts import ACCENT, GREY, Chart, Json
from services.dashboard.web.elements import Text, box

ROW_PIXELS, AROUND_PIXELS = 46, 74
ORANGE = "#d55e00"
CLEAR = "rgba(0,0,0,0)"
ROUNDED = "value => (value > 0 ? '+' : value < 0 ? '−' : '') + Math.round(Math.abs(value))"
PERCENT = "value => Math.round(value) + '\\u00a0%'"
DECIMAL = "value => value.toLocaleString(navigator.languages, {maximumFractionDigits: 2})"
CORNERS = {
    "Improve first": {"left": 62, "top": 12},
    "Keep it up": {"right": 18, "top": 12},
    "Watch": {"left": 62, "bottom": 52},
    "Good enough": {"right": 18, "bottom": 52},
}
"""What the quadrants say: importance grows upwards, performance to the right."""


@dataclass(frozen=True)
class Mark:
    """One kind of mark: its name, its value in each row (None where there is none), its shape in the library's words,
    and whether it is hollow."""

    name: str
    values: Sequence[float | None]
    symbol: str = "circle"
    colour: str = ACCENT
    hollow: bool = False


@dataclass(frozen=True)
class Span:
    """A stretch of one row: an interval, or a yardstick, which is a wide grey band."""

    row: int
    low: float
    high: float
    band: bool = False


@dataclass(frozen=True)
class Scale:
    """The ends of the axis, and the function of the library by which its values are worded."""

    low: float
    high: float
    words: str


POINTS = Scale(-100, 100, ROUNDED)
SHARES = Scale(0, 100, PERCENT)


def dot_plot(
    words: str,
    rows: Sequence[str],
    marks: Sequence[Mark],
    spans: Sequence[Span],
    scale: Scale,
    draw: Callable[[], None],
) -> None:
    """Rows of marks on a scale; `words` say it to people who do not see it, `draw` draws the table behind it."""
    series = [_mark(mark) for mark in marks]
    series[0]["markLine"] = {
        "silent": True,
        "symbol": "none",
        "animation": False,
        "label": {"show": False},
        "data": [_span(span) for span in spans],
    }
    options: Json = {
        "animation": False,
        "legend": {
            "top": 0,
            "left": 0,
            "itemGap": 14,
            "itemWidth": 14,
            "selectedMode": False,
            "data": [mark.name for mark in marks],
        },
        "grid": {"left": 4, "right": 18, "top": 34, "bottom": 4, "containLabel": True},
        "tooltip": {
            "trigger": "item",
            "confine": True,
            ":formatter": f"p => p.name + ': ' + p.seriesName + ' ' + ({scale.words})(p.value[0])",
        },
        "xAxis": {
            "type": "value",
            "min": scale.low,
            "max": scale.high,
            "axisLabel": {":formatter": scale.words, "hideOverlap": True},
            "splitLine": {"lineStyle": {"color": GREY, "opacity": 0.25}},
        },
        "yAxis": {
            "type": "category",
            "data": list(rows),
            "inverse": True,
            "axisTick": {"show": False},
            "axisLabel": {"width": 116, "overflow": "break", "lineHeight": 14},
            "splitLine": {"show": True, "lineStyle": {"color": GREY, "opacity": 0.15}},
        },
        "series": series,
    }
    _with_table(options, words, AROUND_PIXELS + ROW_PIXELS * len(rows), draw)


def quadrants(
    words: str, points: Sequence[tuple[str, float, float]], axes: tuple[str, str], draw: Callable[[], None]
) -> None:
    """Points (name, per cent, correlation) in the four quadrants that their averages make; `axes` name what grows to
    the right and upwards."""
    across = sum(x for _, x, _ in points) / len(points)
    upwards = sum(y for _, _, y in points) / len(points)
    line = {"color": GREY, "type": "dashed"}
    options: Json = {
        "animation": False,
        "grid": {"left": 52, "right": 18, "top": 34, "bottom": 46},
        "tooltip": {
            "trigger": "item",
            "confine": True,
            ":formatter": f"p => p.name + ': ' + ({PERCENT})(p.value[0]) + ', ' + ({DECIMAL})(p.value[1])",
        },
        "xAxis": _axis(axes[0], 26, PERCENT),
        "yAxis": _axis(axes[1], 36, DECIMAL),
        "graphic": [
            {"type": "text", **place, "style": {"text": name, "fontSize": 11, "fontWeight": 600}}
            for name, place in CORNERS.items()
        ],
        "series": [
            {
                "type": "scatter",
                "symbolSize": 11,
                "itemStyle": {"color": ACCENT},
                "data": [{"name": name, "value": [x, y]} for name, x, y in points],
                "label": {"show": True, "formatter": "{b}", "position": "top", "fontSize": 11, "textBorderWidth": 0},
                "labelLayout": {"moveOverlap": "shiftY", "hideOverlap": True},
                "markLine": {
                    "silent": True,
                    "symbol": "none",
                    "label": {"show": False},
                    "lineStyle": line,
                    "data": [{"xAxis": across}, {"yAxis": upwards}],
                },
            }
        ],
    }
    _with_table(options, words, 330, draw)


def _with_table(options: Json, words: str, pixels: int, draw: Callable[[], None]) -> None:
    with box("figure", role="img", aria_label=words).style("margin:0"):
        Chart(options).style(f"height:{pixels}px")
    with box("details"):
        Text("summary", "As a table")
        draw()


def _mark(mark: Mark) -> Json:
    style: Json = {"color": mark.colour}
    if mark.hollow:
        style = {"color": CLEAR, "borderColor": mark.colour, "borderWidth": 2}
    data = [[value, row] for row, value in enumerate(mark.values) if value is not None]
    return {
        "name": mark.name,
        "type": "scatter",
        "symbol": mark.symbol,
        "symbolSize": 12,
        "itemStyle": style,
        "data": data,
        "z": 5,
    }


def _span(span: Span) -> list[Json]:
    style = {"color": ACCENT, "width": 2.5, "opacity": 0.9, "type": "solid"}
    if span.band:
        style |= {"color": GREY, "width": 16, "opacity": 0.4}
    return [{"coord": [span.low, span.row], "lineStyle": style}, {"coord": [span.high, span.row]}]


def _axis(name: str, gap: int, words: str) -> Json:
    return {
        "type": "value",
        "name": name,
        "nameLocation": "middle",
        "nameGap": gap,
        "scale": True,
        "splitNumber": 4,
        "boundaryGap": ["12%", "12%"],
        "axisLabel": {":formatter": words, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": GREY, "opacity": 0.2}},
    }
