"""One webhook endpoint: its health, its secret, its deliveries, and resending failed ones."""

import json
from functools import partial
from typing import Any

from nicegui import ui

from services.dashboard.domain import wording
from services.dashboard.domain.delivery_wording import STATES, under_way, went, why
from services.dashboard.web.elements import Cell, Text, address, box, code, empty, facts, link, table, when
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, filters, show_once, sure
from services.dashboard.web.names import NameBook, NameLookup
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs
from services.dashboard.web.settings.webhooks import FORMATS, TYPES, VERIFIES, state_of, told_of
from shared.api.calls import (
    CHANGE_ENDPOINT,
    DELETE_ENDPOINT,
    RECOVER,
    RESEND,
    ROTATE_SECRET,
    TEST_ENDPOINT,
)
from shared.api.questions import DELIVERIES, DELIVERY, ENDPOINT
from shared.api.webhooks import (
    AttemptItem,
    DeliveryDetail,
    DeliveryItem,
    EndpointDetail,
    EndpointWithSecret,
    NoticeItem,
    RecoveryStarted,
    SecretItem,
)
from shared.http.client import Api, Call, within

Sent = tuple[list[DeliveryItem], NameBook]
"""Deliveries, and the names of their accounts."""
LATEST = 100
ORDERS = {True: "in order", False: "in any order"}
GRACES = {"86400": "One more day", "604800": "One more week", "0": "Not at all: it may be known to others"}


@page("/settings/webhooks/{endpoint_id}", "Endpoint", scope="manage")
async def endpoint(visit: Visit) -> None:
    """Draw one endpoint with its deliveries; the filter is in the address."""
    tabs("/settings", "What was sent to this endpoint, and how it went")
    endpoint_id = visit.path["endpoint_id"]
    chosen = visit.given("status", "event_type", "job_id")

    async def load(api: Api) -> EndpointDetail:
        return await api.ask(ENDPOINT, endpoint_id=endpoint_id)

    names = NameLookup()

    async def deliveries(api: Api) -> Sent:
        found = await api.ask_all(DELIVERIES, most=LATEST, endpoint_id=endpoint_id, **chosen)
        pairs = [(delivery.account_id, None) for delivery in found if delivery.account_id]
        return found, await names.of(api, pairs)

    draw = _Endpoint(visit, endpoint_id).draw
    Section(visit, "Endpoint", load, draw, classes="wide", subject="webhook endpoint")
    Text("h2", "Deliveries")
    Text("p", f"The latest {LATEST}", "lead")
    choices = (
        ("status", "State", {state: words.partition(" ")[2].capitalize() for state, words in STATES.items()}),
        ("event_type", "Message", dict(zip(TYPES, TYPES, strict=True))),
    )
    filters(within("/settings/webhooks", endpoint_id), choices, chosen)
    Section(visit, "", deliveries, partial(_draw_deliveries, visit), classes="wide", under_way=_any_under_way)


