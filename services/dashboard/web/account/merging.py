"""People of an account who are likely to be one: suggested, merged after a look at what would come of it, parted."""

from collections.abc import Sequence
from functools import partial

from nicegui import ui

from services.dashboard.web.account.view import AccountView
from services.dashboard.web.elements import Text, box
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button
from services.dashboard.web.section import Visit
from shared.api.calls import MERGE, PART
from shared.api.doubles import LikelyDouble, Merged
from shared.api.questions import DOUBLES

WHY = {"same_name": "the same name", "same_local_part": "an address like the other's e-mail"}


def doubles(view: AccountView) -> None:
    """A button that looks for likely doubles, for those who may change the directory."""
    if not view.visit.user.may("ingest"):
        return

    async def start() -> None:
        found: list[LikelyDouble] = []

        async def look() -> None:
            found.extend((await (await view.visit.api()).ask(DOUBLES, account_id=view.account_id)).items)

        if await attempt(look(), ""):
            _choose(view, found)

    button("Likely doubles", start)


def _choose(view: AccountView, found: Sequence[LikelyDouble]) -> None:
    """Choose two records, and see what would come of merging them."""
    if not found:
        ui.notify("No two people of this account look like one.", position="top")
        return
    words = {}
    for number, double in enumerate(found):
        words[str(number)] = f"{double.stakeholder_id} is {double.into}: {WHY[double.because]}"

    async def send(values: Values) -> bool:
        double = found[int(values["pair"])]
        tried: list[Merged] = []

        async def look() -> None:
            tried.append(await _merge(view, double, dry_run=True))

        if not await attempt(look(), ""):
            return False
        _confirm(view, double, tried[0])
        return True

    ask("Likely the same person", lambda fields: fields.choice("pair", "Who is who", words), send, "See what it does")


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
