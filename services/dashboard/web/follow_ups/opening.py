"""Opening a follow-up by hand, from the page of an account or of a person."""

from nicegui import ui

from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse
from services.dashboard.web.section import Visit
from shared.api.calls import OPEN_FOLLOW_UP
from shared.api.follow_ups import FollowUpDetail
from shared.api.people import Person
from shared.api.questions import STAKEHOLDERS
from shared.http.client import Api

SEVERITIES = {"medium": "Medium", "high": "! High", "critical": "‼ Critical", "low": "Low"}
WHOLE = "The account as a whole"


def opening(visit: Visit, account_id: str, stakeholder_id: str | None = None) -> None:
    """A button with a form that opens a follow-up and leads to it; nothing for people who may only read."""
    if not visit.user.may("act"):
        return

    about = {"account_id": account_id}
    if stakeholder_id:
        about["stakeholder_id"] = stakeholder_id

    async def start() -> None:
        people: dict[str, str] = {}
        if not stakeholder_id:
            people = await _people(await visit.api(), account_id)

        def fill(fields: Fields) -> None:
            if not stakeholder_id:
                fields.choice("stakeholder_id", "About", {"": WHOLE} | people)
            fields.text("reason", "What it is about", long=True)
            fields.choice("severity", "How much it matters", SEVERITIES)
            fields.instant("due_at", "Due; by default in business time, by how much it matters")

        async def send(values: Values) -> bool:
            if "reason" not in values:
                return await attempt(refuse("Say what it is about."), "")
            return await _opened(visit, about | values)

        ask("Open a follow-up", fill, send, "Open it")

    button("Open a follow-up", start)


async def _opened(visit: Visit, body: Values) -> bool:
    """Whether the follow-up was opened; its page is shown then."""
    made: list[FollowUpDetail] = []

    async def work() -> None:
        made.append(await (await visit.api()).call(OPEN_FOLLOW_UP, body))

    if not await attempt(work(), "Opened"):
        return False
    ui.navigate.to(f"/follow-ups/{made[0].follow_up_id}")
    return True


async def _people(api: Api, account_id: str) -> dict[str, str]:
    """Id -> name of the people of an account; empty while they cannot be loaded."""
    found: list[Person] = []

    async def work() -> None:
        found.extend(await api.ask_all(STAKEHOLDERS, account_id=account_id, most=500))

    await attempt(work(), "")
    return {person.stakeholder_id: person.name or person.stakeholder_id for person in found}
