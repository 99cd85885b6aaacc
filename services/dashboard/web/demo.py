"""The band that says that there are data of the demo, and the button that removes them."""

from collections.abc import Sequence
from functools import partial

from nicegui import ui

from services.dashboard.domain import wording
from services.dashboard.handlers import demo
from services.dashboard.handlers.demo import DemoData
from services.dashboard.web.elements import Text, box, facts
from services.dashboard.web.form_fields import attempt, button, over_the_page
from services.dashboard.web.section import Section, Visit

BAND = "Some of these are data of the demo, which nobody gave you."
TITLE = "Remove the data of the demo?"
GOES = (
    "All this goes from every service and does not come back, with whatever was added to these accounts meanwhile. All"
    " other accounts stay as they are, to the last figure."
)
NAMED = 5


def place_demo_band(visit: Visit) -> None:
    """A part of a page that is there as long as there are accounts of the demo."""
    Section(visit, "", demo.has_demo, partial(_draw, visit), classes="plain")


def _draw(visit: Visit, there: bool) -> None:
    if not there:
        return
    with box("div", "notice", role="note", aria_label="Demo data"):
        Text("p", BAND)
        if visit.user.may("manage") and visit.user.may("erase"):
            with box("div", "buttons"):
                button("Remove the demo …", partial(_look, visit))


async def _look(visit: Visit) -> None:
    """Say what would go."""
    found: list[DemoData] = []

    async def look() -> None:
        found.append(await demo.look(await visit.api()))

    if await attempt(look(), ""):
        _ask(visit, found[0])


def _ask(visit: Visit, found: DemoData) -> None:
    names = [account.name or account.account_id for account in found.accounts]
    with over_the_page(TITLE) as dialog, box("div", "dialog"):
        Text("h2", TITLE)
        facts(
            {
                "Accounts": f"{len(names)}: {_some(names)}",
                "People": str(found.people),
                "Answers": str(found.answers),
                "Follow-ups": str(found.follow_ups),
                "Surveys": _some([survey.name for survey in found.surveys]) or "none",
            }
        )
        Text("p", GOES)
        with box("div") as progress:
            pass
        with box("div", "buttons") as buttons:
            button("Remove them for good", partial(_remove, visit, dialog, progress, buttons), "main")
            button("Cancel", dialog.close)
    dialog.open()


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:NAMED])
    if len(names) > NAMED:
        shown += f" and {len(names) - NAMED} more"
    return shown


async def _remove(visit: Visit, dialog: ui.dialog, progress: ui.element, buttons: ui.element) -> None:
    """Remove everything, and show how far it is; afterwards the first page leads on."""
    buttons.set_visibility(False)

    def tell(done: int, of: int) -> None:
        progress.clear()
        with progress:
            box("progress", max=max(of, 1), value=done, aria_label="How far the removal is")
            words = f"{done} of {wording.count(of, 'account')}"
            if done == of:
                words += ", and every service removes its part"
            Text("p", words, "muted", role="status")

    async def work() -> None:
        accounts = await demo.remove(await visit.api(), tell)
        await visit.resources.desk.note(visit.user, "removed_demo", wording.count(accounts, "account"))

    removed = await attempt(work(), "The demo is removed")
    dialog.close()
    if removed:
        ui.navigate.to("/")
    else:
        await visit.refresh()