class _Endpoint:
    """The endpoint and its actions."""

    def __init__(self, visit: Visit, endpoint_id: str) -> None:
        self._visit, self._id = visit, endpoint_id
        self._address = ""
        """The endpoint in the audit."""

    def draw(self, endpoint: EndpointDetail) -> None:
        self._address = endpoint.url
        rows: dict[str, Cell] = {
            "Address": endpoint.url,
            "What for": endpoint.description or wording.NOTHING,
            "Events": told_of(endpoint),
            "State": f"{state_of(endpoint)}, {wording.count(endpoint.consecutive_failures, 'failure')} in a row",
            "Sent as": f"{FORMATS[endpoint.format]}, {ORDERS[endpoint.ordered]},"
            f" {wording.count(endpoint.max_in_flight, 'request')} at a time",
            "Headers": ", ".join(endpoint.header_names) or "none of your own",
            "Secrets": partial(_draw_secrets, endpoint.secrets),
        }
        if endpoint.next_probe_at:
            rows["Next try"] = partial(when, endpoint.next_probe_at, "ago")
        if endpoint.held_count:
            rows["Held"] = f"{wording.count(endpoint.held_count, 'message')}: “Send a period again” sends them"
        facts(rows)
        _draw_notices(endpoint.notices)
        enabled = endpoint.status == "enabled"
        with box("div", "buttons steps-row"):
            button(
                "Send a test", partial(self._do, TEST_ENDPOINT, None, "A test message is on its way", "tested_webhook")
            )
            fill = partial(_fields, endpoint)
            button("Change", lambda: ask("Change the endpoint", fill, self._change, "Change it"))
            button("New secret", lambda: ask("A new secret", self._rotation, self._rotate, "Make it"))
            button("Send a period again", lambda: ask("Send a period again", _range, self._recover, "Send"))
            words, done, action = "Send messages again", "Sending again", "resumed_webhook"
            if enabled:
                words, done, action = "Hold messages", "Messages are held", "paused_webhook"
            button(words, partial(self._do, CHANGE_ENDPOINT, {"enabled": not enabled}, done, action))
            button("Delete", lambda: sure("Delete the endpoint?", GONE, "Delete it", self._delete))

    async def _change(self, values: Values) -> bool:
        wanted: dict[str, Any] = {
            "event_types": values.get("event_types") or None,
            "description": values.get("description"),
            "ordered": bool(values.get("ordered")),
            "max_in_flight": int(values.get("max_in_flight") or 1),
        }
        if values.get("url"):
            wanted["url"] = values["url"]
        return await self._do(CHANGE_ENDPOINT, wanted, "Changed", "changed_webhook")

    def _rotation(self, fields: Fields) -> None:
        Text("p", "From now on messages are signed with a new secret, and with the old one as long as you say.")
        fields.choice("grace_s", "The old secret signs", GRACES)

    async def _rotate(self, values: Values) -> bool:
        made: list[EndpointWithSecret] = []

        async def work() -> None:
            body = {"grace_s": int(values["grace_s"])}
            made.append(await (await self._visit.api()).call(ROTATE_SECRET, body, endpoint_id=self._id))
            await self._visit.resources.desk.note(self._visit.user, "rotated_webhook_secret", self._address)

        worked = await attempt(work(), "The new secret signs")
        if worked:
            show_once("The new secret of the endpoint", VERIFIES, made[0].secret)
        await self._visit.refresh()
        return worked

    async def _recover(self, values: Values) -> bool:
        made: list[RecoveryStarted] = []

        async def work() -> None:
            body = {name: values[name] for name in ("since", "until") if name in values}
            made.append(await (await self._visit.api()).call(RECOVER, body, endpoint_id=self._id))
            await self._visit.resources.desk.note(self._visit.user, "recovered_webhooks", self._address)

        worked = await attempt(work(), "On their way")
        if worked:
            ui.notify(f"{wording.count(made[0].count, 'message')} will be sent again", position="top", timeout=8000)
        await self._visit.refresh()
        return worked

    async def _delete(self) -> None:
        async def work() -> None:
            await (await self._visit.api()).call(DELETE_ENDPOINT, endpoint_id=self._id)
            await self._visit.resources.desk.note(self._visit.user, "deleted_webhook", self._address)

        if await attempt(work(), "Deleted"):
            ui.navigate.to("/settings")

    async def _do(self, call: Call[object], body: dict[str, Any] | None, done: str, action: str) -> bool:
        async def work() -> None:
            await (await self._visit.api()).call(call, body, endpoint_id=self._id)
            await self._visit.resources.desk.note(self._visit.user, action, self._address)

        worked = await attempt(work(), done)
        await self._visit.refresh()
        return worked


GONE = "What waits for it is cancelled. What was sent stays readable."


def _fields(endpoint: EndpointDetail, fields: Fields) -> None:
    fields.text("url", "Another address; empty: as it is", kind="url")
    types = dict(zip(TYPES, TYPES, strict=True))
    fields.several("event_types", "Events; none selected means all", types, endpoint.event_types or ())
    fields.text("description", "What it is for", value=endpoint.description or "")
    fields.text("max_in_flight", "Requests at a time", kind="number", value=str(endpoint.max_in_flight))
    fields.tick("ordered", "Messages of one account arrive in order", value=endpoint.ordered)


def _range(fields: Fields) -> None:
    Text("p", "Everything made in this time that never met a success is sent again: held, given up, or failed.")
    fields.instant("since", "From (at most 14 days ago)")
    fields.instant("until", "To; empty: now")


def _draw_secrets(secrets: list[SecretItem]) -> None:
    for secret in secrets:
        with box("p"):
            Text("span", "made ")
            when(secret.created_at)
            if secret.expires_at:
                Text("span", ", signs until ")
                when(secret.expires_at, "time")


