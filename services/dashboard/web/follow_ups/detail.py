"""One follow-up: what they said, the playbook beside it, what can be done, and all that happened."""

from functools import partial
from typing import Any

from services.dashboard.domain import follow_ups as told
from services.dashboard.domain import wording
from services.dashboard.web.bits import (
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
    when,
)
from services.dashboard.web.follow_ups.reasons import draw_why
from services.dashboard.web.follow_ups.steps import Steps
from services.dashboard.web.frame import page
from services.dashboard.web.names import Names
from services.dashboard.web.section import Section, Visit
from shared.http.client import Api, within

Json = dict[str, Any]
SOURCES = {"directory": "", "default": ", since nobody owns the account", "assigned": ", assigned by hand"}
CAUSES = {"overdue": "", "promise_near": ": promise near", "promise_past": ": promise past"}


@page("/follow-ups/{follow_up_id}", "Follow-up")
async def follow_up(visit: Visit) -> None:
    """Draw the page."""
    path = within("/v1/follow-ups", visit.path["follow_up_id"])
    names = Names()
    steps = Steps(visit, path)

    async def load(api: Api) -> Json:
        found = await api.get("alerting", path)
        named = (await names.add_to(api, [found]))[0]
        return named | {"people": await visit.resources.desk.names_of_keys()}

    async def load_why(api: Api) -> Json:
        return await api.get("alerting", f"{path}/why")

    Section(visit, "", load, _draw_head, classes="plain")
    with box("div", "columns uneven"):
        with box("div", "stack"):
            Section(visit, "What they said", load, _draw_answer)
            Section(visit, "What to do", load, partial(_draw_playbook, steps))
            Section(visit, "History", load, _draw_history)
        with box("div", "stack"):
            Section(visit, "About", load, _draw_about)
            Section(visit, "Why it is here", load_why, draw_why)


def _draw_head(one: Json) -> None:
    Text("h1", one["title"])
    with box("p", "lead"):
        severity_chip(one["severity"])
        Text("span", f" {wording.STATE_NAMES[one['state']]} · due ")
        when(one["due_at"], "time")
        Text("span", f" · {one['owner']['name'] or one['owner']['email'] or 'nobody'}")
    if one["state"] != "closed" and not one["reason_holds"]:
        with box("p", "notice warn"):
            Text("strong", "No longer so since ")
            when(one["over_since"], "time")
            Text("span", f": {one['over_because']}.")


def _draw_playbook(steps: Steps, one: Json) -> None:
    with box("ul"):
        for sentence in one["playbook"].split(". "):
            Text("li", sentence if sentence.endswith(".") else f"{sentence}.")
    if one["promise"]:
        Text("h3", "Promised")
        with box("p"):
            Text("span", f"{one['promise']['what']}, by ")
            when(one["promise"]["by"], "time")
    if one["state"] == "closed":
        _draw_closing(one)
    steps.draw(one)


def _draw_closing(one: Json) -> None:
    by_itself = " by itself" if one["closed_by"] == "facts" else ""
    Text("h3", f"Closed{by_itself}: {told.outcome(one['outcome'])}")
    if one["over_because"]:
        Text("p", f"{one['over_because']}.", "muted")
    rows: dict[str, Cell] = {
        words: one[name]
        for name, words in (("root_cause", "Root cause"), ("what_was_done", "Done"), ("result", "What came of it"))
        if one[name]
    }
    if one["told_customer"] is not None:
        rows["The customer"] = "was told" if one["told_customer"] else "was not told"
    rows["Their next answer"] = partial(_next_answer, one["next_answer"])
    facts(rows)


def _next_answer(found: Json | None) -> None:
    if found is None:
        Text("span", "has not come yet", "muted")
        return
    with box("span"):
        Text("span", f"{told.next_answer(found)}: {found['score']}, ")
        when(found["answered_at"])


def _draw_about(one: Json) -> None:
    account, person = one["account_id"], one["stakeholder_id"]
    rows: dict[str, Cell] = {"Account": partial(account_link, account, one["account"])}
    if person:
        rows["Person"] = partial(person_link, account, person, one["person"])
    owner = one["owner"]["name"] or one["owner"]["email"] or "nobody"
    rows["Owner"] = owner + SOURCES[one["owner_source"]]
    if one["informed"]:
        rows["Informed"] = ", ".join(also["name"] or also["email"] for also in one["informed"])
    rows["Opened"] = partial(when, one["opened_at"], "time")
    if one["linked_to"]:
        rows["Beside"] = partial(link, "Another follow-up", f"/follow-ups/{one['linked_to']}")
    times = {"acknowledged_at": "First touch", "snoozed_until": "Comes back", "closed_at": "Closed"}
    rows |= {words: partial(when, one[name], "time") for name, words in times.items() if one[name]}
    if one["occurrences"] > 1:
        rows["Happened"] = wording.count(one["occurrences"], "time")
    for level in one["escalations"] if one["state"] == "open" or one["promise"] else []:
        to = told.RECIPIENTS.get(level["to"], level["to"])
        verb = "Escalated" if level["fired_at"] else "Escalates"
        rows[f"{verb} to {to}{CAUSES[level['cause']]}"] = partial(when, level["fired_at"] or level["due_at"], "time")
    facts(rows)


def _draw_answer(one: Json) -> None:
    answer = one["response"]
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
    if one["next_answer"] and one["state"] != "closed":
        with box("p"):
            Text("span", "They have answered again: ")
            _next_answer(one["next_answer"])


def _draw_history(one: Json) -> None:
    with box("ol", "history"):
        for line in reversed(one["history"]):
            with box("li"):
                with box("p", "muted"):
                    Text("span", f"{told.actor(line['actor'], one['people'])}: {told.deed(line['action'])}, ")
                    when(line["at"], "time")
                if told.moved(line):
                    Text("p", f"Score: {told.moved(line)}")
                if line["comment"]:
                    Text("blockquote", line["comment"], "quote")
