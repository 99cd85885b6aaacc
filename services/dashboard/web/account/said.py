"""What people of an account said, how they changed, and what is being done about it."""

import asyncio
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, within
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
SURVEYS = {"nps": "NPS", "csat": "CSAT", "ces": "CES"}
SCALES = {"nps": "of 10", "csat": "of 5", "ces": "of 7"}


def draw_comments(found: list[Json]) -> None:
    """Comments, the newest first."""
    if not found:
        empty("Nobody has written anything yet.")
        return
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
                    Text("span", f" {SURVEYS[one['survey_type']]}, {one['touchpoint'] or one['nps_kind']}, ")
                    when(one["answered_at"], "time")
                if one["comment"]:
                    Text("blockquote", one["comment"], "quote")
                rated = [
                    f"{further['attribute'] or further['question_id']}: {further['value']}"
                    for further in one["answers"]
                ]
                if rated:
                    Text("p", ", ".join(rated), "muted")


def _score(one: Json) -> None:
    if one["category"]:
        category_chip(one["category"], one["score"])
    else:
        Text("span", f"{one['score']} {SCALES[one['survey_type']]}", "chip")


def draw_tasks(account_id: str, found: list[Json]) -> None:
    """Follow-ups, open ones first."""
    if not found:
        empty("There is none.", "Follow-ups open by themselves when somebody turns.")
        return
    found = sorted(found, key=lambda one: one["state"] == "closed")
    rows: list[list[Cell]] = [
        [
            partial(link, wording.plain(one["kind"]), f"/follow-ups/{one['follow_up_id']}"),
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
        [
            partial(person_link, one["account_id"], one["stakeholder_id"], one["person"]),
            wording.change_words(one["kind"]),
            f"{one['from_score'] if one['from_score'] is not None else wording.NOTHING} → {one['to_score']}",
            partial(when, one["changed_at"]),
        ]
        for one in found
    ]
    table(("Who", "Change", "Scores", "When"), rows, "Changes of category")


async def load_touchpoints(api: Api, account_id: str, window: str) -> list[Json]:
    """CSAT and CES of an account by touchpoint, and its NPS beside them."""
    path = within("/v1/accounts", account_id, "score")
    pairs: set[tuple[str, str]] = {("nps", "")}
    for survey in ("csat", "ces"):
        answers = await api.items("scorer", "/v1/responses", account_id=account_id, survey_type=survey, most=1000)
        pairs |= {(survey, one["touchpoint"] or "") for one in answers}
    order = sorted(pairs, key=lambda pair: (list(SURVEYS).index(pair[0]), pair[1]))
    asked = [api.get("scorer", path, window=window, survey_type=s, touchpoint=t) for s, t in order]
    found = await asyncio.gather(*asked)
    return [one | {"touchpoint": touchpoint} for one, (_, touchpoint) in zip(found, order, strict=True)]


def draw_touchpoints(found: list[Json]) -> None:
    """One row a survey and touchpoint."""
    rows = []
    for one in found:
        survey, mean = one["survey_type"], one["mean_score"]
        if survey == "nps":
            said = [wording.points(one["nps"]), wording.interval(one) or wording.NOTHING]
        else:
            good, words = ("top_two_percent", "satisfied") if survey == "csat" else ("easy_percent", "found it easy")
            value = wording.NOTHING if mean is None else f"{mean:.1f} {SCALES[survey]}"
            said = [value, f"{wording.percent(one[good])} {words}" if mean is not None else wording.NOTHING]
        rows.append(
            [SURVEYS[survey], wording.plain(one["touchpoint"] or "relationship"), *said, str(one["response_count"])]
        )
    table(("Survey", "Touchpoint", "Score", "", "Answers"), rows, "Scores by survey and touchpoint")
    if len(found) == 1:
        Text("p", "No satisfaction (CSAT) or effort (CES) survey was answered yet.", "muted")
