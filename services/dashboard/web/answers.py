"""Answers and comments over all accounts: by touchpoint, by category, by words in the comments."""

from datetime import timedelta
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.account.comments import score_chip
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_link,
    address,
    box,
    empty,
    link,
    person_link,
    table,
    when,
)
from services.dashboard.web.form_fields import filters
from services.dashboard.web.names import NameBook, NameLookup, pair_of
from services.dashboard.web.page import page
from services.dashboard.web.people import CATEGORIES
from services.dashboard.web.section import Section, Visit
from shared.api.people import Response
from shared.api.questions import RESPONSES
from shared.http.client import Api

MOST = 100
ORDERS = {"": "Newest first", "answered_at": "Oldest first"}
FIELDS = (
    ("q", "Words in the comment", None),
    ("category", "Category", CATEGORIES),
    ("survey_type", "Survey", wording.SURVEYS),
    ("window", "Answered", wording.IN_WINDOWS),
    ("sort", "Order", ORDERS),
)
NAMES = ("q", "category", "survey_type", "touchpoint", "account_id", "owner", "tier", "industry", "region")


@page("/answers", "Answers")
async def answers(visit: Visit) -> None:
    """Draw the page; the filter is in the address."""
    wanted = visit.given(*NAMES)
    window = visit.query.get("window", "")
    days = None
    if window in wording.WINDOWS and window != "all":
        days = int(window.removesuffix("d"))
    sort = visit.chosen("sort", ORDERS, "") or "-answered_at"
    touchpoint = wanted.get("touchpoint")
    Text("h1", "Answers")
    if touchpoint:
        Text("p", f"After {wording.plain(touchpoint).lower()}", "lead")
    else:
        Text("p", "What respondents answered and wrote", "lead")
    filters("/answers", FIELDS, visit.query, keep=("touchpoint", "account_id", "owner", "tier", "industry", "region"))
    with box("div", "buttons"):
        link("Download as CSV", address("/exports/responses.csv", **wanted), "button")
    names = NameLookup()

    async def load(api: Api) -> tuple[list[Response], NameBook]:
        since = None
        if days:
            since = (visit.now.replace(second=0, microsecond=0) - timedelta(days=days)).isoformat()
        found = await api.ask_all(RESPONSES, most=MOST, **{**wanted, "from": since, "sort": sort})
        return found, await names.of(api, map(pair_of, found))

    asked = wanted | visit.given("window")
    Section(visit, "", load, partial(_draw, asked), classes="wide")


def _draw(asked: dict[str, str], loaded: tuple[list[Response], NameBook]) -> None:
    found, names = loaded
    if not found:
        if asked:
            empty("No answers match these filters.", "Clear a filter to see more.")
        else:
            empty(*wording.NOBODY_ANSWERED)
        return
    many = wording.count(len(found), "answer")
    if len(found) == MOST:
        many = f"The first {MOST} answers: filter to see fewer"
    Text("p", many, "muted")
    rows = [_row(response, names) for response in found]
    table(("Who", "Account", "Score", "Survey", "Said", "When"), rows, "Answers")


def _row(response: Response, names: NameBook) -> list[Cell]:
    pair = pair_of(response)
    kind = wording.plain(response.touchpoint or response.nps_kind).lower()
    return [
        partial(person_link, response.account_id, response.stakeholder_id, names.person(pair)),
        partial(account_link, response.account_id, names.account(pair)),
        partial(score_chip, response),
        f"{wording.SURVEYS[response.survey_type]}, {kind}",
        response.comment or "",
        partial(when, response.answered_at),
    ]
