"""Accounts of the directory: made, completed, changed, removed, by those who may."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from nicegui import ui

from services.dashboard.domain import records
from services.dashboard.domain.records import Json
from services.dashboard.web.directory.editing import RecordForm
from services.dashboard.web.elements import Text, account_address, address, box, link
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse, sure
from services.dashboard.web.section import Load, Section, Visit
from shared.api.accounts import Account
from shared.api.calls import CHANGE_ACCOUNT, PUT_ACCOUNT, REMOVE_ACCOUNT
from shared.api.directory import AccountView
from shared.api.questions import ACCOUNT, ACCOUNT_RECORD
from shared.errors import Conflict, NotFound
from shared.http.client import Api, Away
from shared.industries import NAMES as INDUSTRIES

FIELDS = records.with_options(records.ACCOUNT_FIELDS, "industry", INDUSTRIES)
LOOKS, LOOK_SECONDS = 15, 0.2
THERE_IS_ONE = "There is an account with this id already: open its page to change it."
INVITED = (
    "Only the answers of this account are known. With an owner its follow-ups reach somebody, and with tier, renewal"
    " and revenue it counts where those are asked for."
)
REMOVING = "It leaves the directory and is asked no more. Its answers stay and count."


def place_adding(visit: Visit) -> None:
    """Buttons that make an account and bring files of accounts and people, and a link to all accounts as a file."""
    with box("div", "buttons"):
        if visit.user.may("ingest"):
            button("Add an account", partial(_add, visit))
            link("Bring a file of accounts", address("/bring", kind="accounts"), "button")
            link("Bring a file of people", address("/bring", kind="stakeholders"), "button")
        link("Download all as CSV", "/exports/accounts.csv", "button")
        link("Download all people as CSV", "/exports/stakeholders.csv", "button")
        link("Download all answers as CSV", "/exports/responses.csv", "button")


def _add(visit: Visit) -> None:
    def fill(fields: Fields) -> None:
        fields.text("account_id", "Its id, as your CRM or your surveys name it")
        fields.text("name", "Name")
        fields.text("owner.name", "Owner")
        fields.text("owner.email", "E-mail of the owner", kind="email")
        fields.choice("tier", "Tier", records.NOT_SAID | records.TIERS)

    async def send(values: Values) -> bool:
        made: list[AccountView] = []

        async def work() -> None:
            account_id = values.get("account_id", "").strip()
            if not account_id:
                await refuse("Say its id.")
            body = records.change_of(records.ACCOUNT_FIELDS, {}, values) | {"recorded_at": None}
            try:
                made.append(await (await visit.api()).call(PUT_ACCOUNT, body, account_id=account_id))
            except Conflict:
                await refuse(THERE_IS_ONE)

        if not await attempt(work(), "Added"):
            return False
        await _until_known(await visit.api(), made[0].account_id)
        ui.navigate.to(account_address(made[0].account_id))
        return True

    ask("Add an account", fill, send, "Add it")


async def _until_known(api: Api, account_id: str) -> None:
    """Wait until the scorer knows the account, which has a page then; not for long."""
    for _ in range(LOOKS):
        with suppress(NotFound, Away):
            await api.ask(ACCOUNT, account_id=account_id)
            return
        await asyncio.sleep(LOOK_SECONDS)


def changing(visit: Visit, account_id: str) -> None:
    """Buttons that change and remove an account."""
    if not visit.user.may("ingest"):
        return
    button("Edit", account_form(visit, account_id).open)
    button("Remove", partial(_remove, visit, account_id))


def account_form(visit: Visit, account_id: str) -> RecordForm:
    """The form for an account; saving makes the record where there is none."""

    async def load(api: Api) -> AccountView:
        return await api.ask(ACCOUNT_RECORD, account_id=account_id)

    async def save(api: Api, change: Json) -> None:
        call = CHANGE_ACCOUNT
        if change["recorded_at"] is None:
            call = PUT_ACCOUNT
        await api.call(call, change, account_id=account_id)

    return RecordForm(visit, f"The account {account_id}", FIELDS, load, save)


def _remove(visit: Visit, account_id: str) -> None:
    async def go() -> None:
        async def work() -> None:
            await (await visit.api()).call(REMOVE_ACCOUNT, account_id=account_id)
            await visit.resources.desk.note(visit.user, "removed_account", account_id)

        await attempt(work(), "Removed from the directory")
        await visit.refresh()

    sure(f"Remove {account_id} from the directory?", REMOVING, "Remove it", go)


def place_invitation(visit: Visit, account_id: str, load: Load) -> None:
    """A part that is there where an account is known by its answers alone, for those who may complete it."""
    if visit.user.may("ingest"):
        Section(visit, "", load, partial(_draw_invitation, visit, account_id), classes="plain")


def _draw_invitation(visit: Visit, account_id: str, account: Account) -> None:
    if any(_known(account)):
        return
    with box("div", "notice", role="note"):
        Text("p", INVITED)
        with box("div", "buttons"):
            button("Complete it", account_form(visit, account_id).open, "main")


def _known(account: Account) -> Sequence[object]:
    """What the directory says of an account."""
    return (
        account.name, account.owner, account.tier, account.industry, account.region, account.renewal_on,
        account.annual_revenue, account.removed,
    )  # fmt: skip