def _draw_notices(notices: list[NoticeItem]) -> None:
    """Draw the newest notices, of several levels of one thing only the last that was reached."""
    if not notices:
        return
    latest: dict[tuple[str, str], NoticeItem] = {}
    for notice in notices:
        latest.setdefault((notice.kind, notice.subject), notice)
    Text("h3", "Mind")
    with box("ul"):
        for notice in list(latest.values())[:5]:
            with box("li"):
                level = ""
                if notice.level:
                    level = f", {wording.percent(notice.level)} of the limit"
                Text("span", f"{wording.plain(notice.kind)}{level}: ")
                when(notice.created_at, "ago")


def _draw_deliveries(visit: Visit, sent: Sent) -> None:
    deliveries, names = sent
    if not deliveries:
        if visit.given("status", "event_type", "job_id"):
            empty("No deliveries match these filters.")
        else:
            empty("Nothing was sent to it yet.", "“Send a test” sends it a message.")
        return
    rows: list[list[Cell]] = [
        [
            partial(link, delivery.event_type, within("/settings/deliveries", delivery.id)),
            _account_of(delivery, names),
            went(delivery.status, delivery.last_failure),
            str(delivery.attempt_count),
            partial(when, delivery.created_at, "time"),
            partial(_again, visit, delivery),
        ]
        for delivery in deliveries
    ]
    table(("Message", "Account", "State", "Tries", "Made", ""), rows, "Deliveries")


def _account_of(delivery: DeliveryItem, names: NameBook) -> str:
    if delivery.account_id is None:
        return wording.NOTHING
    return names.account((delivery.account_id, None))


def _any_under_way(sent: Sent) -> bool:
    return any(map(_under_way, sent[0]))


def _under_way(delivery: DeliveryItem) -> bool:
    return under_way(delivery.status, delivery.attempt_count)


def _again(visit: Visit, delivery: DeliveryItem) -> None:
    async def resend() -> None:
        async def work() -> None:
            await (await visit.api()).call(RESEND, delivery_id=delivery.id)
            await visit.resources.desk.note(visit.user, "resent_webhook", delivery.event_type)

        await attempt(work(), "It is being sent again")
        await visit.refresh()

    button("Send again", resend)


@page("/settings/deliveries/{delivery_id}", "Delivery", scope="manage")
async def delivery(visit: Visit) -> None:
    """Draw one delivery: each attempt, and the message."""
    tabs("/settings", "One message to one endpoint")

    async def load(api: Api) -> DeliveryDetail:
        return await api.ask(DELIVERY, delivery_id=visit.path["delivery_id"])

    draw = partial(_draw_delivery, visit)
    Section(visit, "Delivery", load, draw, classes="wide", under_way=_under_way, subject="delivery")
    Section(visit, "Tries", load, _draw_attempts, classes="wide")
    Section(visit, "What is sent", load, _draw_payload, classes="wide")


def _draw_delivery(visit: Visit, delivery: DeliveryItem) -> None:
    back = within("/settings/webhooks", delivery.endpoint_id)
    shown: dict[str, Cell] = {
        "Message": delivery.event_type,
        "State": went(delivery.status, delivery.last_failure),
        "Made": partial(when, delivery.created_at, "time"),
        "Endpoint": partial(link, "Its page", back),
        "Message id": delivery.webhook_id,
        "Because of": wording.plain(delivery.trigger),
    }
    if delivery.job_id:
        shown["Sent again with"] = partial(link, "these", address(back, job_id=delivery.job_id))
    if delivery.next_attempt_at:
        shown["Next try"] = partial(when, delivery.next_attempt_at, "ago")
    facts(shown)
    with box("div", "buttons steps-row"):
        _again(visit, delivery)


def _outcome(attempt: AttemptItem) -> str:
    if attempt.failure:
        return f"▼ {why(attempt.failure)}"
    return f"● {attempt.status_code}"


def _draw_attempts(delivery: DeliveryDetail) -> None:
    if not delivery.attempts:
        empty("It was not tried yet.")
        return
    rows: list[list[Cell]] = [
        [
            str(attempt.number),
            partial(when, attempt.started_at, "time"),
            f"{attempt.duration_ms} ms",
            _outcome(attempt),
            partial(Text, "code", attempt.response_text[:500], "answer"),
        ]
        for attempt in delivery.attempts
    ]
    table(("Try", "When", "Took", "Outcome", "Answer"), rows, "Tries")


def _draw_payload(delivery: DeliveryDetail) -> None:
    if delivery.payload is None:
        empty("It was purged or erased.")
        return
    code(json.dumps(delivery.payload, indent=2, ensure_ascii=False), "The message")
