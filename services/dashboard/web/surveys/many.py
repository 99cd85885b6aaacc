"""Links for many people at once, as a file for one's own mailer."""

from functools import partial
from typing import Any

from nicegui import ui

from services.dashboard.domain import asks as told
from services.dashboard.domain import wording
from services.dashboard.web.accounts_json import TIERS
from services.dashboard.web.elements import Cell, Text, address, box, empty, link, table
from services.dashboard.web.form_fields import Fields, Values, button, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.linking import languages_of, make_links, names_of, published
from services.dashboard.web.surveys.tabs import tabs
from shared.api.asks import LinkRow, LinksMade
from shared.api.surveys import SurveyHead
from shared.industries import NAMES as INDUSTRIES

LEAD = "Personal links for many people, as a file for Outlook, a CRM or any mailer"
ALL = {"": "All"}
CHOICES = {
    "type": ("Role", wording.TYPE_NAMES),
    "tier": ("Tier", TIERS),
    "industry": ("Industry", INDUSTRIES),
}
TEXTS = {"region": "Region", "owner": "Owner’s e-mail", "account_id": "One account’s id"}
BY_MAILER = "My mailer reports to Tellback what it sent; until then nobody counts as asked"
HEADS = ("account_id", "stakeholder_id", "name", "email", "language", "url", "expires_at", "invitation_id", "problem")


@page("/surveys/links", "Links for many", scope="act")
async def links(visit: Visit) -> None:
    """Draw the form; the survey may be in the address."""
    tabs(visit, "/surveys/links", LEAD)
    Section(visit, "Who is asked", published, partial(_Many(visit).draw), classes="wide")


class _Many:
    """The form, and what came of it."""

    _result: ui.element

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._fields = Fields()

    def draw(self, surveys: list[SurveyHead]) -> None:
        if not surveys:
            empty("No survey is published yet.", "A survey is published before anybody can be asked.")
            link("Surveys", "/surveys")
            return
        fields = self._fields = Fields()
        names = names_of(surveys)
        with box("div", "form"):
            with box("div", "filters"):
                fields.choice("survey_id", "Survey", names, self._visit.chosen("survey_id", names, ""))
                fields.choice("language", "Language", languages_of(surveys))
            with box("div", "filters"):
                for name, (label, options) in CHOICES.items():
                    fields.choice(name, label, ALL | options, self._visit.chosen(name, options, ""))
                for name, label in TEXTS.items():
                    fields.text(name, label, value=self._visit.query.get(name, ""))
            fields.tick("by_mailer", BY_MAILER)
            with box("div", "buttons"):
                button("Make the links", lambda: self._confirm(names), "main")
        self._result = box("div", "result", role="status")

    def _confirm(self, names: dict[str, str]) -> None:
        survey = names[self._fields.values["survey_id"]]
        text = "Everybody who gets a link counts as asked from now on, and rests from other surveys."
        if self._fields.values.get("by_mailer"):
            text = "Everybody who gets a link counts as asked when your mailer says that it was sent."
        sure(f"Make links for {survey}?", text, "Make them", self._make)

    async def _make(self) -> None:
        values = self._fields.values
        made = await make_links(self._visit, values["survey_id"], body_of(values))
        if made is None:
            return
        self._result.clear()
        with self._result:
            _draw(made)


def body_of(values: Values) -> dict[str, Any]:
    """The call for what was chosen."""
    wanted = {name: values[name] for name in (*CHOICES, *TEXTS) if values.get(name)}
    body: dict[str, Any] = {"filter": wanted, "handed_over": not values.get("by_mailer")}
    if values.get("language"):
        body["language"] = values["language"]
    return body


def _draw(made: LinksMade) -> None:
    people = wording.count(len(made.items), "person", "people")
    Text("h3", f"{wording.grouped(made.made)} of {people} got a link")
    reasons = [row.problem.reason for row in made.items if row.problem is not None]
    if reasons:
        rows: list[list[Cell]] = [
            [told.reason_words(reason).capitalize(), wording.grouped(number)]
            for reason, number in told.counted_reasons(reasons).items()
        ]
        table(("Not asked because", "People"), rows, "Who was not asked, and why")
    with box("div", "buttons"):
        if made.items:
            button("Download the list (CSV)", partial(_download, made), "main")
        link("Who was asked", address("/surveys/asks", survey_id=made.survey_id), "button")


def _download(made: LinksMade) -> None:
    ui.download.content(told.csv_of(HEADS, list(map(line_of, made.items))), "links.csv", "text/csv")


def line_of(row: LinkRow) -> tuple[str, ...]:
    """A line of the file, in the order of HEADS."""
    expires, problem = "", ""
    if row.expires_at is not None:
        expires = row.expires_at.isoformat()
    if row.problem is not None:
        problem = f"{row.problem.reason}: {row.problem.detail}"
    known = (row.account_id, row.stakeholder_id, row.name, row.email, row.language, row.url, expires)
    return (*(text or "" for text in known), row.invitation_id or "", problem)
