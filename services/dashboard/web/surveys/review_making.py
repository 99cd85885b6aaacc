"""Making a business review: for whom, with which words, and which comments the client may read."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

from nicegui import ui

from services.dashboard.domain import wording
from services.dashboard.web.elements import Text, account_address, account_link, box, empty, link
from services.dashboard.web.form_fields import Fields, attempt, button, refuse
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.linking import names_of, published
from services.dashboard.web.surveys.reviews import review_address
from shared.api.business_reviews import BusinessReview, ReviewPreview
from shared.api.calls import MAKE_REVIEW, PREVIEW_REVIEW
from shared.api.people import Person
from shared.api.questions import ACCOUNT_REVIEW, STAKEHOLDERS
from shared.api.reviews import ReviewPack
from shared.api.surveys import SurveyHead
from shared.http.client import Api

LEAD = "A copy of the review pack without names, behind a link for each recipient that ends with the question"
COMMENTS = "Comments that every recipient may read, without the name; none unless ticked"
LATEST = "Published last for reviews"


@dataclass(frozen=True)
class Material:
    """What a review is made of."""

    pack: ReviewPack
    people: list[Person]
    surveys: list[SurveyHead]


@page("/accounts/{account_id}/review/share", "Share a review", scope="act")
async def new_review(visit: Visit) -> None:
    """Draw the form."""
    account_id = visit.path["account_id"]
    Text("h1", "Share a business review")
    Text("p", LEAD, "lead")
    loaded: list[Material] = []

    async def load(api: Api) -> Material:
        """Loaded once: a pack that changes meanwhile must not take away what was ticked and typed."""
        if not loaded:
            loaded.append(await _material(api, account_id))
        return loaded[0]

    Section(visit, "", load, partial(_Form(visit, account_id).draw), classes="wide", subject="account")


async def _material(api: Api, account_id: str) -> Material:
    pack, people, surveys = await asyncio.gather(
        api.ask(ACCOUNT_REVIEW, account_id=account_id, audience="client"),
        api.ask_all(STAKEHOLDERS, account_id=account_id, sort="name"),
        published(api),
    )
    return Material(pack, people, surveys)


class _Form:
    """The form of one account."""

    _look_at: ui.element

    def __init__(self, visit: Visit, account_id: str) -> None:
        self._visit, self._account_id = visit, account_id
        self._fields = Fields()

    def draw(self, found: Material) -> None:
        """Draw the form."""
        fields = self._fields = Fields()
        with box("h2"):
            account_link(self._account_id, found.pack.account.name)
        if not found.surveys:
            empty("No survey is published yet.", "Publish the ready one for business reviews first.")
            link("Surveys", "/surveys")
            return
        if not found.people:
            empty("Nobody is known at this account.", "Add its people first: on the page of the account, or by a file.")
            return
        with box("div", "form"):
            with box("div", "filters"):
                fields.text("held_on", "Held on", kind="date", value=self._visit.now.date().isoformat())
                surveys = {"": LATEST} | names_of(found.surveys)
                fields.choice("survey_id", "Survey", surveys)
            fields.several("recipients", "Who gets a link", _names(found.people), _deciders(found.people))
            fields.text("intro", "Your words above it; the same for everybody", long=True)
            self._draw_comments(found.pack)
            with box("p", "muted"):
                Text("span", "Scores, what was done, and these comments are copied, without names. ")
                link("The whole pack as the client may see it", f"{account_address(self._account_id)}/review"
                     "?audience=client")  # fmt: skip
            with box("div", "buttons"):
                button("See what they will see", self._look)
                button("Make the review and its links", self._make, "main")
            self._look_at = box("div")

    def _draw_comments(self, pack: ReviewPack) -> None:
        comments = [said for said in pack.said if said.comment]
        if not comments:
            Text("p", "Nobody wrote a comment in this time: the scores and what was done are shared alone.", "muted")
            return
        words = {}
        for said in comments:
            sign = wording.CATEGORY_SIGNS.get(said.category or "", "")
            words[said.response_id] = f"{sign} {said.score}: {said.comment}"
        self._fields.several("comments", COMMENTS, words)

    async def _look(self) -> None:
        """Show the page as each recipient would see it; nothing is made."""
        body = await self._body()
        if body is None:
            return
        found: list[ReviewPreview] = []

        async def work() -> None:
            found.append(await (await self._visit.api()).call(PREVIEW_REVIEW, body))

        if not await attempt(work(), ""):
            return
        self._look_at.clear()
        with self._look_at:
            Text("h3", "What each recipient will see")
            for warning in found[0].warnings:
                Text("p", wording.plain(warning), "muted")
            with box("div", "phone"):
                box("iframe", sandbox="", title="The page of the review", srcdoc=found[0].html)

    async def _body(self) -> dict[str, Any] | None:
        """The review as it was chosen; None, which is said, where nobody gets it."""
        values = self._fields.values
        if not values.get("recipients"):
            await attempt(refuse("Choose who gets a link."), "")
            return None
        body: dict[str, Any] = {name: values[name] for name in ("held_on", "survey_id", "intro") if name in values}
        body |= {"account_id": self._account_id, "comments": values.get("comments", [])}
        body["recipients"] = [{"stakeholder_id": recipient} for recipient in values["recipients"]]
        return body

    async def _make(self) -> None:
        body = await self._body()
        if body is None:
            return
        made: list[BusinessReview] = []

        async def work() -> None:
            made.append(await (await self._visit.api()).call(MAKE_REVIEW, body))

        if await attempt(work(), "Made"):
            ui.navigate.to(review_address(made[0].review_id))


def _names(people: list[Person]) -> dict[str, str]:
    names = {}
    for person in people:
        role = wording.TYPE_NAMES.get(person.type or "", "")
        names[person.stakeholder_id] = person.name or person.stakeholder_id
        if role:
            names[person.stakeholder_id] += f", {role.lower()}"
    return names


def _deciders(people: list[Person]) -> list[str]:
    return [person.stakeholder_id for person in people if person.type == "decision_maker"]
