"""One follow-up: who it is about and what they said, the playbook beside it, its history, and what can be done."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, within
from services.dashboard.web.bits import (
    Text,
    account_link,
    box,
    category_chip,
    facts,
    person_link,
    severity_chip,
    when,
)
from services.dashboard.web.follow_ups.steps import Steps
from services.dashboard.web.frame import page
from services.dashboard.web.names import Names
from services.dashboard.web.section import Section, Visit

Json = dict[str, Any]
ACTIONS = {
    "opened": "opened", "acknowledged": "took it on", "started": "began the work", "snoozed": "put it away",
    "assigned": "handed it over", "promised": "wrote down a promise", "commented": "said", "closed": "closed it",
    "reopened": "opened it again", "escalated": "escalated", "occurred": "it happened again",
}  # fmt: skip


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

    Section(visit, "", load, _draw_head, classes="plain")
    with box("div", "grid"):
        Section(visit, "What to do", load, partial(_draw_playbook, steps), classes="two-thirds")
        Section(visit, "About", load, _draw_about, classes="third")
        Section(visit, "What they said", load, _draw_answer)
        Section(visit, "History", load, _draw_history)


def _draw_head(one: Json) -> None:
    Text("h1", one["title"])
    with box("p", "lead"):
        severity_chip(one["severity"])
        Text("span", f" {wording.STATE_NAMES[one['state']]} · due ")
        when(one["due_at"], "time")
        Text("span", f" · {one['owner']['name'] or one['owner']['email'] or 'nobody'}")


def _draw_playbook(steps: Steps, one: Json) -> None:
    for sentence in one["playbook"].split(". "):
        Text("p", sentence if sentence.endswith(".") else f"{sentence}.")
    Text("h3", "Why it is here")
    with box("ul"):
        for reason in one["reasons"]:
            Text("li", reason)
        for kind in one["inhibited"]:
            Text("li", f"stands for {wording.plain(kind).lower()} as well", "muted")
    if one["promise"]:
        Text("h3", "Promised")
        with box("p"):
            Text("span", f"{one['promise']['what']}, by ")
            when(one["promise"]["by"], "time")
    if one["state"] == "closed":
        Text("h3", f"Closed: {one['outcome']}")
        for name in ("root_cause", "what_was_done", "result"):
            if one[name]:
                Text("p", f"{wording.plain(name)}: {one[name]}")
        if one["told_customer"] is not None:
            Text("p", "The customer was told." if one["told_customer"] else "The customer was not told.")
    steps.draw(one)


def _draw_about(one: Json) -> None:
    account, person = one["account_id"], one["stakeholder_id"]
    rows: dict[str, Any] = {"Account": partial(account_link, account, one["account"])}
    if person:
        rows["Person"] = partial(person_link, account, person, one["person"])
    rows |= {
        "Owner": f"{one['owner']['name'] or one['owner']['email'] or 'nobody'} ({one['owner_source']})",
        "Informed": ", ".join(also["name"] or also["email"] for also in one["informed"]) or wording.NOTHING,
        "Opened": partial(when, one["opened_at"], "time"),
        "First touch": partial(when, one["acknowledged_at"], "time"),
        "Comes back": partial(when, one["snoozed_until"], "time"),
        "Closed": partial(when, one["closed_at"], "time"),
        "Happened": wording.count(one["occurrences"], "time"),
    }
    facts(rows)


def _draw_answer(one: Json) -> None:
    answer = one["response"]
    if not answer:
        Text("p", "There is no answer behind it.", "empty")
        return
    with box("p", "muted"):
        category_chip(answer.get("category"), answer["score"])
        Text("span", f" {answer['survey_type'].upper()}, ")
        when(answer["answered_at"], "time")
    Text("blockquote", answer.get("comment") or "Without a comment.", "quote")


def _draw_history(one: Json) -> None:
    with box("ol", "history"):
        for line in reversed(one["history"]):
            with box("li"):
                with box("p", "muted"):
                    Text("span", f"{_actor(line['actor'], one['people'])}: {_deed(line['action'])}, ")
                    when(line["at"], "time")
                if line["comment"]:
                    Text("blockquote", line["comment"], "quote")


def _deed(action: str) -> str:
    return ACTIONS.get(action, wording.plain(action).lower())


def _actor(actor: str, people: dict[str, str]) -> str:
    if actor == "system":
        return "Tellback"
    key_id = actor.removeprefix("key:")
    return people.get(key_id, f"API key {key_id}")
