"""The review pack of an account, made to print: scores then and now, you said and we did, open points."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, within
from services.dashboard.web.bits import Cell, Text, account_address, box, category_chip, empty, link, table, when
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit

Json = dict[str, Any]
AUDIENCES = {"internal": "For us", "client": "For the client"}


@page("/accounts/{account_id}/review", "Review", bare=True)
async def review(visit: Visit) -> None:
    """Draw the page; the audience is in the address."""
    account_id = visit.path["account_id"]
    audience = visit.query.get("audience", "internal")
    audience = audience if audience in AUDIENCES else "internal"

    async def load(api: Api) -> Json:
        return await api.get("benchmark", within("/v1/reviews/accounts", account_id), audience=audience)

    with box("nav", "buttons", aria_label="Review"):
        link("Back to the account", account_address(account_id), "button")
        for name, words in AUDIENCES.items():
            link(words, f"?audience={name}", "button main" if name == audience else "button")
        Text("button", "Print", "button", type="button", data_print="")
    Section(visit, "", load, _draw, classes="review")


def _draw(pack: Json) -> None:
    account, period = pack["account"], pack["period"]
    Text("h1", f"{account['name'] or account['account_id']}: business review")
    with box("p", "lead"):
        when(period["from"])
        Text("span", " to ")
        when(period["to"])
        if pack["audience"] == "internal":
            Text("span", " · internal, not for the client")
    Text("h2", "Scores")
    rows = [_score_row(line) for line in pack["scores"]]
    table(("Who", "Then", "Now", "Change", "Voices"), rows, "Scores by role, then and now")
    Text("h2", "You said, we did")
    _said_and_done(pack)
    _deeds(pack, "Promised", "promised", "Nothing is promised and still to come.")
    _deeds(pack, "Open points", "open_points", "Nothing is open.")
    Text("h2", "Against the past and the industry")
    Text("p", pack["comparison"]["sentence"])
    for warning in pack["warnings"]:
        Text("p", f"Mind: {wording.plain(warning).lower()}", "muted")


def _score_row(line: Json) -> list[Cell]:
    name = wording.TYPE_NAMES.get(line["stakeholder_type"] or "", line["stakeholder_type"] or "Everybody")
    return [
        name,
        wording.points(line["then"]["nps"]),
        wording.points(line["now"]["nps"]),
        wording.points(line["change"]),
        str(line["now"]["stakeholder_count"]),
    ]


def _said_and_done(pack: Json) -> None:
    said = [one for one in pack["said"] if one["comment"]]
    if not said:
        empty("Nobody wrote a comment in this time.")
        return
    done = {one["response_id"]: one for one in pack["done"] if one["response_id"]}
    rows: list[list[Cell]] = [[partial(_said, one), _done(done.get(one["response_id"]))] for one in said]
    table(("You said", "We did"), rows, "What was said, and what was done about it", "said")


def _said(one: Json) -> None:
    with box("div"):
        with box("p", "muted"):
            if one["category"]:
                category_chip(one["category"], one["score"])
            who = one["name"] or wording.TYPE_NAMES.get(one["type"] or "", "somebody")
            Text("span", f" {who}, ")
            when(one["answered_at"])
        Text("p", one["comment"])


def _done(deed: Json | None) -> str:
    if deed is None:
        return wording.NOTHING
    return deed["what_was_done"] or "Closed"


def _deeds(pack: Json, title: str, part: str, nothing: str) -> None:
    Text("h2", title)
    if not pack[part]:
        Text("p", nothing, "muted")
        return
    names = {one["stakeholder_id"]: one["name"] for one in pack["said"]}
    with box("ul"):
        for deed in pack[part]:
            with box("li"):
                _deed(deed, names.get(deed["stakeholder_id"]))


def _deed(deed: Json, name: str | None) -> None:
    """A promise, our own title of it, or to a client just whose word it is about: not how we call it."""
    promise = deed["promise"]
    if promise:
        Text("span", f"{promise['what']}, by ")
        when(promise["by"])
    elif deed.get("title"):
        Text("span", f"{deed['title']}, due ")
        when(deed["due_at"])
    else:
        Text("span", f"Our answer to {name or 'your team'}, open since ")
        when(deed["opened_at"])
