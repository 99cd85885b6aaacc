"""People over all accounts by category: for example all detractors on one page, each with their last comment."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_link,
    address,
    box,
    category_chip,
    empty,
    link,
    person_link,
    table,
    when,
)
from services.dashboard.web.form_fields import filters
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.people import Person, State
from shared.api.questions import EVERYBODY, RESPONSE
from shared.errors import NotFound
from shared.http.client import Api

MOST, WITH_COMMENTS, AT_ONCE = 200, 40, 8
CATEGORIES = {"detractor": "▼ Detractors", "passive": "● Passives", "promoter": "▲ Promoters"}
TIERS = {"premium": "Premium", "key": "Key", "small": "Small"}
ORDERS = {
    "": "Default order",
    "name": "By name",
    "score": "Lowest score first",
    "-score": "Highest score first",
    "-answered_at": "Newest first",
}
FIELDS = (
    ("q", "Name", None),
    ("category", "Latest answer", CATEGORIES),
    ("type", "Role", wording.TYPE_NAMES),
    ("silent", "Silence", {"true": "Silent", "false": "Not silent"}),
    ("tier", "Tier", TIERS),
    ("window", "Answered", wording.IN_WINDOWS),
    ("sort", "Order", ORDERS),
)
NAMES = ("q", "category", "type", "silent", "tier", "owner", "industry", "region", "account_id")
EXPORTED = tuple(name for name in NAMES if name not in ("category", "silent"))
"""The filters that the file has too: it says what the directory says, not what people answered."""


@page("/people", "People")
async def people(visit: Visit) -> None:
    """Draw the page; the filter is in the address."""
    wanted = visit.given(*NAMES)
    category = CATEGORIES.get(wanted.get("category", ""), "")
    Text("h1", category.partition(" ")[2] or "People")
    Text("p", "Where each person stands by their latest answer", "lead")
    filters("/people", FIELDS, visit.query, keep=("owner", "industry", "region", "account_id"))
    exported = {name: wanted[name] for name in EXPORTED if name in wanted}
    with box("div", "buttons"):
        link("Download as CSV", address("/exports/stakeholders.csv", **exported), "button")

    sort = visit.chosen("sort", ORDERS, "") or "name"
    if wanted.get("category") and not visit.query.get("sort"):
        sort = "score"
    days = visit.query.get("window", "").removesuffix("d")
    since = None
    if days.isdecimal() and int(days) < 10_000:
        since = (visit.now - timedelta(days=int(days))).isoformat()

    async def load(api: Api) -> Heard:
        found = await api.ask_all(EVERYBODY, most=MOST, **{**wanted, "answered_since": since, "sort": sort})
        return Heard(found, await _comments(api, found[:WITH_COMMENTS]))

    asked = wanted | visit.given("window")
    Section(visit, "", load, partial(_draw, asked), classes="wide")


@dataclass(frozen=True)
class Heard:
    """People, and the latest comments of the first of them, by the id of the response."""

    people: list[Person]
    comments: dict[str, str]

    def comment(self, person: Person) -> str:
        """The person's latest comment; empty where none is known."""
        latest = person.state.latest
        if latest:
            return self.comments.get(latest.response_id, "")
        return ""


async def _comments(api: Api, people: Sequence[Person]) -> dict[str, str]:
    """Id of the response → comment, of the latest answers."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def comment(response_id: str) -> str:
        async with turn:
            try:
                response = await api.ask(RESPONSE, response_id=response_id)
            except NotFound:
                return ""
        return response.comment or ""

    ids = [person.state.latest.response_id for person in people if person.state.latest]
    return dict(zip(ids, await asyncio.gather(*map(comment, ids)), strict=True))


def _draw(wanted: dict[str, str], found: Heard) -> None:
    if not found.people:
        if wanted:
            empty("No people match these filters.", "Clear a filter to see more.")
        else:
            empty("Nobody is known yet.", "People come with their answers, or with a file of people.")
        return
    number = len(found.people)
    many = wording.count(number, "person", "people")
    if number == MOST:
        many = f"{MOST} or more people: filter to see fewer"
    Text("p", many, "muted")
    rows = [_row(person, found.comment(person)) for person in found.people]
    table(("Who", "Account", "Role", "Before, and now", "Said", "Last answer"), rows, "People")
    if wanted.get("category") == "detractor":
        link("Their follow-ups", address("/follow-ups", kind="detractor"))


def _row(person: Person, comment: str) -> list[Cell]:
    answered_at = None
    if person.state.latest:
        answered_at = person.state.latest.answered_at
    return [
        partial(person_link, person.account_id, person.stakeholder_id, person.name),
        partial(account_link, person.account_id, person.account_name),
        partial(_role, person),
        partial(_latest, person.state),
        comment,
        partial(when, answered_at, "ago"),
    ]


def _role(person: Person) -> None:
    with box("span"):
        Text("span", wording.TYPE_NAMES.get(person.type or "", wording.NOTHING))
        if person.job_title:
            Text("span", f", {person.job_title}", "muted")


def _latest(state: State) -> None:
    with box("span"):
        if state.previous:
            category_chip(state.previous.category, state.previous.score)
            Text("span", " → ")
        category_chip(state.category, state.score)
        if state.falls_in_a_row > 1:
            Text("span", f" fell {state.falls_in_a_row} times in a row", "muted")
        if state.silent:
            Text("span", " ○ silent", "muted")
