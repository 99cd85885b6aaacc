"""The page of a respondent, as it will look on a phone: of what is saved, in each language and for each category."""

import asyncio
from urllib.parse import urlencode

from nicegui import ui

from services.dashboard.domain import survey_texts as texts
from services.dashboard.web.elements import box
from services.dashboard.web.form_fields import Fields, attempt
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.draft import Draft
from shared.http.client import within

COLOURS = {"light": "Light", "dark": "Dark"}
BEFORE = {"": "Before they answer"}


class Preview:
    """The choices and the frame. The frame is sandboxed: no script, no form and no link works in it."""

    _frame: ui.element | None = None
    _showing: asyncio.Task[None] | None = None

    def __init__(self, visit: Visit, draft: Draft) -> None:
        self._visit, self._draft = visit, draft
        self._fields = Fields()
        self._client = visit.client
        draft.on_change.append(self._changed)

    def draw(self, _: object) -> None:
        """Draw the choices; the frame is filled at once."""
        document = self._draft.document
        fields = self._fields = Fields()
        languages = texts.language_names(texts.languages(document))
        categories = BEFORE | {name: f"{texts.SIGNS[name]} {texts.CATEGORIES[name]}"
                               for name in texts.categories(document)}  # fmt: skip
        with box("div", "filters") as choices:
            fields.choice("language", "Language", languages)
            fields.choice("category", "Shown", categories)
            fields.choice("colours", "Colours", COLOURS)
        choices.on("change", self._choose)
        with box("div", "phone"):
            self._frame = box("iframe", sandbox="", title="Preview of the page")
        self._changed()

    def _changed(self) -> None:
        if self._frame is not None and not self._frame.is_deleted:
            self._showing = asyncio.create_task(self._show(self._frame))

    async def _choose(self) -> None:
        if self._frame is not None:
            await self._show(self._frame)

    async def _show(self, frame: ui.element) -> None:
        async def work() -> None:
            values, survey_id = self._fields.values, self._draft.survey_id
            query = urlencode({name: values[name] for name in ("language", "category") if values.get(name)})
            path = f"{within('/v1/surveys', survey_id)}/preview?{query}"
            content = b""
            async for chunk in (await self._visit.api()).chunks("outreach", path):
                content += chunk
            frame.style(replace=f"color-scheme: {values.get('colours', 'light')}")
            frame.props["srcdoc"] = content.decode()
            frame.update()

        with self._client:
            await attempt(work(), "")
