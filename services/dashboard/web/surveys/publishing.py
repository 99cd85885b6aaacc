"""Publishing a survey: what forbids it, and what changes by it, before it is done."""

from collections.abc import Sequence

from services.dashboard.domain import survey_texts as texts
from services.dashboard.web.elements import Cell, Text, box, table
from services.dashboard.web.form_fields import attempt, button, over_the_page
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.draft import Draft
from shared.api.calls import PUBLISH_SURVEY
from shared.api.questions import SURVEY_VERSION
from shared.http.problem import FieldError

FIRST = "From then on links can be made for it. A later change is another version, when you publish it."
NEXT = "Whoever was asked already keeps the version they were asked with. Changed wordings are a mark on the trend."
SHOWN = 20


class Publishing:
    """The dialog of one survey."""

    def __init__(self, visit: Visit, draft: Draft) -> None:
        self._visit, self._draft = visit, draft

    async def start(self) -> None:
        """Save what was typed, and say what would change."""
        if not await self._draft.save():
            return
        survey = self._draft.survey
        if survey.faults:
            self._draw_faults(survey.faults)
            return
        found: list[texts.Difference] = []

        async def work() -> None:
            if survey.current_version is not None:
                api = await self._visit.api()
                version = str(survey.current_version)
                asked = await api.ask(SURVEY_VERSION, survey_id=survey.survey_id, version=version)
                found.extend(texts.differences(asked.document.model_dump(mode="json"), self._draft.document))

        if await attempt(work(), ""):
            self._confirm(found)

    def _draw_faults(self, faults: Sequence[FieldError]) -> None:
        with over_the_page("Not ready yet") as dialog, box("div", "dialog"):
            Text("h2", "Not ready yet")
            Text("p", "Before it can be published:")
            with box("ul"):
                for fault in faults[:SHOWN]:
                    Text("li", f"{texts.place(self._draft.document, fault.field)}: {fault.detail}")
            with box("div", "buttons"):
                button("Back to the form", dialog.close, "main")
        dialog.open()

    def _confirm(self, found: Sequence[texts.Difference]) -> None:
        survey = self._draft.survey
        version = (survey.current_version or 0) + 1
        with over_the_page("Publish") as dialog, box("div", "dialog large"):
            Text("h2", f"Publish version {version} of {survey.name}?")
            if survey.current_version is None:
                Text("p", FIRST)
            else:
                Text("p", NEXT)
                _draw_differences(found)
            if survey.warnings:
                Text("p", f"To look at first, though it may stay so: {len(survey.warnings)} (see the checks).", "muted")

            async def go() -> None:
                if await attempt(self._publish(), f"Version {version} is published"):
                    dialog.close()
                await self._visit.refresh()

            with box("div", "buttons"):
                button("Publish it", go, "main")
                button("Cancel", dialog.close)
        dialog.open()

    async def _publish(self) -> None:
        survey = self._draft.survey
        api = await self._visit.api()
        await api.call(PUBLISH_SURVEY, {"revision": survey.revision}, survey_id=survey.survey_id)
        await self._visit.resources.desk.note(self._visit.user, "published_survey", survey.name)


def _draw_differences(found: Sequence[texts.Difference]) -> None:
    if not found:
        Text("p", "No question and no text differs from the version before.", "muted")
        return
    rows: list[list[Cell]] = [[change.place, change.before, change.after] for change in found[:SHOWN]]
    table(("What changes", "Before", "Then"), rows, "What changes")
    if len(found) > SHOWN:
        Text("p", f"and {len(found) - SHOWN} more", "muted")
