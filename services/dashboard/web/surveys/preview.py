"""The page of a respondent, as it will look on a phone: of what is saved, in each language and for each category."""

import asyncio
from html import escape
from urllib.parse import urlencode

from nicegui import ui

from services.dashboard.domain import survey_texts as texts
from services.dashboard.domain.survey_texts import Document
from services.dashboard.web.elements import box
from services.dashboard.web.form_fields import Fields, attempt
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.draft import Draft
from shared.http.client import within

PLAIN = "text"
COLOURS = {"light": "Light", "dark": "Dark", PLAIN: "Plain text"}
BEFORE = {"": "Before they answer"}


def plain_page(text: str) -> str:
    """Plain text as a page for the frame."""
    return f'<!doctype html><title>Plain text</title><pre style="white-space: pre-wrap">{escape(text)}</pre>'


class Preview:
    """The choices and the frame. The frame is sandboxed: no script, no form and no link works in it."""

    _frame: ui.element | None = None
    _showing: asyncio.Task[None] | None = None
    _body: ui.element

    def __init__(self, visit: Visit, draft: Draft) -> None:
        self._visit, self._draft = visit, draft
        self._fields = Fields()
        self._languages: list[str] = []
        self._client = visit.client
        draft.on_change.append(self._changed)

    def draw(self, _: object) -> None:
        """Draw the choices; the frame is filled at once."""
        self._body = box("div")
        with box("div", "phone"):
            self._frame = box("iframe", sandbox="", title="Preview of the page")
        self._draw_choices(self._draft.document)
        self._changed()

    def _draw_choices(self, document: Document) -> None:
        fields = self._fields = Fields()
        self._languages = texts.languages(document)
        shown = dict(BEFORE)
        for name in texts.categories(document):
            shown[name] = f"{texts.SIGNS[name]} {texts.CATEGORIES[name]}"
        self._body.clear()
        with self._body, box("div", "filters") as choices:
            fields.choice("language", "Language", texts.language_names(self._languages))
            fields.choice("category", "Shown", shown)
            fields.choice("colours", "As", COLOURS)
        choices.on("change", self._choose)

    def _changed(self) -> None:
        if self._frame is None or self._frame.is_deleted:
            return
        if self._languages != texts.languages(self._draft.document):
            self._draw_choices(self._draft.document)
        self._showing = asyncio.create_task(self._show(self._frame))

    async def _choose(self) -> None:
        if self._frame is not None:
            await self._show(self._frame)

    async def _show(self, frame: ui.element) -> None:
        async def work() -> None:
            values, survey_id = self._fields.values, self._draft.survey_id
            colours = values.get("colours", "light")
            wanted = {name: values[name] for name in ("language", "category") if values.get(name)}
            if colours == PLAIN:
                wanted["format"] = PLAIN
            query = urlencode(wanted)
            path = f"{within('/v1/surveys', survey_id)}/preview?{query}"
            content = b""
            async for chunk in (await self._visit.api()).chunks("outreach", path):
                content += chunk
            shown = content.decode()
            if colours == PLAIN:
                shown, colours = plain_page(shown), "light"
            frame.style(replace=f"color-scheme: {colours}")
            frame.props["srcdoc"] = shown
            frame.update()

        with self._client:
            await attempt(work(), "")
