"""What people answered and wrote, over all accounts: by touchpoint, by category, by words in the comments."""

from datetime import timedelta
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.bits import Cell, Text, account_link, category_chip, empty, person_link, table, when
from services.dashboard.web.controls import filters
from services.dashboard.web.frame import page
from services.dashboard.web.names import Names
from services.dashboard.web.people import CATEGORIES
from services.dashboard.web.section import Section, Visit
from shared.http.client import Api

Json = dict[str, Any]
MOST = 100
FIELDS = (
    ("q", "Words in the comment", None),
    ("category", "Category", CATEGORIES),
    ("survey_type", "Survey", wording.SURVEYS),
    ("window", "Answered", {code: f"In {words}" for code, words in wording.WINDOWS.items() if code != "all"}),
)
NAMES = ("q", "category", "survey_type", "touchpoint", "account_id", "owner", "tier", "industry", "region")


@page("/answers", "Answers")
async def answers(visit: Visit) -> None:
    """Draw the page; which answers is in the address."""
    wanted = {name: visit.query[name] for name in NAMES if visit.query.get(name)}
    window = visit.query.get("window", "")
    days = int(window.removesuffix("d")) if window in wording.WINDOWS and window != "all" else None
    touchpoint = wanted.get("touchpoint")
    Text("h1", "Answers")
    Text("p", f"After {wording.plain(touchpoint).lower()}, newest first" if touchpoint else "Newest first", "lead")
    filters("/answers", FIELDS, visit.query, keep=("touchpoint", "account_id", "owner", "tier", "industry", "region"))
    names = Names()

    async def load(api: Api) -> list[Json]:
        since = (visit.now.replace(second=0, microsecond=0) - timedelta(days=days)).isoformat() if days else None
        query = {**wanted, "from": since, "sort": "-answered_at", "limit": MOST}
        return await names.add_to(api, await api.items("scorer", "/v1/responses", most=MOST, **query))

    Section(visit, "", load, _draw, classes="wide")


def _draw(found: list[Json]) -> None:
    if not found:
        empty("No answer is like this.", "Choose less above.")
        return
    many = f"The newest {MOST}: choose above to see fewer" if len(found) == MOST else ""
    Text("p", many or wording.count(len(found), "answer"), "muted")
    table(("Who", "Account", "Score", "Survey", "Said", "When"), [_row(one) for one in found], "Answers")


def _row(one: Json) -> list[Cell]:
    person = one["stakeholder_id"]
    kind = wording.plain(one["touchpoint"] or one["nps_kind"]).lower()
    return [
        partial(person_link, one["account_id"], person, one["person"]) if person else "somebody",
        partial(account_link, one["account_id"], one["account"]),
        partial(_score, one),
        f"{wording.SURVEYS[one['survey_type']]}, {kind}",
        one["comment"] or "",
        partial(when, one["answered_at"]),
    ]


def _score(one: Json) -> None:
    if one["category"]:
        category_chip(one["category"], one["score"])
    else:
        Text("span", f"{one['score']} {wording.SCALES[one['survey_type']]}", "chip")
