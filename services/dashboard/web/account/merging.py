"""People of an account who are likely to be one: suggested, merged after a look at what would come of it, parted."""

from functools import partial

from nicegui import ui

from services.dashboard.web.account.view import AccountView
from services.dashboard.web.elements import Cell, Text, box, person_link, table
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button
from services.dashboard.web.section import Section, Visit
from shared.api.calls import MERGE, PART
from shared.api.doubles import Doubles, LikelyDouble, Merged
from shared.api.questions import DOUBLES
from shared.http.client import Api

WHY = {"same_name": "the same name", "same_local_part": "an address like the other's e-mail"}


def place_doubles(view: AccountView) -> None:
    """The section of likely doubles, for those who may change the directory."""
    if not view.visit.user.may("ingest"):
        return

    async def load(api: Api) -> Doubles:
        return await api.ask(DOUBLES, account_id=view.account_id)

    Section(view.visit, "", load, partial(_draw, view), classes="plain")


def _draw(view: AccountView, found: Doubles) -> None:
    if not found.items:
        return
    Text("h2", "Likely the same person")
    rows = [_row(view, double) for double in found.items]
    table(("Record", "The same as", "Because of", ""), rows, "People who are likely to be one")


def _row(view: AccountView, double: LikelyDouble) -> list[Cell]:
    return [
        partial(person_link, view.account_id, double.stakeholder_id),
        partial(person_link, view.account_id, double.into),
        WHY[double.because],
        partial(_merge_button, view, double),
    ]


def _merge_button(view: AccountView, double: LikelyDouble) -> None:
    async def start() -> None:
        tried: list[Merged] = []

        async def look() -> None:
            tried.append(await _merge(view, double, dry_run=True))

        if await attempt(look(), ""):
            _confirm(view, double, tried[0])

    button("Merge …", start)


def _confirm(view: AccountView, double: LikelyDouble, would: Merged) -> None:
    """Say what would come of it, and do it."""

    def fill(_: Fields) -> None:
        Text("p", f"{would.name or would.stakeholder_id} would be one person with these further ids:")
        with box("ul"):
            for alias in would.aliases:
                Text("li", alias)
        Text("p", "Answers, invitations and follow-ups of all of them are then this person's. It can be undone.")

    async def send(_: Values) -> bool:
        if not await attempt(_merge(view, double, dry_run=False), "Merged"):
            return False
        ui.navigate.reload()
        return True

    ask("Merge two people", fill, send, "Merge them")


async def _merge(view: AccountView, double: LikelyDouble, *, dry_run: bool) -> Merged:
    api = await view.visit.api()
    body = {"into": double.into, "dry_run": dry_run}
    return await api.call(MERGE, body, account_id=view.account_id, stakeholder_id=double.stakeholder_id)


def place_further_ids(visit: Visit, account_id: str, ids: list[str]) -> None:
    """The further ids of a person; those who may change the directory can part one that was merged."""
    for alias in ids:
        with box("p"):
            Text("span", f"{alias} ")
            if visit.user.may("ingest"):
                button("Part", partial(_part, visit, account_id, alias))


async def _part(visit: Visit, account_id: str, alias: str) -> None:
    api = await visit.api()
    if await attempt(api.call(PART, account_id=account_id, stakeholder_id=alias), "Parted"):
        ui.navigate.reload()
