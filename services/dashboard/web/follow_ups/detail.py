"""One follow-up: the answer, the playbook beside it, the actions, and the history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from services.dashboard.domain import follow_ups as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_link,
    box,
    category_chip,
    empty,
    facts,
    link,
    person_link,
    severity_chip,
    tab_title,
    when,
)
from services.dashboard.web.follow_ups.listing import owner_of
from services.dashboard.web.follow_ups.reasons import draw_why
from services.dashboard.web.follow_ups.steps import Steps
from services.dashboard.web.names import NameBook, NameLookup, actors_of, pair_of
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.follow_ups import EscalationView, FollowUpDetail, NextAnswerView, Why
from shared.api.questions import FOLLOW_UP, FOLLOW_UP_REASONS
from shared.http.client import Api

SOURCES = {"directory": "", "default": ", since nobody owns the account", "assigned": ", assigned by hand"}
TOLD = {True: "was told", False: "was not told"}
CAUSES = {"overdue": "", "promise_near": ": promise near", "promise_past": ": promise past"}


@page("/follow-ups/{follow_up_id}", "Follow-up")
async def follow_up(visit: Visit) -> None:
    """Draw the page."""
    follow_up_id = visit.path["follow_up_id"]
    names = NameLookup()
    steps = Steps(visit, follow_up_id)

    async def load(api: Api) -> Shown:
        found = await api.ask(FOLLOW_UP, follow_up_id=follow_up_id)
        book = await names.of(api, [pair_of(found)])
        return Shown(found, book, await actors_of(api, visit.resources.desk, visit.user))

    async def load_why(api: Api) -> Why:
        return await api.ask(FOLLOW_UP_REASONS, follow_up_id=follow_up_id)

    Section(visit, "", load, _draw_head, classes="plain", subject="follow-up")
    with box("div", "columns uneven"):
        with box("div", "stack"):
            Section(visit, "What they said", load, _draw_answer)
            Section(visit, "What to do", load, partial(_draw_playbook, steps))
            Section(visit, "History", load, _draw_history)
        with box("div", "stack"):
            Section(visit, "About", load, _draw_about)
            Section(visit, "Why it is here", load_why, partial(draw_why, visit))


@dataclass(frozen=True)
class Shown:
    """A follow-up, the names of its account and person, and the names behind keys."""

    follow_up: FollowUpDetail
    names: NameBook
    people: Mapping[str, str]


def _draw_head(shown: Shown) -> None:
    follow_up = shown.follow_up
    tab_title(follow_up.title)
    Text("h1", follow_up.title)
    with box("p", "lead"):
        severity_chip(follow_up.severity)
        Text("span", f" {wording.STATE_NAMES[follow_up.state]} · due ")
        when(follow_up.due_at, "time")
        Text("span", f" · {owner_of(follow_up)}")
    if follow_up.state != "closed" and not follow_up.reason_holds:
        with box("p", "notice warn"):
            Text("strong", "No longer applies since ")
            when(follow_up.over_since, "time")
            Text("span", f": {follow_up.over_because}.")


def _draw_playbook(steps: Steps, shown: Shown) -> None:
    follow_up = shown.follow_up
    with box("ul"):
        for sentence in follow_up.playbook.split(". "):
            Text("li", f"{sentence.removesuffix('.')}.")
    if follow_up.promise:
        Text("h3", "Promised")
        with box("p"):
            Text("span", f"{follow_up.promise.what}, by ")
            when(follow_up.promise.by, "time")
    if follow_up.state == "closed":
        _draw_closing(follow_up)
    steps.draw(follow_up)


def _draw_closing(follow_up: FollowUpDetail) -> None:
    by_itself = ""
    if follow_up.closed_by == "facts":
        by_itself = " by itself"
    Text("h3", f"Closed{by_itself}: {told.outcome(follow_up.outcome or '')}")
    if follow_up.over_because:
        Text("p", f"{follow_up.over_because}.", "muted")
    said = {
        "Root cause": follow_up.root_cause,
        "Done": follow_up.what_was_done,
        "What came of it": follow_up.result,
    }
    rows: dict[str, Cell] = {words: text for words, text in said.items() if text}
    if follow_up.told_customer is not None:
        rows["The customer"] = TOLD[follow_up.told_customer]
    rows["Their next answer"] = partial(_next_answer, follow_up.next_answer)
    facts(rows)


def _next_answer(answer: NextAnswerView | None) -> None:
    if answer is None:
        Text("span", "has not come yet", "muted")
        return
    with box("span"):
        Text("span", f"{told.next_answer(answer.result)}: {answer.score}, ")
        when(answer.answered_at)


def _levels(follow_up: FollowUpDetail) -> Sequence[EscalationView]:
    """The levels that others are told at; none once somebody has taken it on and promised nothing."""
    if follow_up.state == "open" or follow_up.promise:
        return follow_up.escalations
    return ()


def _draw_about(shown: Shown) -> None:
    follow_up, pair = shown.follow_up, pair_of(shown.follow_up)
    account, person = follow_up.account_id, follow_up.stakeholder_id
    rows: dict[str, Cell] = {"Account": partial(account_link, account, shown.names.account(pair))}
    if person:
        rows["Person"] = partial(person_link, account, person, shown.names.person(pair))
    rows["Owner"] = owner_of(follow_up) + SOURCES[follow_up.owner_source]
    if follow_up.informed:
        rows["Informed"] = ", ".join(contact.name or contact.email or "" for contact in follow_up.informed)
    rows["Opened"] = partial(when, follow_up.opened_at, "time")
    if follow_up.linked_to:
        rows["See also"] = partial(link, "Another follow-up", f"/follow-ups/{follow_up.linked_to}")
    times = {
        "First touch": follow_up.acknowledged_at,
        "Comes back": follow_up.snoozed_until,
        "Closed": follow_up.closed_at,
    }
    rows |= {words: partial(when, at, "time") for words, at in times.items() if at}
    if follow_up.occurrences > 1:
        rows["Happened"] = wording.count(follow_up.occurrences, "time")
    for level in _levels(follow_up):
        to = told.RECIPIENTS.get(level.to, level.to)
        verb = "Escalates"
        if level.fired_at:
            verb = "Escalated"
        rows[f"{verb} to {to}{CAUSES[level.cause]}"] = partial(when, level.fired_at or level.due_at, "time")
    facts(rows)


def _draw_answer(shown: Shown) -> None:
    follow_up = shown.follow_up
    answer = follow_up.response
    if not answer:
        empty("There is no answer behind it.")
        return
    with box("p", "muted"):
        category_chip(answer.get("category"), answer["score"])
        Text("span", f" {answer['survey_type'].upper()}, ")
        when(answer["answered_at"], "time")
    if answer.get("comment"):
        Text("blockquote", answer["comment"], "quote")
    else:
        Text("p", "Without a comment: ask what is behind the score.", "muted")
    if follow_up.next_answer and follow_up.state != "closed":
        with box("p"):
            Text("span", "They have answered again: ")
            _next_answer(follow_up.next_answer)


def _draw_history(shown: Shown) -> None:
    with box("ol", "history"):
        for line in reversed(shown.follow_up.history):
            with box("li"):
                with box("p", "muted"):
                    who = told.actor(line.actor, shown.people, line.actor_name)
                    Text("span", f"{who}: {told.deed(line.action)}, ")
                    when(line.at, "time")
                if told.moved(line.changes):
                    Text("p", f"Score: {told.moved(line.changes)}")
                if line.comment:
                    Text("blockquote", line.comment, "quote")
