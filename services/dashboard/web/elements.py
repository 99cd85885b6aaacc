"""Small elements of all pages: text, links, figures, chips, tables. Text is always escaped, never markup."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from services.dashboard.domain import wording
from shared.api.accounts import Money
from shared.api.figures import Score
from shared.api.reviews import Revenue
from shared.http.client import within

Cell = str | Callable[[], object]
LEAST_WITH_TEXT = 8
"""Per cent of a bar in which a text has room."""


class Text(TextElement):
    """An HTML element with text in it."""

    def __init__(self, tag: str, text: str = "", classes: str = "", **attributes: Any) -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)
        for name, value in attributes.items():
            self.props[name.rstrip("_").replace("_", "-")] = value


def box(tag: str = "div", classes: str = "", **attributes: Any) -> ui.element:
    """An HTML element with others in it."""
    made = ui.element(tag).classes(classes)
    for name, value in attributes.items():
        made.props[name.rstrip("_").replace("_", "-")] = value
    return made


def link(text: str, href: str, classes: str = "") -> Text:
    """A link within the dashboard."""
    return Text("a", text, classes, href=href)


def tab_title(name: str) -> None:
    """Set the title of the browser's tab: the name comes first, since tabs are narrow."""
    ui.page_title(f"{name} – Tellback")


def address(path: str, **query: Any) -> str:
    """A path with its query; parameters that are None or empty are left out."""
    sent = {name.rstrip("_"): value for name, value in query.items() if value not in (None, "")}
    if not sent:
        return path
    return f"{path}?{urlencode(sent)}"


def choices(name: str, options: Mapping[str, str], chosen: str, target: Callable[[str], str]) -> None:
    """Links to choose one of several; `target` gives the address of each."""
    with box("nav", "buttons", aria_label=name):
        for code, words in options.items():
            if code == chosen:
                Text("a", words.capitalize(), "button main", href=target(code), aria_current="true")
            else:
                link(words.capitalize(), target(code), "button")


def account_link(account_id: str, name: str | None = None) -> Text:
    """A link to an account's page."""
    return link(name or account_id, account_address(account_id))


def account_address(account_id: str) -> str:
    """The address of an account's page."""
    return within("/accounts", account_id)


def person_link(account_id: str, stakeholder_id: str, name: str | None = None) -> Text:
    """A link to a person's page."""
    return link(name or stakeholder_id, within("/accounts", account_id, "people", stakeholder_id))


def when(at: str | date | None, style: str = "date") -> Text:
    """A time, which the reader's browser words in their language and time zone; style date, time or ago."""
    if at is None:
        return Text("span", wording.NOTHING)
    iso = str(at)
    if isinstance(at, date):
        iso = at.isoformat()
    text = iso[:16].replace("T", " ")
    if style == "date":
        text = iso[:10]
    return Text("time", text, datetime=iso, data_style=style)


def money(amount: float | None, currency: str | None) -> Text:
    """An amount, which the reader's browser words."""
    if amount is None:
        return Text("span", wording.NOTHING)
    return Text("data", f"{amount:,.0f} {currency or ''}".strip(), value=str(amount), data_currency=currency or "")


def annual_revenue(revenue: Money | Revenue | None) -> Cell:
    """A revenue, or a dash where none is known."""
    if revenue is None:
        return wording.NOTHING
    return partial(money, revenue.amount, revenue.currency)


def spark(values: Sequence[float | None], name: str) -> ui.element:
    """A small line of scores over time, which reader.js draws and describes: from −100 to 100, a gap where nothing
    counts."""
    points = []
    for value in values:
        points.append(wording.if_known(value, "{:.1f}".format).replace(wording.NOTHING, ""))
    return box("span", "spark", data_points=",".join(points), data_name=name)


def category_chip(category: str | None, score: int | None = None) -> Text:
    """A score with the sign and the colour of its category."""
    if category is None:
        return Text("span", wording.if_known(score, str), "chip none")
    shown, label = wording.CATEGORY_SIGNS[category], wording.CATEGORY_NAMES[category]
    if score is not None:
        shown, label = f"{shown} {score}", f"{score}, {label}"
    chip = Text("span", shown, f"chip {category}", title=wording.CATEGORY_NAMES[category])
    chip.props["aria-label"] = label
    chip.props["role"] = "img"
    return chip


