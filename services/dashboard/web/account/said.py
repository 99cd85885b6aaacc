"""What people of an account said, how they changed, and what is being done about it."""

import asyncio
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.domain.follow_ups import kind
from services.dashboard.gateways.services import Api, within
from services.dashboard.web.account.explanation import explained_at
from services.dashboard.web.bits import (
    Cell,
    Text,
    address,
    box,
    category_chip,
    empty,
    link,
    person_link,
    severity_chip,
    table,
    when,
)

Json = dict[str, Any]
MOST_ANSWERS, FIRST_COMMENTS = 1000, 8


def draw_comments(found: list[Json]) -> None:
    """Comments, the newest first."""
    if not found:
        empty("Nobody has written anything yet.")
        return
    _quotes(found[:FIRST_COMMENTS])
    if len(found) > FIRST_COMMENTS:
        with box("details"):
            Text("summary", f"{len(found) - FIRST_COMMENTS} earlier ones")
            _quotes(found[FIRST_COMMENTS:])


def _quotes(found: list[Json]) -> None:
    with box("div", "quotes"):
        for one in found:
            with box("div"):
                with box("p", "muted"):
                    _score(one)
                    Text("span", " ")
                    person_link(one["account_id"], one["stakeholder_id"], one["person"])
                    Text("span", ", ")
                    when(one["answered_at"])
                    if one["follow_up_requested"]:
                        Text("span", " · asked to be called")
                Text("blockquote", one["comment"], "quote")


def draw_answers(answers: list[Json]) -> None:
    """All answers of one person, the newest first."""
    if not answers:
        empty("They have not answered yet.")
        return
    with box("div", "quotes"):
        for one in reversed(answers):
            with box("div"):
                with box("p", "muted"):
                    _score(one)
                    Text("span", f" {wording.SURVEYS[one['survey_type']]}, {_occasion(one)}, ")
                    when(one["answered_at"], "time")
                if one["comment"]:
                    Text("blockquote", one["comment"], "quote")
                rated = [
                    f"{wording.plain(further['attribute'] or further['question_id'])}: {further['value']}"
                    for further in one["answers"]
                ]
                if rated:
                    Text("p", ", ".join(rated), "muted")


def _occasion(one: Json) -> str:
    return wording.plain(one["touchpoint"] or one["nps_kind"]).lower()


def _score(one: Json) -> None:
    if one["category"]:
        category_chip(one["category"], one["score"])
    else:
        Text("span", f"{one['score']} {wording.SCALES[one['survey_type']]}", "chip")


def draw_tasks(account_id: str, found: list[Json]) -> None:
    """Follow-ups, open ones first."""
    if not found:
        empty("No follow-up yet.", "Follow-ups open by themselves when somebody turns.")
        return
    found = sorted(found, key=lambda one: one["state"] == "closed")
    rows: list[list[Cell]] = [
        [
            partial(link, kind(one["kind"]), f"/follow-ups/{one['follow_up_id']}"),
            one["person"] or "the account",
            partial(severity_chip, one["severity"]),
            wording.STATE_NAMES[one["state"]] + (f", {one['outcome']}" if one["outcome"] else ""),
            partial(when, one["due_at"]),
        ]
        for one in found
    ]
    table(("Follow-up", "About", "Severity", "State", "Due"), rows, "Follow-ups")
    link("On the board", address("/follow-ups", account_id=account_id))


def draw_changes(found: list[Json]) -> None:
    """Category changes, the newest first."""
    if not found:
        empty("Nobody has changed category.")
        return
    rows: list[list[Cell]] = [
        [partial(person_link, one["account_id"], one["stakeholder_id"], one["person"]), *_change(one)] for one in found
    ]
    table(("Who", "Change", "Scores", "When"), rows, "Changes of category")


def _change(one: Json) -> list[Cell]:
    before = wording.NOTHING if one["from_score"] is None else one["from_score"]
    return [wording.change_words(one["kind"]), f"{before} → {one['to_score']}", partial(when, one["changed_at"])]


async def load_touchpoints(api: Api, account_id: str, window: str) -> list[Json]:
    """CSAT and CES of an account by touchpoint, and its NPS beside them."""
    path = within("/v1/accounts", account_id, "score")
    answers = await api.items("scorer", "/v1/responses", account_id=account_id, sort="-answered_at", most=MOST_ANSWERS)
    pairs = {("nps", "")} | {(one["survey_type"], one["touchpoint"] or "") for one in answers}
    order = sorted(pairs, key=lambda pair: (list(wording.SURVEYS).index(pair[0]), pair[1]))
    asked = [api.get("scorer", path, window=window, survey_type=s, touchpoint=t) for s, t in order]
    found = await asyncio.gather(*asked)
    return [one | {"touchpoint": touchpoint} for one, (_, touchpoint) in zip(found, order, strict=True)]


def draw_touchpoints(account_id: str, window: str, found: list[Json]) -> None:
    """One row a survey and touchpoint, each leading to the answers behind it."""
    rows: list[list[Cell]] = []
    for one in found:
        survey, touchpoint = one["survey_type"], one["touchpoint"]
        target = explained_at(account_id, window=window, survey_type=survey, touchpoint=touchpoint)
        name = f"{wording.SURVEYS[survey]}, {touchpoint.replace('_', ' ') if touchpoint else 'all answers'}"
        rows.append([partial(link, name, target), *_scored(one), wording.grouped(one["response_count"])])
    table(("Survey", "Score", "Which means", "Answers"), rows, "Scores by survey and touchpoint")
    if len(found) == 1:
        Text("p", "No satisfaction (CSAT) or effort (CES) survey was answered yet.", "muted")
    else:
        Text("p", "CSAT: satisfaction, 1 to 5. CES: how easy it was, 1 to 7.", "muted")


def _scored(one: Json) -> list[Cell]:
    survey, mean = one["survey_type"], one["mean_score"]
    if survey == "nps":
        return [wording.points(one["nps"]), wording.interval(one) or wording.NOTHING]
    if mean is None:
        return [wording.NOTHING, wording.NOTHING]
    good, words = ("top_two_percent", "satisfied") if survey == "csat" else ("easy_percent", "found it easy")
    return [f"{wording.decimal(mean)} {wording.SCALES[survey]}", f"{wording.percent(one[good])} {words}"]
