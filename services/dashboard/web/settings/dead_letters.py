"""Records that a service could not handle: why, and putting them back or dropping them."""

import asyncio
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api, Name, within
from services.dashboard.web.bits import Cell, Text, box, empty, table, when
from services.dashboard.web.controls import attempt, button
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs

Json = dict[str, Any]
SERVICES: tuple[Name, ...] = ("collector", "scorer", "alerting", "benchmark")


@page("/settings/dead-letters", "Dead letters", scope="manage")
async def dead_letters(visit: Visit) -> None:
    """Draw the page."""
    tabs("/settings/dead-letters", "Records that could not be handled, with their reasons; nothing is lost")
    for service in SERVICES:

        async def load(api: Api, service: Name = service) -> Json:
            kinds = ("dead-letters", "conflicts")
            found = await asyncio.gather(*(api.items(service, f"/v1/{kind}", most=100) for kind in kinds))
            return dict(zip(kinds, found, strict=True))

        Section(visit, wording.plain(service), load, partial(_draw, visit, service), classes="wide")


def _draw(visit: Visit, service: Name, found: Json) -> None:
    if not found["dead-letters"] and not found["conflicts"]:
        empty("Nothing: every record was handled.")
        return
    for kind, title in (("dead-letters", "Dead letters"), ("conflicts", "Conflicts")):
        if found[kind]:
            Text("h3", title)
            rows = [_row(visit, service, kind, one) for one in found[kind]]
            table(("Reason", "From", "When", ""), rows, f"{title} of the {service}")


def _row(visit: Visit, service: Name, kind: str, one: Json) -> list[Cell]:
    where = f"{one.get('topic', '')} {one.get('partition', '')}:{one.get('offset', '')}".strip()
    detail = f"{wording.plain(one.get('reason'))}. {one.get('detail') or ''}".strip()
    at = one.get("parked_at") or one.get("recorded_at") or one.get("at")
    cells: list[Cell] = [detail, where, partial(when, at, "time")]
    return [*cells, partial(_buttons, visit, service, one) if kind == "dead-letters" else ""]


def _buttons(visit: Visit, service: Name, one: Json) -> None:
    identity = str(one.get("parked_id") or one.get("id"))
    path = within("/v1/dead-letters", identity)

    async def replay() -> None:
        await _do(visit, service, partial(_replay, visit, service, path), "replayed", identity, "Put back on its topic")

    async def drop() -> None:
        await _do(visit, service, partial(_drop, visit, service, path), "dropped", identity, "Dropped for good")

    with box("div", "buttons tight"):
        button("Replay", replay)
        button("Drop", drop)


async def _replay(visit: Visit, service: Name, path: str) -> None:
    await (await visit.api()).post(service, f"{path}/replay")


async def _drop(visit: Visit, service: Name, path: str) -> None:
    await (await visit.api()).delete(service, path)


async def _do(visit: Visit, service: Name, work: Any, action: str, identity: str, done: str) -> None:
    async def noted() -> None:
        await work()
        await visit.resources.desk.note(visit.user, f"{action}_dead_letter", f"{service} {identity}")

    await attempt(noted(), done)
    await visit.refresh()
