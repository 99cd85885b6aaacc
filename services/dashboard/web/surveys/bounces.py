"""Mails that came back: of whom, what it led to, and correcting the address."""

from functools import partial

from services.dashboard.domain import bounces as told
from services.dashboard.domain import wording
from services.dashboard.domain.records import FormField
from services.dashboard.web.directory.people import person_form
from services.dashboard.web.elements import Cell, Text, account_link, box, empty, person_link, table, when
from services.dashboard.web.form_fields import button, filters
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.tabs import tabs
from shared.api.bounces import Bounce
from shared.api.questions import BOUNCES
from shared.http.client import Api

PATH = "/surveys/bounces"
MOST = 200
LEAD = "Nobody writes to an address that takes no mail, until it is corrected or the person answers"
CORRECTED = "After the address was corrected the next wave asks them again; a link on their page asks them at once."
HEADS = ("Who", "Account", "What was said", "What it led to", "When", "Address now", "")
ADDRESS = (FormField("email", "E-mail", "email"),)


@page(PATH, "Mails that came back", scope="manage")
async def bounces(visit: Visit) -> None:
    """Draw the page; what the mails led to is in the address."""
    tabs(visit, PATH, LEAD)
    effect = visit.chosen("effect", told.EFFECTS, "") or None

    async def load(api: Api) -> list[Bounce]:
        return await api.ask_all(BOUNCES, most=MOST, effect=effect)

    Section(visit, "Mails that came back", load, partial(_draw, visit), classes="wide", lead=CORRECTED)


def _draw(visit: Visit, found: list[Bounce]) -> None:
    effects = {effect: words.capitalize() for effect, words in told.EFFECTS.items()}
    filters(PATH, [("effect", "What it led to", effects)], visit.query)
    if not found:
        empty("No mail came back.", "Mails that do are read from the mailbox of bounces, or told by the mail provider.")
        return
    rows = [_row(visit, bounce) for bounce in found]
    table(HEADS, rows, "Mails that came back")
    if len(found) == MOST:
        Text("p", f"The newest {MOST} are shown: choose above to see others.", "muted")


def _row(visit: Visit, bounce: Bounce) -> list[Cell]:
    who: Cell = f"somebody at {bounce.recipient_domain or 'an unknown address'}"
    account: Cell = wording.NOTHING
    if bounce.account_id is not None and bounce.stakeholder_id is not None:
        who = partial(person_link, bounce.account_id, bounce.stakeholder_id, bounce.name)
        account = partial(account_link, bounce.account_id, bounce.account_name)
    return [
        who,
        account,
        told.kind_words(bounce.kind, bounce.status),
        told.EFFECTS.get(bounce.effect, bounce.effect),
        partial(when, bounce.at, "time"),
        partial(_draw_address, bounce),
        partial(_draw_correcting, visit, bounce),
    ]


def _draw_address(bounce: Bounce) -> None:
    with box("span"):
        Text("span", bounce.email or wording.NOTHING)
        if bounce.corrected_at is not None:
            Text("span", " ✓ corrected ", "muted")
            when(bounce.corrected_at, "ago")


def _draw_correcting(visit: Visit, bounce: Bounce) -> None:
    """Draw the button; none where there is nobody to correct, or where it was done."""
    if bounce.account_id is None or bounce.stakeholder_id is None or bounce.corrected_at is not None:
        return
    if bounce.effect in told.CORRECTABLE and visit.user.may("ingest"):
        form = person_form(visit, bounce.account_id, bounce.stakeholder_id, ADDRESS)
        made = button("Correct the address", form.open)
        made.props["aria-label"] = f"Correct the address of {bounce.name or bounce.stakeholder_id}"
