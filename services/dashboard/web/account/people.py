"""Who stands where in an account: a map of roles and categories, and the page of one person."""

from collections.abc import Callable
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, within
from services.dashboard.web.account.said import draw_answers, draw_changes, draw_tasks
from services.dashboard.web.bits import Text, account_link, box, category_chip, empty, facts, person_link, when
from services.dashboard.web.follow_ups.opening import opening
from services.dashboard.web.frame import page
from services.dashboard.web.names import Names
from services.dashboard.web.section import Section, Visit

Json = dict[str, Any]
COLUMNS = ("promoter", "passive", "detractor", None)
ROWS = (*wording.TYPE_NAMES, None)


def draw_map(people: list[Json]) -> None:
    """Role by category; who has not answered, or is silent, stands apart."""
    if not people:
        empty("Nobody is known at this account.", "People come with the directory, or with their first answer.")
        return
    with box("div", "map", role="table", aria_label="People by role and category"):
        with box("div", "maprow", role="row"):
            Text("div", "", "axis", role="columnheader", aria_label="Role")
            for column in COLUMNS:
                Text("div", _column(column), "axis", role="columnheader")
        for row in ROWS:
            some = [one for one in people if (one["type"] if one["type"] in wording.TYPE_NAMES else None) == row]
            if some:
                _map_row(wording.TYPE_NAMES[row] if row else "Role unknown", some)


def _column(category: str | None) -> str:
    return f"{wording.CATEGORY_SIGNS[category]} {wording.CATEGORY_NAMES[category]}" if category else "○ Not heard"


def _map_row(name: str, people: list[Json]) -> None:
    with box("div", "maprow", role="row"):
        Text("div", name, "axis", role="rowheader")
        for column in COLUMNS:
            with box("div", "cell", role="cell", data_head=_column(column)):
                for one in people:
                    if one["state"]["category"] == column:
                        _on_map(one)


def _on_map(one: Json) -> None:
    state = one["state"]
    with box("p"):
        person_link(one["account_id"], one["stakeholder_id"], one["name"])
        if state["score"] is not None:
            Text("span", f" {state['score']}")
        if state["silent"]:
            Text("span", " ○ silent", "muted")
        elif state["score"] is None and state["days_since_asked"] is None:
            Text("span", " never asked", "muted")


@page("/accounts/{account_id}/people/{stakeholder_id}", "Person")
async def person(visit: Visit) -> None:
    """Draw the page of a person."""
    account_id, stakeholder_id = visit.path["account_id"], visit.path["stakeholder_id"]
    names = Names()
    path = within("/v1/accounts", account_id, "stakeholders", stakeholder_id)

    async def load(api: Api) -> Json:
        return await api.get("scorer", path)

    def of_person(service: Any, address: str, sort: str) -> Callable[[Api], Any]:
        async def load_some(api: Api) -> list[Json]:
            query = {"account_id": account_id, "stakeholder_id": stakeholder_id, "sort": sort}
            return await names.add_to(api, await api.items(service, address, most=100, **query))

        return load_some

    Section(visit, "", load, _draw_head, classes="plain")
    with box("div", "buttons"):
        opening(visit, account_id, stakeholder_id)
    tasks = of_person("alerting", "/v1/follow-ups", "-updated_at")
    with box("div", "columns"):
        with box("div", "stack"):
            Section(visit, "Where they stand", load, _draw_state)
            Section(visit, "All their answers", load, lambda found: draw_answers(found["responses"]))
        with box("div", "stack"):
            Section(visit, "Follow-ups", tasks, partial(draw_tasks, account_id))
            Section(visit, "What changed", of_person("scorer", "/v1/changes", "-changed_at"), draw_changes)


def _draw_head(one: Json) -> None:
    Text("h1", one["name"] or one["stakeholder_id"])
    with box("p", "lead"):
        kind = wording.TYPE_NAMES.get(one["type"] or "", "")
        Text("span", ", ".join(part for part in (kind, one["job_title"]) if part) + " at ")
        account_link(one["account_id"], one["account_name"])


def _draw_state(one: Json) -> None:
    state = one["state"]
    previous = state["previous"] or {"category": None, "score": None}
    facts(
        {
            "Latest": partial(category_chip, state["category"], state["score"]),
            "Before": partial(category_chip, previous["category"], previous["score"]),
            "Falls in a row": str(state["falls_in_a_row"]),
            "Answered": partial(when, state["latest"]["answered_at"] if state["latest"] else None, "time"),
            "Asked": _days(state["days_since_asked"]),
            "Silent": "yes: asked, and not heard since" if state["silent"] else "no",
            "E-mail": one["email"] or wording.NOTHING,
            "Location": one["location"] or wording.NOTHING,
            "Language": one["language"] or wording.NOTHING,
        }
    )


def _days(days: int | None) -> str:
    return "never" if days is None else "today" if days == 0 else f"{wording.count(days, 'day')} ago"
