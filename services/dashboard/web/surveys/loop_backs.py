"""What customers were told that their answers have changed; the button that tells them is on the page of an account."""

from functools import partial

from nicegui import ui

from services.dashboard.domain import asks as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, account_link, box, empty, table, when
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.tabs import tabs
from shared.api.calls import TELL_CHANGES, WITHDRAW_LOOP_BACK
from shared.api.loop_backs import LoopBack
from shared.api.questions import LOOP_BACKS
from shared.http.client import Api

HERE = "/surveys/loop-backs"
MOST = 200
LEAD = "What was changed after answers, told by mail to those who gave them"
HOW = (
    "One mail to each who answered within a year. It asks nothing and counts as no question; who objected gets none."
    " The last line stands in their next invitation as well."
)
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}
NAMES = {"waiting": "to be told", "sent": "told", "skipped": "not told", "failed": "not reached"}
REASONS = {"withdrawn": "taken back", "no_sender": "nobody may write to them: the account has no owner of your domain"}


@page(HERE, "What we changed")
async def loop_backs(visit: Visit) -> None:
    """Draw the page."""
    tabs(visit, HERE, LEAD)

    async def load(api: Api) -> list[LoopBack]:
        return await api.ask_all(LOOP_BACKS, most=MOST)

    Section(visit, "What was told", load, partial(_draw, visit), classes="wide")


def _draw(visit: Visit, found: list[LoopBack]) -> None:
    if not found:
        empty("Nobody was told anything yet.", "On the page of an account, tell its people what you changed for them.")
        return
    rows = [_row(visit, loop_back) for loop_back in found]
    table(("Whom", "What was changed", "How many", "When", ""), rows, "What was told, the newest first")


def _row(visit: Visit, loop_back: LoopBack) -> list[Cell]:
    return [
        partial(_draw_whom, loop_back),
        loop_back.changed,
        partial(_draw_counts, loop_back),
        partial(when, loop_back.created_at, "ago"),
        partial(_draw_buttons, visit, loop_back),
    ]


def _draw_whom(loop_back: LoopBack) -> None:
    if loop_back.account_id is None:
        Text("span", f"Who named {loop_back.theme}")
        return
    account_link(loop_back.account_id, loop_back.account_name)


def _draw_counts(loop_back: LoopBack) -> None:
    counts = loop_back.model_dump(include=set(NAMES))
    with box("span"):
        Text("span", f"{loop_back.people} = {told.sum_words(counts, NAMES)}")
        for reason in loop_back.reasons:
            words = REASONS.get(reason.reason) or told.reason_words(reason.reason)
            Text("span", f" · {wording.grouped(reason.count)} {words}", "muted")


def _draw_buttons(visit: Visit, loop_back: LoopBack) -> None:
    if not visit.user.may("act") or not loop_back.waiting:
        return

    async def withdraw() -> None:
        api = await visit.api()
        await attempt(api.call(WITHDRAW_LOOP_BACK, loop_back_id=loop_back.loop_back_id), "Taken back")
        await visit.refresh()

    text = "Who has not been told yet gets no mail, and no invitation repeats it."
    button("Take back", lambda: sure("Take it back?", text, "Take it back", withdraw))


def telling(visit: Visit, account_id: str) -> None:
    """A button that tells the people of an account what was changed; nothing for people who may only read."""
    if visit.user.may("act"):
        button("Tell them what changed", partial(_tell, visit, account_id))


def _tell(visit: Visit, account_id: str) -> None:
    def fill(fields: Fields) -> None:
        Text("p", HOW)
        fields.text("changed", "What you changed", long=True)
        fields.choice("language", "Written in", LANGUAGES)

    async def send(values: Values) -> bool:
        async def work() -> None:
            if not values.get("changed", "").strip():
                await refuse("Say what you changed.")
            made = await (await visit.api()).call(TELL_CHANGES, values | {"account_id": account_id})
            told_people = wording.count(made.people, "person", "people")
            ui.notify(f"{told_people} will be told", type="positive", position="top")

        return await attempt(work(), "")

    ask("Tell them what changed", fill, send, "Tell them")
