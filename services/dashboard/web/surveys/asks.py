"""Who was asked, who was not and why, and what came of it; the filter is in the address."""

import asyncio
from collections.abc import Mapping
from functools import partial

from services.dashboard.domain import asks as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_link,
    address,
    box,
    empty,
    link,
    person_link,
    table,
    when,
)
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, filters, over_the_page, sure
from services.dashboard.web.names import actors_of
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.cohort import draw_cohort
from services.dashboard.web.surveys.link_rows import draw_link
from services.dashboard.web.surveys.linking import names_of
from services.dashboard.web.surveys.tabs import tabs
from shared.api.asks import Ask, AskDetail, AskGroup, AskLink
from shared.api.calls import RESEND_ASK, WITHDRAW_ASK
from shared.api.programmes import Programme
from shared.api.questions import ASK, ASK_LINK, ASK_SUMMARY, ASKS, PROGRAMMES, SURVEYS
from shared.api.surveys import SurveyHead
from shared.http.client import Api

MOST = 200
NAMES = ("survey_id", "programme_id", "state", "reason", "account", "account_id")
COUNTED = ("survey_id", "programme_id", "account", "account_id")
RESENDING = "They get the mail once more, to their address now, in the hours of the programme; two reminders at most."
PLANNED = "waiting,held"
REASONS = {reason: words.capitalize() for reason, words in told.REASONS.items()}


@page("/surveys/asks", "Who was asked")
async def asks(visit: Visit) -> None:
    """Draw the page."""
    tabs(visit, "/surveys/asks", "Everybody who was to be asked: what became of it, and why somebody was not")
    wanted = visit.given(*NAMES)

    async def load_filters(api: Api) -> tuple[list[SurveyHead], list[Programme]]:
        return await asyncio.gather(api.ask_all(SURVEYS), api.ask_all(PROGRAMMES))

    async def load_sum(api: Api) -> AskGroup:
        summary = await api.ask(ASK_SUMMARY, **{name: wanted[name] for name in COUNTED if name in wanted})
        return summary.groups[0]

    async def load(api: Api) -> list[Ask]:
        return await api.ask_all(ASKS, most=MOST, **wanted)

    Section(visit, "", load_filters, partial(_draw_filters, visit), classes="plain")
    Section(visit, "How many", load_sum, partial(draw_cohort, "/surveys/asks", wanted), classes="wide")
    Section(visit, "One by one", load, partial(_draw, visit, wanted), classes="wide")


def _draw_filters(visit: Visit, found: tuple[list[SurveyHead], list[Programme]]) -> None:
    surveys, programmes = found
    fields: tuple[tuple[str, str, Mapping[str, str] | None], ...] = (
        ("survey_id", "Survey", names_of(surveys)),
        ("programme_id", "Programme", {programme.programme_id: programme.name for programme in programmes}),
        ("state", "State", told.STATES | {PLANNED: "Planned, not sent yet"}),
        ("reason", "Why not", REASONS),
        ("account", "Account, by name", None),
    )
    account = visit.query.get("account") or visit.query.get("account_id", "")
    filters("/surveys/asks", fields, {**visit.query, "account": account})


def _draw(visit: Visit, wanted: Mapping[str, str], found: list[Ask]) -> None:
    if not found:
        empty("Nobody was to be asked.", "Make a link on the page of an account or a person, or choose less above.")
        return
    rows = [_row(visit, asked) for asked in found]
    table(("Who", "Account", "Asked by", "What became of it", "When", "Until", ""), rows, "Asks")
    if len(found) == MOST:
        Text("p", f"The newest {MOST} are shown: choose above to see others, or download them all.", "muted")
    with box("div", "buttons"):
        link("Download all of these as CSV", address("/exports/asks.csv", **wanted), "button")


def _row(visit: Visit, asked: Ask) -> list[Cell]:
    account: Cell = partial(account_link, asked.account_id, asked.account_name)
    if asked.origin == "test":
        account = wording.NOTHING
    return [
        _whom(asked),
        account,
        asked.programme_name or asked.survey_name,
        partial(_draw_state, asked),
        partial(when, asked.created_at, "ago"),
        partial(when, asked.closes_at),
        partial(_draw_buttons, visit, asked),
    ]


def _whom(asked: Ask) -> Cell:
    if not asked.stakeholder_id:
        return "Nobody"
    if asked.origin == "test":
        # A test goes to a colleague, who is nobody's customer: there is no page to lead to.
        return asked.stakeholder_id
    return partial(person_link, asked.account_id, asked.stakeholder_id, asked.name)


