"""Webhook endpoints: the list, and adding one."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, box, empty, link, table, when
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, show_once
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs
from shared.api.calls import ADD_ENDPOINT
from shared.api.questions import ENDPOINTS
from shared.api.webhooks import EndpointItem, EndpointWithSecret
from shared.http.client import Api, within

VERIFIES = "It verifies the signatures. It is shown this once."
TYPES = (
    "follow_up.opened", "follow_up.updated", "follow_up.escalated", "follow_up.closed",
    "stakeholder.category_changed", "account_score.changed", "account_score.dropped",
    "survey_response.created", "survey_response.updated",
)  # fmt: skip
FORMATS = {"json": "JSON, after Standard Webhooks", "slack": "A message in Slack", "teams": "A message in Teams"}


@page("/settings", "Webhooks", scope="manage")
async def webhooks(visit: Visit) -> None:
    """Draw the list of endpoints."""
    tabs("/settings", "Where follow-ups and changes are sent, signed after Standard Webhooks")

    async def load(api: Api) -> list[EndpointItem]:
        return await api.ask_all(ENDPOINTS)

    Section(visit, "Endpoints", load, partial(_draw, visit), classes="wide", under_way=_any_waits)


def _any_waits(endpoints: list[EndpointItem]) -> bool:
    """Whether messages wait for a failing receiver: they are sent again automatically."""
    return any(endpoint.breaker == "open" for endpoint in endpoints)


def state_of(endpoint: EndpointItem) -> str:
    """Whether messages go out, and if not, why."""
    if endpoint.status == "disabled":
        return f"▼ disabled: {wording.plain(endpoint.disabled_reason).lower()}"
    if endpoint.breaker == "open":
        return "▼ failing: messages wait"
    return "● sending"


def told_of(endpoint: EndpointItem) -> str:
    """The event types of an endpoint, in words."""
    if endpoint.event_types:
        return ", ".join(endpoint.event_types)
    return "everything"


def _draw(visit: Visit, endpoints: list[EndpointItem]) -> None:
    if not endpoints:
        empty("No webhook endpoints yet.", "Add the address of your CRM or a chat.")
    else:
        rows: list[list[Cell]] = [
            [
                partial(link, endpoint.url, within("/settings/webhooks", endpoint.id)),
                endpoint.description or wording.NOTHING,
                told_of(endpoint),
                state_of(endpoint),
                partial(when, endpoint.last_success_at, "ago"),
                partial(when, endpoint.last_failure_at, "ago"),
            ]
            for endpoint in endpoints
        ]
        heads = ("Address", "What for", "Events", "State", "Last success", "Last failure")
        table(heads, rows, "Webhook endpoints")

    with box("div", "buttons"):
        button(
            "Add an endpoint",
            lambda: ask("Add an endpoint", _fields, partial(_create, visit), "Add it"),
            "main",
        )


def _fields(fields: Fields) -> None:
    fields.text("url", "Address (https://…)", kind="url")
    fields.choice("format", "What is sent", FORMATS)
    fields.several("event_types", "Events; none selected means all", dict(zip(TYPES, TYPES, strict=True)))
    fields.text("description", "What it is for")
    fields.tick("ordered", "Messages of one account arrive in order")


async def _create(visit: Visit, values: Values) -> bool:
    wanted = {name: value for name, value in values.items() if value}
    made: list[EndpointWithSecret] = []

    async def work() -> None:
        new = await (await visit.api()).call(ADD_ENDPOINT, {"url": "", **wanted})
        made.append(new)
        await visit.resources.desk.note(visit.user, "added_webhook", new.url)

    worked = await attempt(work(), "Added")
    if worked:
        show_once("The secret of the endpoint", VERIFIES, made[0].secret)
    await visit.refresh()
    return worked
