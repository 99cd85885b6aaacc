"""Coming waves: whom programmes ask next; on the page of one wave the owners of accounts correct the list of theirs."""

from functools import partial

from services.dashboard.domain import asks as told
from services.dashboard.domain import records, wording
from services.dashboard.web.elements import Cell, Text, account_link, box, empty, link, person_link, table, when
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.tabs import tabs
from shared.api.calls import ADD_TO_WAVE, CORRECT_ASK, EXCLUDE_ASK, INCLUDE_ASK
from shared.api.questions import WAVE_PEOPLE, WAVES
from shared.api.waves import Wave, WavePeople, WavePerson, Waves
from shared.http.client import Api

LEAD = "Whom programmes ask next, planned a fortnight ahead"
SILENCE = "Correct an address, add somebody, or leave somebody out and say why. If the list is right, do nothing."
WAITS = ("waiting", "held")
HEADS = ("Programme", "Week from", "To be asked", "Left out", "Accounts")


@page("/surveys/waves", "Coming waves")
async def waves(visit: Visit) -> None:
    """Draw the page."""
    tabs(visit, "/surveys/waves", LEAD)

    async def load(api: Api) -> Waves:
        return await api.ask(WAVES)

    Section(visit, "Coming waves", load, lambda found: draw_waves(found.items, ""), classes="wide")


def draw_waves(found: list[Wave], owner: str) -> None:
    """Draw waves with links to their people, those of an owner alone if one is given."""
    if not found:
        empty("Nobody is to be asked within a fortnight.", "Programmes that run plan their weeks by themselves.")
        return
    rows: list[list[Cell]] = []
    for wave in found:
        name = wave.programme_name
        if wave.programme_state != "running":
            name = f"{name} ({wave.programme_state})"
        path = f"/surveys/waves/{wave.programme_id}/{wave.day.isoformat()}"
        if owner:
            path += "?mine=yes"
        counts = map(wording.grouped, (wave.to_ask, wave.excluded, wave.accounts))
        rows.append([partial(link, name, path), partial(when, wave.day), *counts])
    table(HEADS, rows, "Coming waves, the next one first")


@page("/surveys/waves/{programme_id}/{day}", "People of a wave")
async def wave(visit: Visit) -> None:
    """Draw the page."""
    lead = LEAD
    if visit.user.may("act"):
        lead = SILENCE
    tabs(visit, "/surveys/waves", lead)
    owner = ""
    if visit.query.get("mine"):
        owner = visit.user.email

    async def load(api: Api) -> WavePeople:
        return await api.ask(WAVE_PEOPLE, **visit.path, owner=owner)

    Section(visit, "Who is asked", load, partial(_draw, visit, owner), classes="wide", subject="wave")


def _draw(visit: Visit, owner: str, found: WavePeople) -> None:
    with box("p", "muted"):
        Text("span", f"{found.programme_name}, in the week from ")
        when(found.day)
    if found.items:
        rows = [_row(visit, person) for person in found.items]
        table(("Who", "Account", "Address", "Role", "What becomes of it", "When", ""), rows, "People of this wave")
    else:
        whose = "Nobody"
        if owner:
            whose = "Nobody at your accounts"
        empty(f"{whose} is in this wave.", "People are planned two weeks before their mail goes.")
    if visit.user.may("act") and found.items:
        with box("div", "buttons"):
            button("Add a person", partial(_add, visit, found), "main")


def _row(visit: Visit, person: WavePerson) -> list[Cell]:
    return [
        partial(person_link, person.account_id, person.stakeholder_id, person.name),
        partial(account_link, person.account_id, person.account_name),
        person.email or wording.NOTHING,
        wording.TYPE_NAMES.get(person.type or "", wording.NOTHING),
        partial(_draw_state, person),
        partial(when, person.due_at),
        partial(_draw_buttons, visit, person),
    ]


def _draw_state(person: WavePerson) -> None:
    with box("span"):
        Text("span", told.state_words(person.state, None, person.reason))
        if person.note:
            Text("span", f" “{person.note}”", "muted")


def _draw_buttons(visit: Visit, person: WavePerson) -> None:
    if not visit.user.may("act"):
        return
    who = person.name or person.stakeholder_id
    with box("div", "buttons tight"):
        if person.state in WAITS:
            button("Leave out", partial(_exclude, visit, person)).props["aria-label"] = f"Leave out: {who}"
        if person.reason == "excluded":
            button("Ask again", partial(_include, visit, person)).props["aria-label"] = f"Ask again: {who}"
        if person.state in (*WAITS, "skipped"):
            button("Correct the address", partial(_correct, visit, person)).props["aria-label"] = f"Address of {who}"


def _exclude(visit: Visit, person: WavePerson) -> None:
    def fill(fields: Fields) -> None:
        Text("p", "They are not asked in this wave, and the reason is counted. The next wave asks them again.")
        fields.text("reason", "Why")

    async def send(values: Values) -> bool:
        async def work() -> None:
            if not values.get("reason"):
                await refuse("Say why.")
            await (await visit.api()).call(EXCLUDE_ASK, values, ask_id=person.ask_id)

        done = await attempt(work(), "Left out")
        await visit.refresh()
        return done

    ask(f"Leave out {person.name or person.stakeholder_id}?", fill, send, "Leave them out")


async def _include(visit: Visit, person: WavePerson) -> None:
    await attempt((await visit.api()).call(INCLUDE_ASK, ask_id=person.ask_id), "They are asked")
    await visit.refresh()


def _correct(visit: Visit, person: WavePerson) -> None:
    def fill(fields: Fields) -> None:
        fields.text("email", "E-mail", kind="email", value=person.email or "")

    async def send(values: Values) -> bool:
        api = await visit.api()
        done = await attempt(api.call(CORRECT_ASK, values, ask_id=person.ask_id), "Saved: the list follows in a moment")
        await visit.refresh()
        visit.refresh_soon()
        return done

    ask(f"Correct the address of {person.name or person.stakeholder_id}", fill, send, "Save")


def _add(visit: Visit, found: WavePeople) -> None:
    accounts: dict[str, str] = {}
    for person in found.items:
        accounts[person.account_id] = person.account_name or person.account_id

    def fill(fields: Fields) -> None:
        fields.choice("account_id", "Account", accounts)
        fields.text("email", "E-mail", kind="email")
        fields.text("name", "Name")
        fields.choice("type", "Role", records.NOT_SAID | wording.TYPE_NAMES)

    async def send(values: Values) -> bool:
        body = {name: value for name, value in values.items() if value}
        body.setdefault("account_id", next(iter(accounts)))
        path = {"programme_id": found.programme_id, "day": found.day.isoformat()}
        work = (await visit.api()).call(ADD_TO_WAVE, body, **path)
        return await attempt(work, "Added: the programme finds them within twelve hours")

    ask("Add a person", fill, send, "Add them")
