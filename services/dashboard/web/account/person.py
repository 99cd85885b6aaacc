"""The page of one person of an account: their state, answers and follow-ups."""

import asyncio
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.domain.survey_texts import language_name
from services.dashboard.web.account.comments import score_chip
from services.dashboard.web.account.follow_ups import draw_follow_ups
from services.dashboard.web.account.merging import place_further_ids
from services.dashboard.web.account.view import PersonNames
from services.dashboard.web.directory.people import changing
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_link,
    box,
    category_chip,
    empty,
    facts,
    person_link,
    tab_title,
    table,
    when,
)
from services.dashboard.web.follow_ups.opening import opening
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.asks import draw_asks_of_person
from services.dashboard.web.surveys.linking import making
from shared.api.asks import Ask
from shared.api.follow_ups import FollowUp
from shared.api.people import AnswerReference, Change, FurtherAnswer, PersonWithResponses, Response
from shared.api.questions import ASKS, CHANGES, FOLLOW_UPS, STAKEHOLDER
from shared.errors import TellbackError
from shared.http.client import Api

MOST = 100


@page("/accounts/{account_id}/people/{stakeholder_id}", "Person")
async def person(visit: Visit) -> None:
    """Draw the page."""
    who = {"account_id": visit.path["account_id"], "stakeholder_id": visit.path["stakeholder_id"]}

    async def load(api: Api) -> PersonWithResponses:
        return await api.ask(STAKEHOLDER, **who)

    async def name(api: Api) -> PersonNames:
        try:
            found = await load(api)
        except TellbackError:
            return {}
        return {found.stakeholder_id: found.name or found.stakeholder_id}

    async def load_follow_ups(api: Api) -> tuple[list[FollowUp], PersonNames]:
        return await asyncio.gather(api.ask_all(FOLLOW_UPS, most=MOST, sort="-updated_at", **who), name(api))

    async def load_changes(api: Api) -> tuple[list[Change], PersonNames]:
        return await asyncio.gather(api.ask_all(CHANGES, most=MOST, sort="-changed_at", **who), name(api))

    async def load_asks(api: Api) -> list[Ask]:
        return await api.ask_all(ASKS, most=MOST, **who)

    Section(visit, "", load, _draw_head, classes="plain", subject="person")
    with box("div", "buttons"):
        opening(visit, **who)
        making(visit, **who)
        changing(visit, **who)
    with box("div", "columns"):
        with box("div", "stack"):
            Section(visit, "Where they stand", load, partial(_draw_state, visit))
            Section(visit, "All their answers", load, _draw_answers)
        with box("div", "stack"):
            Section(visit, "Follow-ups", load_follow_ups, lambda found: draw_follow_ups(who["account_id"], *found))
            Section(visit, "Asked by Tellback", load_asks, partial(draw_asks_of_person, visit))
            Section(visit, "What changed", load_changes, _draw_changes)


def _draw_head(person: PersonWithResponses) -> None:
    name = person.name or person.stakeholder_id
    tab_title(name)
    Text("h1", name)
    with box("p", "lead"):
        kind = wording.TYPE_NAMES.get(person.type or "", "")
        Text("span", ", ".join(part for part in (kind, person.job_title) if part) + " at ")
        account_link(person.account_id, person.account_name)


def _draw_state(visit: Visit, person: PersonWithResponses) -> None:
    state = person.state
    answered, silent = None, "no"
    if state.latest:
        answered = state.latest.answered_at
    if state.silent:
        silent = "yes: asked, and no answer since"
    rows: dict[str, Cell] = {
        "Latest": partial(category_chip, state.category, state.score),
        "Before": partial(_chip, state.previous),
        "Falls in a row": str(state.falls_in_a_row),
        "Answered": partial(when, answered, "time"),
        "Asked": _days(state.days_since_asked),
        "Silent": silent,
        "E-mail": person.email or wording.NOTHING,
    }
    if person.location:
        rows["Location"] = person.location
    if person.language:
        rows["Language"] = language_name(person.language)
    if person.aliases:
        rows["Further ids"] = partial(place_further_ids, visit, person.account_id, person.aliases)
    if person.previous:
        rows["Was before"] = partial(_earlier_line, person.previous.account_id, person.previous.stakeholder_id)
    facts(rows)


def _chip(answer: AnswerReference | None) -> None:
    if answer is None:
        category_chip(None)
    else:
        category_chip(answer.category, answer.score)


def _earlier_line(account_id: str, stakeholder_id: str) -> None:
    """Who they were at the account where they were before, with what they said there."""
    person_link(account_id, stakeholder_id)
    Text("span", " at ")
    account_link(account_id)


def _days(days: int | None) -> str:
    if days is None:
        return "never"
    if days == 0:
        return "today"
    return f"{wording.count(days, 'day')} ago"


def _draw_answers(person: PersonWithResponses) -> None:
    """Draw all answers, the newest first."""
    if not person.responses:
        empty("They have not answered yet.")
        return
    with box("div", "quotes"):
        for response in reversed(person.responses):
            _answer(response)


def _answer(response: Response) -> None:
    occasion = wording.plain(response.touchpoint or response.nps_kind).lower()
    with box("div"):
        with box("p", "muted"):
            score_chip(response)
            Text("span", f" {wording.SURVEYS[response.survey_type]}, {occasion}, ")
            when(response.answered_at, "time")
        if response.comment:
            Text("blockquote", response.comment, "quote")
        if response.answers:
            Text("p", ", ".join(_rating(further) for further in response.answers), "muted")


def _rating(further: FurtherAnswer) -> str:
    return f"{wording.plain(further.attribute or further.question_id)}: {further.value}"


def _draw_changes(found: tuple[list[Change], PersonNames]) -> None:
    """Draw the category changes, the newest first."""
    changes, names = found
    if not changes:
        empty("No changes of category yet.")
        return
    table(("Who", "Change", "Scores", "When"), [_change(change, names) for change in changes], "Changes of category")


def _change(change: Change, names: PersonNames) -> list[Cell]:
    before = wording.if_known(change.from_score, str)
    return [
        partial(person_link, change.account_id, change.stakeholder_id, names.get(change.stakeholder_id)),
        wording.change_words(change.kind),
        f"{before} → {change.to_score}",
        partial(when, change.changed_at),
    ]
