"""The receipt of an erasure: what each service has erased, and when the last copy is gone."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, facts, table, when
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.errors import NotFound
from shared.http.client import IN_WORDS, Api, Away, ServiceName, within

KEEPERS: tuple[ServiceName, ...] = ("collector", "scorer", "alerting", "outreach")
"""The services that keep data of people."""
COUNTED = {
    "stakeholders": ("record of the directory", "records of the directory"),
    "context_marks": ("event of the account", "events of the account"),
    "responses": ("answer", "answers"),
    "calls": ("answer on its way", "answers on their way"),
    "events": ("event on its way", "events on their way"),
}
"""What is counted under a name that says too little, one and many."""
AWAY: dict[str, Any] = {"applied_at": None, "gone_from_log_at": None}
"""The part of a service that does not answer."""
Receipts = Mapping[ServiceName, dict[str, Any] | None]
"""Service → its part; None where it has not come there yet."""


@page("/erasures/{receipt_id}", "Erasure", scope="erase")
async def receipt(visit: Visit) -> None:
    """Draw the page."""
    path = within("/v1/erasures", visit.path["receipt_id"])

    async def part(api: Api, service: ServiceName) -> dict[str, Any] | None:
        try:
            return await api.get(service, path)
        except NotFound:
            return None
        except Away:
            return AWAY

    async def load(api: Api) -> Receipts:
        parts = await asyncio.gather(*(part(api, service) for service in KEEPERS))
        return dict(zip(KEEPERS, parts, strict=True))

    Text("h1", "Somebody was erased")
    Text("p", "Keep this receipt: it names nobody, and shows that and when it was done", "lead")
    Section(visit, "Receipt", load, partial(_draw, visit.path["receipt_id"]), under_way=lambda found: not _done(found))


def _done(found: Receipts) -> bool:
    """Whether every service has erased its part. Outreach may be left off: it keeps nothing then, and does not
    answer."""
    for service, part in found.items():
        is_left_off = service == "outreach" and part is AWAY
        if not is_left_off and (part is None or part["applied_at"] is None):
            return False
    return True


def _draw(receipt_id: str, found: Receipts) -> None:
    rows: list[list[Cell]] = []
    ends: list[str] = []
    for service, part in found.items():
        if part is None:
            rows.append([IN_WORDS[service], "○ not yet", ""])
            continue
        if part is AWAY:
            rows.append([IN_WORDS[service], "– does not answer; where it is not run, it keeps nothing", ""])
            continue
        done: Cell = "◔ hidden, and erased in a moment"
        if part["applied_at"]:
            done = partial(when, part["applied_at"], "time")
        ends += filter(None, [part["gone_from_log_at"]])
        rows.append([IN_WORDS[service], done, _counts(part)])
    table(("Service", "Done", "Erased"), rows, "What each service has erased")
    named: dict[str, Cell] = {"Receipt": receipt_id}
    if ends and _done(found):
        named["No copy is left in Kafka’s log from"] = partial(when, max(ends), "time")
    facts(named)
    if not _done(found):
        Text("p", "The person is shown nowhere any more. This page says when every service has done it.", "muted")


def _counts(part: Mapping[str, Any]) -> str:
    words = []
    for name, value in part.items():
        if isinstance(value, int):
            many = wording.plain(name).lower()
            words.append(wording.count(value, *COUNTED.get(name, (many.removesuffix("s"), many))))
    return ", ".join(words)
