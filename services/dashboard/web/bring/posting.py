"""One answer by API: a request to paste, with a key that is made here, and the answer as soon as it has come."""

import json
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import Text, account_link, box, code, empty, link, when
from services.dashboard.web.form_fields import attempt, button, over_the_page
from services.dashboard.web.names import NameBook, NameLookup, pair_of
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.calls import MAKE_KEY
from shared.api.keys import NewKey
from shared.api.people import Response
from shared.api.questions import RESPONSES
from shared.http.client import Api

KEY_NAME = "First answers by API"
ANSWER = {
    "account_id": "acme",
    "email": "ann@acme.example",
    "survey_type": "nps",
    "score": 9,
    "comment": "Fast answers",
}
WITHOUT_KEY = "$TELLBACK_KEY"
ELSEWHERE = (
    "This is where the dashboard finds the collector. Where your programs find it elsewhere, as from outside of Docker,"
    " put that address in its place."
)


@page("/bring/api", "Post one by API", scope="ingest")
async def posting(visit: Visit) -> None:
    """Draw the page."""
    Text("h1", "Post one by API")
    Text("p", "Whatever asks your customers can post their answers, one by one, as they come", "lead")
    with box("div", "stack"):
        with box("section", "card", aria_label="The request"):
            Text("h2", "The request")
            code(_request(visit, WITHOUT_KEY), "The request")
            Text("p", ELSEWHERE, "muted")
            _place_key(visit)
        Section(visit, "What came last", _load_last, _draw_last)
    with box("p"):
        link("Bring a file instead", "/bring")


def _request(visit: Visit, key: str) -> str:
    body = json.dumps(ANSWER)
    return (
        f"curl -sS {visit.resources.settings.collector_url.rstrip('/')}/v1/responses \\\n"
        f'  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )


def _place_key(visit: Visit) -> None:
    if not visit.user.may("manage"):
        Text("p", "An admin makes the key that stands in it, under Settings, Keys.", "muted")
        return
    with box("div", "buttons"):
        button("Make a key for it", partial(_make_key, visit), "main")
        link("All keys", "/settings/keys", "button")


async def _make_key(visit: Visit) -> None:
    made: list[NewKey] = []

    async def work() -> None:
        made.append(await (await visit.api()).call(MAKE_KEY, {"name": KEY_NAME, "scopes": ["ingest"]}))
        await visit.resources.desk.note(visit.user, "made_key", made[0].name)

    if await attempt(work(), ""):
        _show_request(_request(visit, made[0].key))


def _show_request(request: str) -> None:
    """The request with its key, which is shown only now."""
    title = "The request with its key"
    with over_the_page(title, lasting=True) as dialog, box("div", "dialog"):
        Text("h2", title)
        Text("p", "The key can post answers, accounts and people, and read nothing. It is shown this once.")
        code(request, title)
        with box("div", "buttons"):
            button("I have copied it", dialog.close, "main")
    dialog.open()


async def _load_last(api: Api) -> tuple[list[Response], NameBook]:
    """The last answer, if any, and the names in it."""
    found = (await api.ask(RESPONSES, limit=1, sort="-answered_at")).items
    return found, await NameLookup().of(api, map(pair_of, found))


def _draw_last(loaded: tuple[list[Response], NameBook]) -> None:
    found, names = loaded
    if not found:
        empty("No answer has come yet.", "It is here as soon as it has.")
        return
    answer = found[0]
    pair = pair_of(answer)
    with box("p"):
        Text("span", f"{names.person(pair)} at ")
        account_link(answer.account_id, names.account(pair))
        Text("span", f" answered {answer.score} ({wording.SURVEYS[answer.survey_type]}), ")
        when(answer.answered_at, "time")
    link("To the portfolio", "/", "button main")
