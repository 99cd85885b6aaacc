"""People of the directory: added to an account, changed, removed, erased, by those who may."""

from collections.abc import Sequence
from functools import partial

from nicegui import ui

from services.dashboard.domain import records, wording
from services.dashboard.domain.records import FormField, Json
from services.dashboard.web.directory.editing import RecordForm
from services.dashboard.web.elements import account_address, address, link
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse, sure
from services.dashboard.web.section import Visit
from shared.api.calls import CHANGE_PERSON, PUT_PERSON, REMOVE_PERSON
from shared.api.directory import StakeholderView
from shared.api.people import PersonWithResponses
from shared.api.questions import PERSON_RECORD, STAKEHOLDER
from shared.errors import Conflict
from shared.http.client import Api, within

THERE_IS_ONE = "There is somebody with this id at the account already: open their page to change it."
REMOVING = "They leave the directory and are asked no more. Their answers stay and count."


def adding(visit: Visit, account_id: str) -> None:
    """A button that adds a person to an account, and a link to its people as a file."""
    if visit.user.may("ingest"):
        button("Add a person", partial(_add, visit, account_id))
    link("Its people as CSV", address("/exports/stakeholders.csv", account_id=account_id), "button")


def _add(visit: Visit, account_id: str) -> None:
    def fill(fields: Fields) -> None:
        fields.text("email", "E-mail", kind="email")
        fields.text("stakeholder_id", "Their id in your CRM; empty: the e-mail address")
        fields.text("name", "Name")
        fields.choice("type", "Role", records.NOT_SAID | wording.TYPE_NAMES)
        fields.text("job_title", "Job title")

    async def send(values: Values) -> bool:
        async def work() -> None:
            person = (values.get("stakeholder_id") or values.get("email", "")).strip()
            if not person:
                await refuse("Say their e-mail address or their id.")
            body = records.change_of(records.PERSON_FIELDS, {}, values) | {"recorded_at": None}
            try:
                await (await visit.api()).call(PUT_PERSON, body, account_id=account_id, stakeholder_id=person)
            except Conflict:
                await refuse(THERE_IS_ONE)

        worked = await attempt(work(), "Added: the page follows in a moment")
        await visit.refresh()
        visit.refresh_soon()
        return worked

    ask("Add a person", fill, send, "Add them")


def changing(visit: Visit, account_id: str, stakeholder_id: str) -> None:
    """Buttons that change, remove and erase a person."""
    if visit.user.may("ingest"):
        button("Edit", person_form(visit, account_id, stakeholder_id).open)
        button("Remove", partial(_remove, visit, account_id, stakeholder_id))
    if visit.user.may("erase"):
        button("Erase", partial(_look_at_erasing, visit, account_id, stakeholder_id))


def person_form(
    visit: Visit, account_id: str, stakeholder_id: str, fields: Sequence[FormField] = records.PERSON_FIELDS
) -> RecordForm:
    """The form for a person, with all fields or with these; saving makes the record where there is none."""
    who = {"account_id": account_id, "stakeholder_id": stakeholder_id}

    async def load(api: Api) -> StakeholderView:
        return await api.ask(PERSON_RECORD, **who)

    async def save(api: Api, change: Json) -> None:
        call = CHANGE_PERSON
        if change["recorded_at"] is None:
            call = PUT_PERSON
        await api.call(call, change, **who)

    return RecordForm(visit, stakeholder_id, fields, load, save)


def _remove(visit: Visit, account_id: str, stakeholder_id: str) -> None:
    async def go() -> None:
        async def work() -> None:
            await (await visit.api()).call(REMOVE_PERSON, account_id=account_id, stakeholder_id=stakeholder_id)
            await visit.resources.desk.note(visit.user, "removed_person", f"{stakeholder_id} at {account_id}")

        if await attempt(work(), "Removed from the directory"):
            ui.navigate.to(account_address(account_id))

    sure(f"Remove {stakeholder_id} from the directory?", REMOVING, "Remove them", go)


async def _look_at_erasing(visit: Visit, account_id: str, stakeholder_id: str) -> None:
    """Say what will go, and erase."""
    found: list[PersonWithResponses] = []

    async def look() -> None:
        api = await visit.api()
        found.append(await api.ask(STAKEHOLDER, account_id=account_id, stakeholder_id=stakeholder_id))

    if await attempt(look(), ""):
        title = f"Erase {found[0].name or stakeholder_id} for good?"
        sure(title, _what_goes(found[0]), "Erase for good", partial(_erase, visit, account_id, stakeholder_id))


def _what_goes(person: PersonWithResponses) -> str:
    answers = wording.count(len(person.responses), "answer")
    ids = ", ".join([person.stakeholder_id, *person.aliases])
    return (
        f"This goes from every service and does not come back: {answers} out of every figure, their comments, name,"
        f" address and messages, and what is known under the ids {ids}, also at accounts where they were before."
        " Follow-ups stay without their name. The next page is the receipt: it says what each service has erased, and"
        " when the last copy is gone. Backups and what webhooks have brought elsewhere are yours to look after."
    )


async def _erase(visit: Visit, account_id: str, stakeholder_id: str) -> None:
    receipts: list[str] = []

    async def work() -> None:
        api = await visit.api()
        path = within("/v1/accounts", account_id, "stakeholders", stakeholder_id, "data")
        receipts.append(str((await api.delete("collector", path))["receipt_id"]))
        await visit.resources.desk.note(visit.user, "erased_person", receipts[0])

    if await attempt(work(), ""):
        ui.navigate.to(f"/erasures/{receipts[0]}")
