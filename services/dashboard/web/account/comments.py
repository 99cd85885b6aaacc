"""The latest comments of an account's people."""

from services.dashboard.domain import wording
from services.dashboard.web.account.view import AccountView, PersonNames
from services.dashboard.web.elements import Text, box, category_chip, empty, person_link, when
from services.dashboard.web.section import Section
from shared.api.people import Response
from shared.http.client import Api

FIRST = 8


def place_comments(view: AccountView) -> None:
    """The section of the comments."""

    async def load(api: Api) -> tuple[list[Response], PersonNames]:
        comments = await view.comments(api)
        return comments, await view.names(api, comments)

    Section(view.visit, "What they said", load, _draw)


def _draw(found: tuple[list[Response], PersonNames]) -> None:
    """Draw the comments, the newest first."""
    comments, names = found
    if not comments:
        empty("No comments yet.")
        return
    _quotes(comments[:FIRST], names)
    if len(comments) > FIRST:
        with box("details"):
            Text("summary", f"{len(comments) - FIRST} earlier ones")
            _quotes(comments[FIRST:], names)


def _quotes(comments: list[Response], names: PersonNames) -> None:
    with box("div", "quotes"):
        for response in comments:
            with box("div"):
                with box("p", "muted"):
                    score_chip(response)
                    Text("span", " ")
                    person_link(response.account_id, response.stakeholder_id, names.get(response.stakeholder_id))
                    Text("span", ", ")
                    when(response.answered_at)
                    if response.follow_up_requested:
                        Text("span", " · asked to be called")
                Text("blockquote", response.comment or "", "quote")


def score_chip(response: Response) -> None:
    """The score of a response, with its category or on its scale."""
    if response.category:
        category_chip(response.category, response.score)
    else:
        Text("span", f"{response.score} {wording.SCALES[response.survey_type]}", "chip")
