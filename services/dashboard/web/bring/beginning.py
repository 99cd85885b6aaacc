"""How an empty Tellback leads on: a file, one answer by API, or the demo."""

from functools import partial

from services.dashboard.web.elements import Text, box, code, link
from services.dashboard.web.section import Section, Visit
from shared.api.questions import ACCOUNTS
from shared.http.client import Api

DEMO = "tellback demo"
FILE = "A file from the tool that you used until now, or a sheet. You see what it becomes before anything is taken."
POST = "A request to paste, with a key that is made here. Within a second the score is on this page."
LOOK = (
    "Run this beside the services: it plays a year of a supplier with 21 clients. These accounts are marked, and one"
    " button on this page removes them with everything about them; what you bring meanwhile stays."
)
WAITS = "Nobody has answered yet. An admin or a leader brings the first answers."


def place_beginning(visit: Visit) -> None:
    """The part of the first page that is there as long as no account is known."""
    Section(visit, "", _load, partial(_draw, visit), classes="plain")


async def _load(api: Api) -> bool:
    """Whether nothing is known yet."""
    return not (await api.ask(ACCOUNTS, limit=1)).items


def _draw(visit: Visit, nothing: bool) -> None:
    if not nothing:
        return
    with box("section", "card beginning", aria_label="Begin here"):
        Text("h2", "Begin here")
        if not visit.user.may("ingest"):
            Text("p", WAITS)
            return
        with box("div", "mapping"):
            with box():
                Text("h3", "Bring your answers")
                Text("p", FILE, "muted")
                link("Bring a file", "/bring", "button main")
            with box():
                Text("h3", "Post one by API")
                Text("p", POST, "muted")
                link("Show the request", "/bring/api", "button")
            with box():
                Text("h3", "Look around with the demo")
                Text("p", LOOK, "muted")
                code(DEMO, "The command that plays the demo")
