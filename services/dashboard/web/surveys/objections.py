"""Who objected to being asked: kept as a keyed hash, so that the address itself is nowhere."""

from dataclasses import dataclass
from functools import partial

from services.dashboard.domain import asks as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, box, empty, link, table, when
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse, sure
from services.dashboard.web.names import actors_of
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.objections_file import bring_file
from services.dashboard.web.surveys.tabs import tabs
from shared.api.asks import Suppression, SuppressionsAdded
from shared.api.calls import LIFT_SUPPRESSION, SUPPRESS
from shared.api.questions import SUPPRESSIONS
from shared.http.client import Api

LEAD = "Addresses that are never asked. Only a keyed hash of each is kept, also after an erasure, so none can be shown"
SOURCES = {
    "one_click": "by the button of their mail program",
    "page": "on the page",
    "invitation": "told by a mailer",
    "import": "by hand or from a file",
}


@dataclass(frozen=True)
class Objections:
    """The objections, and who acts with which key, by the keys' ids."""

    listed: list[Suppression]
    people: dict[str, str]


@page("/surveys/objections", "Objections", scope="manage")
async def objections(visit: Visit) -> None:
    """Draw the page."""
    tabs(visit, "/surveys/objections", LEAD)

    async def load(api: Api) -> Objections:
        people = await actors_of(api, visit.resources.desk, visit.user)
        return Objections(await api.ask_all(SUPPRESSIONS), people)

    Section(visit, "Objections", load, partial(_draw, visit), classes="wide")


def _draw(visit: Visit, found: Objections) -> None:
    if found.listed:
        rows = [_row(visit, suppression, found.people) for suppression in found.listed]
        table(("When", "How", "By", ""), rows, "Objections")
    else:
        empty("Nobody has objected.", "Bring the list of your former tool, so that nobody is asked who said no there.")
    with box("div", "buttons"):
        button("Add addresses", partial(_add, visit), "main")
        button("Bring a file", partial(bring_file, visit))
        if found.listed:
            link("Download as CSV", "/exports/objections.csv", "button")


def _row(visit: Visit, suppression: Suppression, people: dict[str, str]) -> list[Cell]:
    return [
        partial(when, suppression.created_at, "time"),
        SOURCES.get(suppression.source, wording.plain(suppression.source)),
        told.actor(suppression.created_by, people),
        partial(_draw_lifting, visit, suppression),
    ]


def _draw_lifting(visit: Visit, suppression: Suppression) -> None:
    async def lift() -> None:
        async def work() -> None:
            api = await visit.api()
            await api.call(LIFT_SUPPRESSION, suppression_id=suppression.suppression_id)
            await visit.resources.desk.note(visit.user, "lifted_objection", suppression.suppression_id)

        await attempt(work(), "Lifted")
        await visit.refresh()

    text = "This address can be asked again. Do so only where the person said so themselves."
    button("Lift", lambda: sure("Lift the objection?", text, "Lift it", lift))


def _add(visit: Visit) -> None:
    async def send(values: Values) -> bool:
        addresses = [line.strip() for line in values.get("addresses", "").splitlines() if line.strip()]
        if not addresses:
            return await attempt(refuse("Write an address on each line."), "")
        made: list[SuppressionsAdded] = []

        async def work() -> None:
            made.append(await (await visit.api()).call(SUPPRESS, {"addresses": addresses}))
            await visit.resources.desk.note(visit.user, "added_objections", wording.count(made[0].added, "address"))

        done = await attempt(work(), "Kept: they are not asked")
        if done and made[0].refused:
            lines = ", ".join(str(refused.line) for refused in made[0].refused)
            await attempt(refuse(f"These lines hold no address and were passed over: {lines}."), "")
        await visit.refresh()
        return done

    def fill(fields: Fields) -> None:
        fields.text("addresses", "E-mail addresses, one a line", long=True)

    ask("Add addresses", fill, send, "Never ask them")