def draw_asks_of_person(visit: Visit, found: list[Ask]) -> None:
    """Draw the asks of one person."""
    if not found:
        empty("Never asked by Tellback.", "Invitations of other mailers count as asked all the same.")
        return
    rows: list[list[Cell]] = []
    for asked in found:
        made, buttons = partial(when, asked.created_at, "ago"), partial(_draw_buttons, visit, asked)
        rows.append([asked.survey_name, partial(_draw_state, asked), made, buttons])
    table(("Survey", "What became of it", "When", ""), rows, "Asks of this person")


def _draw_state(asked: Ask) -> None:
    with box("span"):
        Text("span", told.state_words(asked.state, asked.outcome, asked.reason))
        if asked.held_until is not None:
            Text("span", " until ")
            when(asked.held_until)
        if asked.started_at is not None and asked.answered_at is None:
            Text("span", ", begun", "muted")
        if asked.note:
            Text("span", f" “{asked.note}”", "muted")
        if asked.origin != "link":
            Text("span", f" {told.ORIGINS[asked.origin]}", "muted")


def _draw_buttons(visit: Visit, asked: Ask) -> None:
    who = asked.name or asked.stakeholder_id
    with box("div", "buttons tight"):
        button("History", partial(_show_history, visit, asked)).props["aria-label"] = f"History: {who}"
        if visit.user.may("act") and (asked.outcome == "open" or asked.state in ("waiting", "held")):
            if asked.outcome == "open" and asked.origin in ("link", "programme"):
                button("Link", partial(_show_link, visit, asked)).props["aria-label"] = f"Link of {who}"
            if asked.outcome == "open" and asked.origin == "programme":
                button("Resend", partial(_resend, visit, asked)).props["aria-label"] = f"Resend: {who}"
            button("Withdraw", partial(_withdraw, visit, asked)).props["aria-label"] = f"Withdraw: {who}"


async def _show_history(visit: Visit, asked: Ask) -> None:
    found: list[AskDetail] = []
    people: dict[str, str] = {}

    async def work() -> None:
        api = await visit.api()
        found.append(await api.ask(ASK, ask_id=asked.ask_id))
        people.update(await actors_of(api, visit.resources.desk, visit.user))

    if not await attempt(work(), ""):
        return
    with over_the_page("History") as dialog, box("div", "dialog large"):
        Text("h2", f"{asked.survey_name} to {asked.name or asked.stakeholder_id}")
        rows: list[list[Cell]] = []
        for change in found[0].changes:
            words = told.state_words(change.state, None, change.reason)
            who = told.actor(change.actor, people)
            rows.append([partial(when, change.at, "time"), words, change.note or "", who])
        table(("When", "What", "Said", "By"), rows, "History")
        with box("div", "buttons"):
            button("Done", dialog.close, "main")
    dialog.open()


async def _show_link(visit: Visit, asked: Ask) -> None:
    found: list[AskLink] = []

    async def work() -> None:
        found.append(await (await visit.api()).ask(ASK_LINK, ask_id=asked.ask_id))

    if not await attempt(work(), ""):
        return
    name = asked.name or asked.stakeholder_id
    with over_the_page("Personal link") as dialog, box("div", "dialog large"):
        Text("h2", f"Personal link of {name}")
        draw_link(visit, found[0], name)
        with box("div", "buttons"):
            button("Done", dialog.close, "main")
    dialog.open()


def _resend(visit: Visit, asked: Ask) -> None:
    """Ask for confirmation, and let the mail go once more."""

    async def go() -> None:
        api = await visit.api()
        await attempt(api.call(RESEND_ASK, ask_id=asked.ask_id), "It goes as soon as mails may go to them")
        await visit.refresh()

    sure(f"Remind {asked.name or asked.stakeholder_id} now?", RESENDING, "Send it", go)


def _withdraw(visit: Visit, asked: Ask) -> None:
    """Ask why, and withdraw."""

    def fill(fields: Fields) -> None:
        if asked.outcome == "open":
            Text("p", "The link says then that the question was withdrawn. An answer that is there already stays.")
        else:
            Text("p", "They get no mail this time. The next time comes as planned.")
        fields.text("reason", "Why; for you only")

    async def send(values: Values) -> bool:
        api = await visit.api()
        done = await attempt(api.call(WITHDRAW_ASK, values, ask_id=asked.ask_id), "Withdrawn")
        await visit.refresh()
        return done

    ask("Withdraw the question", fill, send, "Withdraw it")
