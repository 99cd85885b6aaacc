"""Why a figure of an account is what it is: the answers that count, and why each other one does not."""

import asyncio
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, within
from services.dashboard.web.bits import (
    Cell,
    Text,
    account_address,
    address,
    box,
    category_chip,
    empty,
    link,
    person_link,
    table,
    when,
)
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit

Json = dict[str, Any]
REASONS = {
    "outside_window": "outside the window",
    "superseded": "a later answer of the same person counts",
    "withdrawn": "withdrawn",
    "test": "a test",
    "other_survey": "another survey",
    "filtered": "not of the kind that was asked for",
    "conflict": "contradicts another record",
}
NAMES = ("window", "method", "survey_type", "stakeholder_type", "touchpoint", "as_of")


def explained_at(account_id: str, **figure: Any) -> str:
    """Where a figure of an account is explained; the figure is named as the scorer's API names it."""
    return address(f"{account_address(account_id)}/explain", **figure)


@page("/accounts/{account_id}/explain", "Why this figure")
async def explain(visit: Visit) -> None:
    """Draw the page; the figure is in the address."""
    account_id = visit.path["account_id"]
    asked = {name: visit.query[name] for name in NAMES if visit.query.get(name)}

    async def load(api: Api) -> Json:
        found, people = await asyncio.gather(
            api.get("scorer", "/v1/explain", account_id=account_id, **asked),
            api.items("scorer", within("/v1/accounts", account_id, "stakeholders"), most=2000),
        )
        names = {one["stakeholder_id"]: one["name"] or one["stakeholder_id"] for one in people}
        account = next((one["account_name"] for one in people if one["account_name"]), account_id)
        return {**found, "names": names, "account": account}

    Section(visit, "", load, partial(_draw_head, account_id, asked), classes="plain")
    Section(visit, "Answers that count", load, partial(_draw_counted, account_id))
    Section(visit, "Answers that do not", load, partial(_draw_rest, account_id))


def _draw_head(account_id: str, asked: dict[str, str], found: Json) -> None:
    with box("div", "head"):
        with box():
            Text("h1", f"Why {_value(found)}")
            with box("p", "lead"):
                link(found["account"], account_address(account_id))
                Text("span", f": {wording.question(wording.SURVEYS[found['survey_type']], found, asked)}")
                if asked.get("as_of"):
                    Text("span", ", as of ")
                    when(asked["as_of"], "time")
        with box("nav", "buttons", aria_label="Window"):
            for name, words in wording.WINDOWS.items():
                chosen = found["window"] == name
                classes, current = ("button main", {"aria_current": "true"}) if chosen else ("button", {})
                target = explained_at(account_id, **{**asked, "window": name})
                Text("a", words.capitalize(), classes, href=target, **current)


def _value(found: Json) -> str:
    if found["survey_type"] == "nps":
        return wording.points(found["nps"])
    mean = found["mean_score"]
    return wording.NOTHING if mean is None else f"{wording.decimal(mean)} {wording.SCALES[found['survey_type']]}"


def _draw_counted(account_id: str, found: Json) -> None:
    counted = found["counted"]
    if not counted:
        empty("No answer counts: there is no figure.")
        return
    if found["survey_type"] == "nps":
        Text("p", wording.formula(found))
        Text("p", f"{wording.interval(found)}: so far chance alone may move it.", "muted")
    else:
        total = sum(one["score"] for one in counted)
        Text("p", f"{total} points ÷ {wording.count(len(counted), 'answer')} = {_value(found)}")
    table(("Who", "Score", "When"), [_row(account_id, found, one) for one in counted], "Answers that count")


def _draw_rest(account_id: str, found: Json) -> None:
    rest = found["not_counted"]
    if not rest:
        empty("Every answer of this account counts.")
        return
    for reason, words in REASONS.items():
        some = [one for one in rest if one["reason"] == reason]
        if some:
            with box("details"):
                Text("summary", f"{wording.count(len(some), 'answer')}: {words}")
                table(("Who", "Score", "When"), [_row(account_id, found, one) for one in some], words.capitalize())


def _row(account_id: str, found: Json, one: Json) -> list[Cell]:
    person = one["stakeholder_id"]
    return [
        partial(person_link, account_id, person, found["names"].get(person)),
        partial(category_chip, one["category"], one["score"]),
        partial(when, one["answered_at"], "time"),
    ]
