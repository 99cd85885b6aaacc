"""The rates of invitations against those that the field knows: a picture with its table."""

from collections.abc import Callable
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.dot_plots import ORANGE, SHARES, Mark, Span, dot_plot
from services.dashboard.web.elements import Cell, Text, empty, table
from shared.api.benchmark_funnel import Funnel, FunnelGroup, Yardsticks

RATES = {
    "open_rate": "Opened",
    "response_rate": "Answered",
    "comment_rate": "Wrote a comment",
    "follow_up_request_rate": "Asked to be called",
}


def draw_yardsticks(funnel: Funnel) -> None:
    """Draw the response rate in words, the rates as a picture, and the table behind it."""
    if not funnel.groups or not funnel.groups[0].recipient_count:
        empty(*wording.NOBODY_ASKED)
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
    draw = partial(table, ("Response rate", "Of recipients", "Level"), rows, "The response rate against its yardsticks")
    _picture(portfolio, funnel.yardsticks, draw)
    sources = funnel.yardsticks.sources
    Text("p", f"Sources: {'; '.join(dict.fromkeys(sources.values()))}", "muted")


def _picture(portfolio: FunnelGroup, yardsticks: Yardsticks, draw: Callable[[], None]) -> None:
    """The rates of the funnel as dots, beside those of surveys with a business review; behind the response rate the
    yardsticks of mail surveys."""
    names, own, review, said = [], [], [], []
    for field, name in RATES.items():
        rate, beside = getattr(portfolio, field), yardsticks.business_review.get(field)
        names.append(name)
        said.append(f"{name} {wording.share(rate)}")
        own.append(rate and 100 * rate)
        review.append(beside and 100 * beside)
    answered = names.index(RATES["response_rate"])
    spans, bands = [], []
    for name, (low, high) in yardsticks.response_rate.items():
        spans.append(Span(answered, 100 * low, 100 * high, band=True))
        bands.append(f"{wording.plain(name).lower()} {100 * low:.0f} to {wording.share(high)}")
    marks = (Mark("Yours", own), Mark("With a business review", review, "diamond", ORANGE))
    dot_plot(f"Shares of the recipients: {', '.join(said)}", names, marks, spans, SHARES, draw)
    Text("p", f"Grey bands behind the answers: {', '.join(bands)}.", "muted")


def _level(level: str | None) -> str:
    if level:
        return wording.plain(level).lower()
    return wording.NOTHING
