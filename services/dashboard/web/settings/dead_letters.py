"""Records that a service could not handle: why, and putting them back or dropping them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, box, code, empty, facts, table, when
from services.dashboard.web.form_fields import attempt, button, over_the_page, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs
from shared.http.client import Api, ServiceName, within

Json = dict[str, Any]
DROP = "Its content goes, and only the count of it stays. A record that was replayed may be dropped."
SERVICES: tuple[ServiceName, ...] = ("collector", "scorer", "alerting", "benchmark")


@page("/settings/dead-letters", "Dead letters", scope="manage")
async def dead_letters(visit: Visit) -> None:
    """Draw the page."""
    tabs("/settings/dead-letters", "Records that could not be handled, with their reasons; nothing is lost")
    for service in SERVICES:

        async def load(api: Api, service: ServiceName = service) -> Json:
            kinds = ("dead-letters", "conflicts")
            found = await asyncio.gather(*(api.items(service, f"/v1/{kind}", most=100) for kind in kinds))
            return dict(zip(kinds, found, strict=True))

        Section(visit, wording.plain(service), load, partial(_draw, visit, service), classes="wide")


def _draw(visit: Visit, service: ServiceName, found: Json) -> None:
    if not found["dead-letters"] and not found["conflicts"]:
        empty("Nothing: every record was handled.")
        return
    for kind, title in (("dead-letters", "Dead letters"), ("conflicts", "Conflicts")):
        if found[kind]:
            Text("h3", title)
            rows = [_row(visit, service, kind, letter) for letter in found[kind]]
            table(("Reason", "From", "Put aside", "Replayed", ""), rows, f"{title} of the {service}")


def _row(visit: Visit, service: ServiceName, kind: str, letter: Json) -> list[Cell]:
    detail = f"{wording.plain(letter['reason'])}. {letter['detail'] or ''}".strip()
    where = f"{letter['topic']} {letter['partition']}:{letter['offset']}"
    if letter["account_id"]:
        where += f", account {letter['account_id']}"
    again = partial(when, letter["replayed_at"], "time") if letter["replayed_at"] else "not yet"
    return [
        detail,
        where,
        partial(when, letter["parked_at"], "time"),
        again,
        partial(_buttons, visit, service, kind, letter),
    ]


def _buttons(visit: Visit, service: ServiceName, kind: str, letter: Json) -> None:
    path = within(f"/v1/{kind}", letter["id"])

    async def replay() -> None:
        await _do(visit, service, letter, partial(_replay, service, path), "replayed", "Put back on its topic")

    async def drop() -> None:
        await _do(visit, service, letter, partial(_drop, service, path), "dropped", "Dropped for good")

    with box("div", "buttons tight"):
        button("Show", partial(_show, visit, service, path))
        if kind == "dead-letters":
            button("Replay", replay)
            button("Drop", lambda: sure("Drop it for good?", DROP, "Drop it", drop))


async def _replay(service: ServiceName, path: str, api: Api) -> None:
    await api.post(service, f"{path}/replay")


async def _drop(service: ServiceName, path: str, api: Api) -> None:
    await api.delete(service, path)


async def _show(visit: Visit, service: ServiceName, path: str) -> None:
    found: Json = {}

    async def work() -> None:
        found.update(await (await visit.api()).get(service, path))

    if not await attempt(work(), "This is what was read"):
        return
    with over_the_page("The record") as dialog, box("div", "dialog large"):
        Text("h2", "The record")
        headers = "\n".join(f"{name}: {value}" for name, value in found["headers"])
        facts(
            {"Key": found["key"] or "none", "Reason": wording.plain(found["reason"]), "Size": f"{found['size']} bytes"}
        )
        code(headers or "no headers", "Headers")
        code(found["value"] if found["value"] is not None else "no value", "Content")
        if found["encoding"] == "base64" and found["value"]:
            Text("p", "It is not text: shown in base64.", "muted")
        with box("div", "buttons"):
            button("Close", dialog.close, "main")
    dialog.open()


async def _do(
    visit: Visit, service: ServiceName, letter: Json, work: Callable[[Api], Awaitable[None]], action: str, done: str
) -> None:
    async def noted() -> None:
        await work(await visit.api())
        await visit.resources.desk.note(visit.user, f"{action}_dead_letter", f"{service} {letter['id']}")

    await attempt(noted(), done)
    await visit.refresh()
