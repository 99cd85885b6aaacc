"""Links that were made, and why somebody got none: with a copy button, the QR code, and a way past a rest."""

import base64
from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from services.dashboard.domain import asks as told
from services.dashboard.web.elements import Text, box, person_link, when
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, over_the_page, refuse
from services.dashboard.web.section import Visit
from shared.api.asks import AskLink, LinkProblem, LinkRow
from shared.http.client import within

Again = Callable[[LinkRow, str], Awaitable[LinkRow | None]]
"""Makes the link of a person all the same, for the reason given; None where that failed."""


def show_links(visit: Visit, rows: list[LinkRow], again: Again) -> None:
    """A dialog with a part for each person."""
    with over_the_page("Personal links") as dialog, box("div", "dialog large"):
        Text("h2", "Personal links")
        Text("p", "Each link is for one person: whoever opens it answers as them.", "muted")
        for row in rows:
            with box("div", "linkrow") as place:
                _draw_row(visit, row, again, place)
        with box("div", "buttons"):
            button("Done", dialog.close, "main")
    dialog.open()


def _draw_row(visit: Visit, row: LinkRow, again: Again, place: ui.element) -> None:
    with box("p"):
        person_link(row.account_id, row.stakeholder_id, row.name)
    if row.problem is not None:
        _draw_problem(visit, row, row.problem, again, place)
    elif row.url is not None and row.invitation_id is not None:
        link = AskLink(invitation_id=row.invitation_id, url=row.url, expires_at=row.expires_at)
        draw_link(visit, link, row.name or row.stakeholder_id)


def draw_link(visit: Visit, link: AskLink, name: str) -> None:
    """A link with its buttons. `name`: whose it is."""
    field = f"link-{link.invitation_id}"
    with box("div", "linkline"):
        box("input", type="text", readonly="", value=link.url, id=field, aria_label=f"Link of {name}")
        Text("button", "Copy", "main", type="button", data_copy=field, aria_label=f"Copy the link of {name}")
        button("QR code", partial(_show_qr, visit, link, name)).props["aria-label"] = f"QR code of {name}"
    with box("p", "muted"):
        if link.expires_at is None:
            Text("span", "It begins to run out when your mailer has sent it.")
        else:
            Text("span", "It takes an answer until ")
            when(link.expires_at)


async def _show_qr(visit: Visit, link: AskLink, name: str) -> None:
    image = bytearray()

    async def work() -> None:
        path = f"{within('/v1/asks', link.invitation_id)}/qr"
        async for chunk in (await visit.api()).chunks("outreach", path):
            image.extend(chunk)

    if not await attempt(work(), ""):
        return
    with over_the_page("QR code") as dialog, box("div", "dialog"):
        Text("h2", f"QR code of {name}")
        source = f"data:image/svg+xml;base64,{base64.b64encode(bytes(image)).decode()}"
        box("img", "qr", src=source, alt=f"QR code of the link of {name}")
        Text("p", "For a printed page: it opens the same personal link.", "muted")
        with box("div", "buttons"):
            button("Done", dialog.close, "main")
    dialog.open()


def _draw_problem(visit: Visit, row: LinkRow, problem: LinkProblem, again: Again, place: ui.element) -> None:
    with box("p", "notice warn"):
        Text("span", f"Not asked: {told.reason_words(problem.reason)}. {problem.detail}")
        if problem.again_at is not None:
            Text("span", " Again from ")
            when(problem.again_at)
    if problem.reason not in told.OVERRIDABLE:
        return

    async def send(values: Values) -> bool:
        if "reason" not in values:
            return await attempt(refuse("Say why."), "")
        new = await again(row, values["reason"])
        if new is None:
            return False
        place.clear()
        with place:
            _draw_row(visit, new, again, place)
        return True

    def fill(fields: Fields) -> None:
        fields.text("reason", "Why it should be asked all the same; it is kept with the link")

    with box("div", "buttons"):
        button("Make it all the same", lambda: ask("Ask all the same", fill, send, "Make the link"))
