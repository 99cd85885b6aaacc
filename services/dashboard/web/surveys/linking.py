"""Making personal links by hand: for one person, or for everybody at an account."""

from collections.abc import Iterable, Mapping
from typing import Any

from nicegui import ui

from services.dashboard.domain import survey_texts as texts
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.link_rows import show_links
from shared.api.asks import LinkRow, LinksMade
from shared.api.calls import MAKE_LINKS
from shared.api.people import Person
from shared.api.questions import STAKEHOLDERS, SURVEYS
from shared.api.surveys import SurveyHead
from shared.http.client import Api, Away

EVERYBODY = ""
OWN_LANGUAGE = "Their own, where it is known"
NONE_YET = "No survey is published yet: make one under Surveys, and publish it."
NOBODY_YET = "Nobody is known at this account: add its people first, on its page or by a file."
MOST = 500


def making(visit: Visit, account_id: str, stakeholder_id: str | None = None) -> None:
    """A button that makes links; nothing for people who may only read."""
    if visit.user.may("act"):
        button("Make a link", _Making(visit, account_id, stakeholder_id).start)


async def published(api: Api) -> list[SurveyHead]:
    """The surveys by which people can be asked."""
    found = []
    for survey in await api.ask_all(SURVEYS):
        if survey.current_version is not None and survey.archived_at is None:
            found.append(survey)
    return found


class _Making:
    """The dialog of one account or person."""

    def __init__(self, visit: Visit, account_id: str, stakeholder_id: str | None) -> None:
        self._visit, self._account_id, self._stakeholder_id = visit, account_id, stakeholder_id

    async def start(self) -> None:
        surveys: list[SurveyHead] = []
        people: list[Person] = []

        async def load() -> None:
            api = await self._visit.api()
            surveys.extend(await published(api))
            if self._stakeholder_id is None:
                people.extend(await api.ask_all(STAKEHOLDERS, account_id=self._account_id, most=MOST, sort="name"))

        if not await attempt(load(), ""):
            return
        if not surveys:
            ui.notify(NONE_YET, position="top", timeout=8000)
            return
        self._ask(surveys, {person.stakeholder_id: person.name or person.stakeholder_id for person in people})

    def _ask(self, surveys: list[SurveyHead], people: Mapping[str, str]) -> None:
        def fill(fields: Fields) -> None:
            fields.choice("survey_id", "Survey", names_of(surveys))
            if self._stakeholder_id is None:
                fields.choice("stakeholder_id", "For", {EVERYBODY: "Everybody at this account"} | dict(people))
            fields.choice("language", "Language", languages_of(surveys))

        async def send(values: Values) -> bool:
            wanted = self._stakeholder_id or values.get("stakeholder_id")
            body: dict[str, Any] = {"filter": {"account_id": self._account_id}}
            if wanted:
                body = {"people": [{"account_id": self._account_id, "stakeholder_id": wanted}]}
            if "language" in values:
                body["language"] = values["language"]
            made = await make_links(self._visit, values["survey_id"], body)
            if made is None:
                return False
            self._show(values["survey_id"], body, made)
            await self._visit.refresh()
            return True

        ask("Make a link", fill, send, "Make it")

    def _show(self, survey_id: str, body: Mapping[str, Any], made: LinksMade) -> None:
        if not made.items:
            ui.notify(NOBODY_YET, position="top", timeout=8000)
            return

        async def again(row: LinkRow, reason: str) -> LinkRow | None:
            person = {"account_id": row.account_id, "stakeholder_id": row.stakeholder_id}
            other: dict[str, Any] = {"people": [person], "override_quarantine": reason}
            if "language" in body:
                other["language"] = body["language"]
            found = await make_links(self._visit, survey_id, other)
            await self._visit.refresh()
            if found is None:
                return None
            return found.items[0]

        show_links(self._visit, made.items, again)


def names_of(surveys: Iterable[SurveyHead]) -> dict[str, str]:
    """Id → name of surveys."""
    return {survey.survey_id: survey.name for survey in surveys}


def languages_of(surveys: list[SurveyHead]) -> dict[str, str]:
    """The languages of these surveys to choose from, after the person's own."""
    found = {"": OWN_LANGUAGE}
    for survey in surveys:
        found |= texts.language_names(survey.languages)
    return found


async def make_links(visit: Visit, survey_id: str, body: Mapping[str, Any]) -> LinksMade | None:
    """Make links; None where that failed, which is said then."""
    made: list[LinksMade] = []

    async def work() -> None:
        try:
            made.append(await (await visit.api()).call(MAKE_LINKS, body, survey_id=survey_id))
        except Away as away:
            if " " in away.reason:  # it is there, and says why it does not ask yet
                await refuse(away.reason)
            raise

    await attempt(work(), "")
    return next(iter(made), None)
