"""The explanation of an account's figure: the answers that count, and why each other answer does not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_address,
    address,
    box,
    category_chip,
    choices,
    empty,
    link,
    person_link,
    tab_title,
    table,
    when,
)
from services.dashboard.web.page import page
from services.dashboard.web.score_view import formula
from services.dashboard.web.section import Section, Visit
from shared.api.accounts import CountedAnswer, Explanation
from shared.api.questions import EXPLANATION, STAKEHOLDERS
from shared.http.client import Api

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
    """The address of a figure's explanation; the figure is named by the parameters of the scorer's API."""
    return address(f"{account_address(account_id)}/explain", **figure)


@page("/accounts/{account_id}/explain", "Why this figure")
async def explain(visit: Visit) -> None:
    """Draw the page; the figure is in the address."""
    account_id = visit.path["account_id"]
    asked = visit.given(*NAMES)

    async def load(api: Api) -> Explained:
        explanation, people = await asyncio.gather(
            api.ask(EXPLANATION, account_id=account_id, **asked),
            api.ask_all(STAKEHOLDERS, account_id=account_id, most=2000),
        )
        names = {person.stakeholder_id: person.name for person in people}
        account_name = next((person.account_name for person in people if person.account_name), account_id)
        return Explained(asked, explanation, account_name, names)

    Section(visit, "", load, _draw_head, classes="plain", subject="account")
    Section(visit, "Answers that count", load, _draw_counted)
    Section(visit, "Answers that do not count", load, _draw_rest)


@dataclass(frozen=True)
class Explained:
    """The question, the figure with its answers, and the names of the account and its people by id."""

    asked: dict[str, str]
    explanation: Explanation
    account_name: str
    names: Mapping[str, str | None]


def _draw_head(explained: Explained) -> None:
    explanation, asked = explained.explanation, explained.asked

    def target(window: str) -> str:
        return explained_at(explanation.account_id, **{**asked, "window": window})

    why = f"Why {_value(explanation)}"
    tab_title(f"{why}: {explained.account_name}")
    with box("div", "head"):
        with box():
            Text("h1", why)
            with box("p", "lead"):
                link(explained.account_name, account_address(explanation.account_id))
                survey = wording.SURVEYS[explanation.survey_type]
                Text("span", f": {wording.question(survey, explanation.window, explanation.method, asked)}")
                if asked.get("as_of"):
                    Text("span", ", as of ")
                    when(asked["as_of"], "time")
        choices("Window", wording.WINDOWS, explanation.window, target)


def _value(explanation: Explanation) -> str:
    if explanation.survey_type == "nps":
        return wording.points(explanation.nps)
    if explanation.mean_score is None:
        return wording.NOTHING
    return f"{wording.decimal(explanation.mean_score)} {wording.SCALES[explanation.survey_type]}"


def _draw_counted(explained: Explained) -> None:
    explanation = explained.explanation
    if not explanation.counted:
        empty("No answers count, so there is no figure.")
        return
    if explanation.survey_type == "nps":
        interval = wording.interval(explanation.ci_low, explanation.ci_high)
        Text("p", formula(explanation))
        Text("p", f"{interval}: the margin of error.", "muted")
    else:
        total = sum(answer.score for answer in explanation.counted)
        Text("p", f"{total} points ÷ {wording.count(len(explanation.counted), 'answer')} = {_value(explanation)}")
    rows = [_row(explained, answer) for answer in explanation.counted]
    table(("Who", "Score", "When"), rows, "Answers that count")


def _draw_rest(explained: Explained) -> None:
    not_counted = explained.explanation.not_counted
    if not not_counted:
        empty("Every answer of this account counts.")
        return
    for reason, words in REASONS.items():
        answers = [answer for answer in not_counted if answer.reason == reason]
        if answers:
            with box("details"):
                Text("summary", f"{wording.count(len(answers), 'answer')}: {words}")
                rows = [_row(explained, answer) for answer in answers]
                table(("Who", "Score", "When"), rows, words.capitalize())


def _row(explained: Explained, answer: CountedAnswer) -> list[Cell]:
    person = answer.stakeholder_id
    return [
        partial(person_link, explained.explanation.account_id, person, explained.names.get(person)),
        partial(category_chip, answer.category, answer.score),
        partial(when, answer.answered_at, "time"),
    ]
