"""The review pack of an account, made to print: scores then and now, you said and we did, open points."""

from datetime import timedelta
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.bits import (
    Cell,
    Text,
    account_address,
    address,
    box,
    category_chip,
    class_chip,
    empty,
    facts,
    link,
    money,
    table,
    when,
)
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit
from shared.http.client import Api, within

Json = dict[str, Any]
AUDIENCES = {"internal": "For us", "client": "For the client"}
PERIODS = {"": "Since the last review", "91": "A quarter", "182": "Half a year", "365": "A year"}


@page("/accounts/{account_id}/review", "Review", bare=True)
async def review(visit: Visit) -> None:
    """Draw the page; the audience and the period are in the address."""
    account_id = visit.path["account_id"]
    audience = visit.query.get("audience", "internal")
    audience = audience if audience in AUDIENCES else "internal"
    days = visit.query.get("days", "")
    days = days if days in PERIODS else ""

    async def load(api: Api) -> Json:
        since = (visit.now - timedelta(days=int(days))).isoformat() if days else None
        query = {"audience": audience, "from": since}
        pack = await api.get("benchmark", within("/v1/reviews/accounts", account_id), **query)
        if not days:
            return pack
        return pack | {
            "period": pack["period"] | {"from": pack["period"]["from"][:10], "to": pack["period"]["to"][:10]}
        }

    here = f"{account_address(account_id)}/review"
    with box("div", "buttons noprint"):
        link("Back to the account", account_address(account_id), "button")
        with box("nav", "buttons", aria_label="For whom"):
            for name, words in AUDIENCES.items():
                _choice(words, address(here, audience=name, days=days), chosen=name == audience)
        with box("nav", "buttons", aria_label="Period"):
            for name, words in PERIODS.items():
                _choice(words, address(here, audience=audience, days=name), chosen=name == days)
        Text("button", "Print", "button", type="button", data_print="")
    Section(visit, "", load, _draw, classes="review")


def _choice(words: str, target: str, *, chosen: bool) -> None:
    classes, current = ("button main", {"aria_current": "true"}) if chosen else ("button", {})
    Text("a", words, classes, href=target, **current)


def _draw(pack: Json) -> None:
    account, period = pack["account"], pack["period"]
    Text("h1", f"{account['name'] or account['account_id']}: business review")
    with box("p", "lead"):
        when(period["from"])
        Text("span", " to ")
        when(period["to"])
        if pack["audience"] == "internal":
            Text("span", " · internal, not for the client")
    if pack["audience"] == "internal":
        _internal(account)
    Text("h2", "Scores")
    words = wording.WINDOWS[pack["window"]]
    Text("p", f"NPS over {words}, by the latest answer of each person: at the beginning of the time and now", "lead")
    rows = [_score_row(line) for line in pack["scores"]]
    table(("Who", "Then", "Now", "Change", "95 % between", "Voices"), rows, "Scores by role, then and now")
    _turned(pack)
    Text("h2", "You said, we did")
    _said_and_done(pack)
    _deeds(pack, "Promised", "promised", "Nothing is promised and still to come.")
    _deeds(pack, "Open points", "open_points", "Nothing is open.")
    _events(pack["events"])
    Text("h2", "Against the past and the industry")
    Text("p", pack["comparison"]["sentence"])
    for warning in pack["warnings"]:
        Text("p", f"Keep in mind: {wording.plain(warning).lower()}", "muted")


def _internal(account: Json) -> None:
    owner, sponsor = account["owner"] or {}, account["sponsor"] or {}
    revenue = account.get("annual_revenue") or {"amount": None, "currency": None}
    rows: dict[str, Cell] = {
        "Class": partial(class_chip, account.get("class") or "unknown"),
        "Renews": partial(when, account.get("renewal_on")),
        "Revenue a year": partial(money, **revenue),
        "Owner": owner.get("name") or owner.get("email") or wording.NOTHING,
        "Sponsor": sponsor.get("name") or sponsor.get("email") or wording.NOTHING,
    }
    with box("div", "headfacts"):
        facts(rows)


def _score_row(line: Json) -> list[Cell]:
    role = line["stakeholder_type"]
    now = line["now"]
    return [
        f"{wording.TYPE_NAMES.get(role, role)}s" if role else "Everybody",
        wording.points(line["then"]["nps"]),
        wording.points(now["nps"]),
        wording.points(line["change"]),
        wording.NOTHING
        if now["ci_low"] is None
        else f"{wording.points(now['ci_low'])} and {wording.points(now['ci_high'])}",
        wording.grouped(now["stakeholder_count"]),
    ]


def _turned(pack: Json) -> None:
    """Who changed category; somebody's first answer is no turn."""
    fell, rose = wording.falls_and_rises(pack["changes"])
    if not fell and not rose:
        return
    names = {one["stakeholder_id"]: one["name"] for one in pack["said"]}
    Text("h2", "Who turned")
    rows: list[list[Cell]] = [
        [
            names.get(one["stakeholder_id"]) or "Somebody of your team",
            f"{one['from_score']} → {one['to_score']}",
            wording.change_words(one["kind"]),
            partial(when, one["changed_at"]),
        ]
        for one in sorted([*fell, *rose], key=lambda one: str(one["changed_at"]), reverse=True)
    ]
    table(("Who", "Scores", "Change", "When"), rows, "Who turned")


def _said_and_done(pack: Json) -> None:
    said = [one for one in pack["said"] if one["comment"]]
    done = {one["response_id"]: one for one in pack["done"] if one["response_id"]}
    open_ = {one["response_id"] for one in pack["open_points"] if one["response_id"]}
    if said:
        rows: list[list[Cell]] = [
            [partial(_said, one), _done(done.get(one["response_id"]), one["response_id"] in open_)] for one in said
        ]
        table(("You said", "We did"), rows, "What was said, and what was done about it", "said")
    else:
        empty("Nobody wrote a comment in this time.")
    answered = {one["response_id"] for one in said}
    others = [one for one in pack["done"] if one["what_was_done"] and one["response_id"] not in answered]
    if others:
        Text("h3", "What we did besides")
        with box("ul"):
            for deed in others:
                Text("li", deed["what_was_done"])


def _said(one: Json) -> None:
    with box("div"):
        with box("p", "muted"):
            if one["category"]:
                category_chip(one["category"], one["score"])
            who = one["name"] or wording.TYPE_NAMES.get(one["type"] or "", "somebody")
            Text("span", f" {who}, ")
            when(one["answered_at"])
        Text("p", one["comment"])


def _done(deed: Json | None, still_open: bool) -> str:
    if deed is None:
        return "We are working on it" if still_open else wording.NOTHING
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


def _events(events: list[Json]) -> None:
    if not events:
        return
    Text("h2", "What happened in this time")
    with box("ul"):
        for event in reversed(events):
            with box("li"):
                when(event["at"])
                Text("span", f": {event.get('label') or wording.plain(event['kind'])}")
