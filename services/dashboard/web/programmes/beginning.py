"""A new programme: from one that is ready, with a survey and a sender."""

from functools import partial

from nicegui import ui

from services.dashboard.domain import programmes as told
from services.dashboard.domain.ready_programmes import READY, Ready, begun
from services.dashboard.web.elements import Text, box, empty, link
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse
from services.dashboard.web.page import page
from services.dashboard.web.programmes.listing import PATH, programme_address
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.linking import names_of, published
from services.dashboard.web.surveys.tabs import tabs
from shared.api.calls import WRITE_PROGRAMME
from shared.api.programmes import Programme
from shared.api.surveys import SurveyHead

LEAD = "Begin with a programme that is ready; everything in it can be changed, and it asks nobody before you start it"
SENDER = "Mails carry the name of each account’s owner. Who writes where an account has none:"


@page(f"{PATH}/new", "New programme", scope="manage")
async def new_programme(visit: Visit) -> None:
    """Draw the page."""
    tabs(visit, "/surveys/programmes", LEAD)
    Section(visit, "Ready programmes", published, partial(_draw, visit), classes="wide")


def _draw(visit: Visit, surveys: list[SurveyHead]) -> None:
    if not surveys:
        empty("No survey is published yet.", "A programme asks by a survey: make one first, and publish it.")
        link("Surveys", "/surveys")
        return
    with box("div", "tiles"):
        for ready in READY.values():
            with box("div", "tile"):
                Text("h3", ready.name)
                Text("p", ready.text, "muted")
                begin = button("Begin with this", partial(_begin, visit, surveys, ready))
                begin.props["aria-label"] = f"Begin with {ready.name}"


def _begin(visit: Visit, surveys: list[SurveyHead], ready: Ready) -> None:
    """Ask for what is missing, and write the draft."""

    def fill(fields: Fields) -> None:
        fields.text("name", "Name, for you only", value=ready.name)
        fields.choice("survey_id", "Survey", names_of(surveys))
        if ready.when["type"] == "once":
            fields.text("on", told.LABELS["on"], kind="date")
        Text("p", SENDER, "muted")
        fields.text("sender_name", "Sender’s name", value=visit.user.name)
        fields.text("sender_email", "Sender’s e-mail, of your own domain", kind="email", value=_address_of(visit))

    async def send(values: Values) -> bool:
        return await _begun(visit, ready, values)

    ask("Begin a programme", fill, send, "Write the draft")


async def _begun(visit: Visit, ready: Ready, values: Values) -> bool:
    made: list[Programme] = []

    async def work() -> None:
        if "name" not in values:
            await refuse("Give it a name.")
        if ready.when["type"] == "once" and "on" not in values:
            await refuse("Choose a day of the week in which it asks.")
        made.append(await (await visit.api()).call(WRITE_PROGRAMME, begun(ready, values)))
        await visit.resources.desk.note(visit.user, "made_programme", made[0].name)

    if not await attempt(work(), ""):
        return False
    ui.navigate.to(programme_address(made[0].programme_id))
    return True


def _address_of(visit: Visit) -> str:
    """The address of who is signed in; the first admin has none."""
    if "@" in visit.user.email:
        return visit.user.email
    return ""
