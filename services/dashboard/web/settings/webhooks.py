"""Webhook endpoints with their deliveries: what went out, what failed and why, and sending it again."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, within
from services.dashboard.web.bits import Cell, Text, box, empty, link, table, when
from services.dashboard.web.controls import Fields, ask, attempt, button, over_the_page
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs

Json = dict[str, Any]
ENDPOINTS = "/v1/webhook-endpoints"
LATEST = 100


@page("/settings", "Webhooks", scope="manage")
async def webhooks(visit: Visit) -> None:
    """Draw the list of endpoints."""
    tabs("/settings", "Where follow-ups and changes are sent, signed after Standard Webhooks")

    async def load(api: Api) -> list[Json]:
        return await api.items("alerting", ENDPOINTS)

    Section(visit, "Endpoints", load, partial(_draw_endpoints, visit), classes="wide")


def _draw_endpoints(visit: Visit, found: list[Json]) -> None:
    if not found:
        empty("No endpoint is told of anything yet.", "Add the address of your CRM or a chat.")
    else:
        rows: list[list[Cell]] = [
            [
                partial(link, one["url"], within("/settings/webhooks", one["id"])),
                ", ".join(one["event_types"]) if one["event_types"] else "everything",
                one["status"]
                + (f": {wording.plain(one['disabled_reason']).lower()}" if one["disabled_reason"] else ""),
                partial(when, one["last_success_at"], "ago"),
                partial(when, one["last_failure_at"], "ago"),
            ]
            for one in found
        ]
        table(("Address", "Told of", "State", "Last success", "Last failure"), rows, "Webhook endpoints")

    async def send(values: Json) -> bool:
        wanted = {"url": values.get("url", ""), "description": values.get("description")}
        if values.get("event_types"):
            wanted["event_types"] = [name.strip() for name in values["event_types"].split(",") if name.strip()]
        return await _create(visit, wanted)

    with box("div", "buttons"):
        button("Add an endpoint", lambda: ask("Add an endpoint", _fields, send, "Add it"), "main")


def _fields(fields: Fields) -> None:
    fields.text("url", "Address (https://…)", kind="url")
    fields.text("event_types", "Told of, separated by commas; empty for everything")
    fields.text("description", "What it is for")


async def _create(visit: Visit, wanted: Json) -> bool:
    made: Json = {}

    async def work() -> None:
        made.update(await (await visit.api()).post("alerting", ENDPOINTS, wanted))
        await visit.resources.desk.note(visit.user, "added_webhook", made["id"])

    worked = await attempt(work(), "Added")
    if worked:
        show_once("The secret of the endpoint", "It verifies the signatures. It is shown this once.", made["secret"])
    await visit.refresh()
    return worked


def show_once(title: str, lead: str, secret: str) -> None:
    """Something that is shown only now."""
    with over_the_page(title) as dialog, box("div", "dialog"):
        Text("h2", title)
        Text("p", lead)
        Text("code", secret, "secret")
        with box("div", "buttons"):
            button("I have kept it", dialog.close, "main")
    dialog.open()


@page("/settings/webhooks/{endpoint_id}", "Endpoint", scope="manage")
async def endpoint(visit: Visit) -> None:
    """Draw one endpoint with its deliveries."""
    tabs("/settings", "What was sent to this endpoint, and how it went")
    path = within(ENDPOINTS, visit.path["endpoint_id"])

    async def load(api: Api) -> Json:
        return await api.get("alerting", path)

    async def deliveries(api: Api) -> list[Json]:
        return await api.items("alerting", f"{path}/deliveries", most=LATEST)

    Section(visit, "Endpoint", load, partial(_draw_endpoint, visit, path), classes="wide")
    Section(visit, "Deliveries", deliveries, partial(_draw_deliveries, visit), classes="wide")


def _draw_endpoint(visit: Visit, path: str, one: Json) -> None:
    Text("p", one["url"])
    Text("p", f"{one['status']}, {wording.count(one['consecutive_failures'], 'failure')} in a row", "muted")
    enabled = one["status"] == "enabled"

    async def test() -> None:
        await _do(visit, "post", f"{path}/test", {}, "A test message is on its way")

    async def switch() -> None:
        await _do(visit, "patch", path, {"enabled": not enabled}, "Held" if enabled else "Sending again")

    with box("div", "buttons"):
        button("Send a test", test)
        button("Hold messages" if enabled else "Send messages again", switch)


async def _do(visit: Visit, verb: str, path: str, body: Json, done: str) -> None:
    async def work() -> None:
        api = await visit.api()
        await (api.patch("alerting", path, body) if verb == "patch" else api.post("alerting", path, body or None))
        await visit.resources.desk.note(visit.user, f"webhook_{path.rpartition('/')[2][:40]}", path)

    await attempt(work(), done)
    await visit.refresh()


def _draw_deliveries(visit: Visit, found: list[Json]) -> None:
    if not found:
        empty("Nothing was sent here yet.")
        return
    rows: list[list[Cell]] = [
        [
            one["event_type"],
            one["account_id"] or wording.NOTHING,
            one["status"] + (f": {wording.plain(one['last_failure']).lower()}" if one["last_failure"] else ""),
            str(one["attempt_count"]),
            partial(when, one["created_at"], "time"),
            partial(_again, visit, one),
        ]
        for one in found
    ]
    table(("Message", "Account", "State", "Tries", "Made", ""), rows, "Deliveries")


def _again(visit: Visit, one: Json) -> None:
    async def resend() -> None:
        await _do(visit, "post", within("/v1/deliveries", one["id"], "resend"), {}, "It is being sent again")

    button("Send again", resend)