def class_chip(name: str) -> Text:
    """An account's class."""
    return Text("span", f"{wording.CLASS_SIGNS.get(name, '')} {wording.CLASS_NAMES.get(name, name)}", f"chip k-{name}")


def severity_chip(severity: str) -> Text:
    """A severity."""
    signs = {"critical": "‼", "high": "!", "medium": "·", "low": "·"}
    return Text("span", f"{signs.get(severity, '')} {severity}", f"chip s-{severity}")


def empty(text: str, hint: str = "") -> None:
    """The text of an empty section."""
    with box(classes="empty"):
        Text("p", text)
        if hint:
            Text("p", hint, "muted")


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], caption: str, classes: str = "") -> None:
    """A table; the caption is read to people who do not see it. A cell is a text, or a function that draws it. On a
    narrow page a row takes several lines, in which a text, a time, an amount or a number has the head of its column
    before it; other cells have none, and a cell without a value is left out."""
    with box(classes="scroll", tabindex="0", role="region", aria_label=caption), box("table", f"table {classes}"):
        Text("caption", caption, "unseen")
        with box("thead"), box("tr"):
            for head in heads:
                Text("th", head, scope="col")
        with box("tbody"):
            for row in rows:
                with box("tr"):
                    for head, cell in zip(heads, row, strict=True):
                        if isinstance(cell, str):
                            made: ui.element = Text("td", cell, data_head=head)
                        else:
                            made = _drawn_cell(head, cell)
                        if cell == wording.NOTHING or (isinstance(cell, partial) and cell.args[:1] == (None,)):
                            made.classes("nothing")


def _drawn_cell(head: str, draw: Callable[[], object]) -> ui.element:
    with box("td") as cell:
        draw()
    if isinstance(draw, partial) and draw.func in (when, money, number_link):
        cell.props["data-head"] = head
    return cell


def number_link(number: int, href: str) -> Text:
    """A number that leads to what it counts; 0 leads nowhere."""
    if number:
        return link(wording.grouped(number), href)
    return Text("span", "0")


def facts(rows: Mapping[str, Cell]) -> None:
    """A list of names with values."""
    with box("dl", "facts"):
        for name, value in rows.items():
            with box("div"):
                Text("dt", name)
                if isinstance(value, str):
                    Text("dd", value)
                else:
                    with box("dd"):
                        value()


def figure(name: str, value: str, *, note: str = "", href: str = "", classes: str = "") -> None:
    """One number with its name; `href` leads to its details."""
    with linked(href, f"figure {classes}"):
        Text("span", name, "name")
        Text("span", value, "value")
        if note:
            Text("span", note, "note")


def linked(href: str, classes: str = "", tag: str = "div") -> ui.element:
    """An element that leads to an address; where there is none, one of this tag that leads nowhere."""
    if href:
        return box("a", classes, href=href)
    return box(tag, classes)


@contextmanager
def figure_of(name: str, href: str = "") -> Iterator[None]:
    """A frame with a name for a figure that the block draws."""
    with linked(href, "figure"):
        Text("span", name, "name")
        with box("span", "value"):
            yield


def shares(figures: Score) -> None:
    """Promoters, passives and detractors side by side."""
    percents = {
        "promoter": figures.promoter_percent,
        "passive": figures.passive_percent,
        "detractor": figures.detractor_percent,
    }
    parts = []
    for name, percent in percents.items():
        share = percent or 0
        parts.append((name, share, f"{wording.CATEGORY_SIGNS[name]} {wording.percent(share)}"))
    bar(parts, ", ".join(f"{name}s {wording.percent(share)}" for name, share, _ in parts))


def code(text: str, label: str) -> None:
    """Preformatted text."""
    Text("pre", text, "code", tabindex="0", role="region", aria_label=label)


def bar(parts: Sequence[tuple[str, float, str]], label: str) -> None:
    """Shares side by side: (classes, share from 0 to 100, text)."""
    with box(classes="bar", role="img", aria_label=label):
        for classes, share, text in parts:
            if share > 0:
                part = Text("span", "", classes).style(f"flex-grow:{share:.3f}")
                if share >= LEAST_WITH_TEXT:
                    part.set_text(text)
