"""Dead letters: their reasons, and replaying or dropping them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, box, code, empty, facts, table, when
from services.dashboard.web.form_fields import attempt, button, over_the_page, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.settings.tabs import tabs
from shared.api.calls import DROP_DEAD_LETTER, REPLAY_DEAD_LETTER
from shared.api.parked import ParkedContent, ParkedRecord
from shared.api.questions import CONFLICT, CONFLICTS, DEAD_LETTER, DEAD_LETTERS
from shared.http.client import Api, Question, ServiceName

DROP = "Its content goes, and only the count of it stays. A record that was replayed may be dropped."
SERVICES: tuple[ServiceName, ...] = ("collector", "scorer", "alerting", "benchmark", "outreach")


@page("/settings/dead-letters", "Dead letters", scope="manage")
async def dead_letters(visit: Visit) -> None:
    """Draw the page."""
    tabs("/settings/dead-letters", "Records that could not be handled, with their reasons; nothing is lost")
    for service in SERVICES:
        Section(visit, wording.plain(service), partial(_load, service), partial(_draw, visit, service), classes="wide")


@dataclass(frozen=True)
class _Parked:
    """What a service has put aside."""

    dead_letters: list[ParkedRecord]
    conflicts: list[ParkedRecord]


async def _load(service: ServiceName, api: Api) -> _Parked:
    dead_letters, conflicts = await asyncio.gather(
        api.ask_all(DEAD_LETTERS.to(service), most=100), api.ask_all(CONFLICTS.to(service), most=100)
    )
    return _Parked(dead_letters, conflicts)


def _draw(visit: Visit, service: ServiceName, parked: _Parked) -> None:
    if not parked.dead_letters and not parked.conflicts:
        empty("Nothing: every record was handled.")
        return
    heads = ("Reason", "From", "Put aside", "Replayed", "")
    if parked.dead_letters:
        Text("h3", "Dead letters")
        rows = [_row(letter, partial(_letter_buttons, visit, service, letter)) for letter in parked.dead_letters]
        table(heads, rows, f"Dead letters of the {service}")
    if parked.conflicts:
        Text("h3", "Conflicts")
        rows = [_row(conflict, partial(_conflict_button, visit, service, conflict)) for conflict in parked.conflicts]
        table(heads, rows, f"Conflicts of the {service}")


def _row(letter: ParkedRecord, draw_buttons: Callable[[], None]) -> list[Cell]:
    detail = f"{wording.plain(letter.reason)}. {letter.detail}".strip()
    where = f"{letter.topic} {letter.partition}:{letter.offset}"
    if letter.account_id:
        where += f", account {letter.account_id}"
    again: Cell = "not yet"
    if letter.replayed_at:
        again = partial(when, letter.replayed_at, "time")
    return [
        detail,
        where,
        partial(when, letter.parked_at, "time"),
        again,
        draw_buttons,
    ]


def _letter_buttons(visit: Visit, service: ServiceName, letter: ParkedRecord) -> None:
    parked_id = str(letter.id)

    async def replay() -> None:
        async def work() -> None:
            await (await visit.api()).call(REPLAY_DEAD_LETTER.to(service), parked_id=parked_id)
            await visit.resources.desk.note(visit.user, "replayed_dead_letter", f"{service} {parked_id}")

        await attempt(work(), "Put back on its topic")
        await visit.refresh()

    async def drop() -> None:
        async def work() -> None:
            await (await visit.api()).call(DROP_DEAD_LETTER.to(service), parked_id=parked_id)
            await visit.resources.desk.note(visit.user, "dropped_dead_letter", f"{service} {parked_id}")

        await attempt(work(), "Dropped for good")
        await visit.refresh()

    with box("div", "buttons tight"):
        button("Show", partial(_show, visit, DEAD_LETTER.to(service), parked_id))
        button("Replay", replay)
        button("Drop", lambda: sure("Drop it for good?", DROP, "Drop it", drop))


def _conflict_button(visit: Visit, service: ServiceName, conflict: ParkedRecord) -> None:
    with box("div", "buttons tight"):
        button("Show", partial(_show, visit, CONFLICT.to(service), str(conflict.id)))


async def _show(visit: Visit, question: Question[ParkedContent], parked_id: str) -> None:
    loaded: list[ParkedContent] = []

    async def work() -> None:
        loaded.append(await (await visit.api()).ask(question, parked_id=parked_id))

    if not await attempt(work(), "This is what was read"):
        return
    [found] = loaded
    with over_the_page("The record") as dialog, box("div", "dialog large"):
        Text("h2", "The record")
        headers = "\n".join(f"{name}: {value}" for name, value in found.headers)
        facts({"Key": found.key or "none", "Reason": wording.plain(found.reason), "Size": f"{found.size} bytes"})
        code(headers or "no headers", "Headers")
        if found.value is None:
            code("no value", "Content")
        else:
            code(found.value, "Content")
        if found.encoding == "base64" and found.value:
            Text("p", "It is not text: shown in base64.", "muted")
        with box("div", "buttons"):
            button("Close", dialog.close, "main")
    dialog.open()
