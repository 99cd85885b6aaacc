"""People over all accounts by where they stand: the detractors on one page, each with what they said."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

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
from shared.errors import NotFound
from shared.http.client import Api, within

Json = dict[str, Any]
MOST, WITH_COMMENTS, AT_ONCE = 200, 40, 8
CATEGORIES = {"detractor": "▼ Detractors", "passive": "● Passives", "promoter": "▲ Promoters"}
TIERS = {"premium": "Premium", "key": "Key", "small": "Small"}
FIELDS = (
    ("q", "Name", None),
    ("category", "Latest answer", CATEGORIES),
    ("type", "Role", wording.TYPE_NAMES),
    ("silent", "Silence", {"true": "Silent", "false": "Heard"}),
    ("tier", "Tier", TIERS),
    ("window", "Answered", {code: f"In {words}" for code, words in wording.WINDOWS.items() if code != "all"}),
)
NAMES = ("q", "category", "type", "silent", "tier", "owner", "industry", "region", "account_id")


@page("/people", "People")
async def people(visit: Visit) -> None:
    """Draw the page; which people is in the address."""
    wanted = {name: visit.query[name] for name in NAMES if visit.query.get(name)}
    category = CATEGORIES.get(wanted.get("category", ""), "")
    Text("h1", category.partition(" ")[2] or "People")
    Text("p", "Where each person stands by their latest answer", "lead")
    filters("/people", FIELDS, visit.query, keep=("owner", "industry", "region", "account_id"))

    days = visit.query.get("window", "").removesuffix("d")
    since = (visit.now - timedelta(days=int(days))).isoformat() if days.isdecimal() and int(days) < 10_000 else None

    async def load(api: Api) -> list[Json]:
        sort = "score" if wanted.get("category") else "name"
        query = {**wanted, "answered_since": since, "sort": sort}
        return await _with_comments(api, await api.items("scorer", "/v1/stakeholders", most=MOST, **query))

    Section(visit, "", load, partial(_draw, wanted), classes="wide")


async def _with_comments(api: Api, people: list[Json]) -> list[Json]:
    """The first of the people with the comment of their latest answer."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def comment(one: Json) -> str:
        latest = one["state"]["latest"]
        if not latest:
            return ""
        async with turn:
            try:
                answer = await api.get("scorer", within("/v1/responses", latest["response_id"]))
            except NotFound:
                return ""
        return str(answer["comment"] or "")

    comments = await asyncio.gather(*(comment(one) for one in people[:WITH_COMMENTS]))
    return [one | {"comment": said} for one, said in zip(people, [*comments, *[""] * len(people)], strict=False)]


def _draw(wanted: dict[str, str], found: list[Json]) -> None:
    if not found:
        empty("Nobody is like this.", "Choose less above.")
        return
    many = f"{MOST} or more people: choose above to see fewer" if len(found) == MOST else ""
    Text("p", many or wording.count(len(found), "person", "people"), "muted")
    table(("Who", "Account", "Role", "Before, and now", "Said", "Last heard"), [_row(one) for one in found], "People")
    if wanted.get("category") == "detractor":
        link("Their follow-ups", address("/follow-ups", kind="detractor"))


def _row(one: Json) -> list[Cell]:
    state = one["state"]
    return [
        partial(person_link, one["account_id"], one["stakeholder_id"], one["name"]),
        partial(account_link, one["account_id"], one["account_name"]),
        partial(_role, one),
        partial(_latest, state),
        one["comment"],
        partial(when, state["latest"]["answered_at"] if state["latest"] else None, "ago"),
    ]


def _role(one: Json) -> None:
    with box("span"):
        Text("span", wording.TYPE_NAMES.get(one["type"] or "", wording.NOTHING))
        if one["job_title"]:
            Text("span", f", {one['job_title']}", "muted")


def _latest(state: Json) -> None:
    with box("span"):
        if state["previous"]:
            category_chip(state["previous"]["category"], state["previous"]["score"])
            Text("span", " → ")
        category_chip(state["category"], state["score"])
        if state["falls_in_a_row"] > 1:
            Text("span", f" fell {state['falls_in_a_row']} times in a row", "muted")
        if state["silent"]:
            Text("span", " ○ silent", "muted")
