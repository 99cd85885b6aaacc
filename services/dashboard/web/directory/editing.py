"""The form of a record: it sends only what was changed, and loses nothing when somebody else was faster."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from services.dashboard.domain import records
from services.dashboard.domain.records import FormField, Json
from services.dashboard.web.elements import Text, box
from services.dashboard.web.form_fields import Fields, attempt, button, over_the_page
from services.dashboard.web.section import Visit
from services.dashboard.web.sentences import why_not_done
from shared.api.directory import AccountView, StakeholderView
from shared.errors import Conflict, Invalid, NotFound
from shared.http.client import Api

Record = AccountView | StakeholderView
LoadRecord = Callable[[Api], Awaitable[Record]]
SaveRecord = Callable[[Api, Json], Awaitable[Any]]
SAVED = "Saved: the pages follow in a moment"
KEPT = "What you typed is still here: save again to keep it."
MADE_MEANWHILE = "Somebody else has made this record meanwhile."
REMOVED_MEANWHILE = "Somebody else has removed this record meanwhile. Save again to make it anew."


class RecordForm:
    """A form for one record in a dialog. `load` raises `NotFound` where there is no record: saving makes one. `save`
    gets the change with the `recorded_at` of the record that was seen."""

    def __init__(
        self, visit: Visit, title: str, fields: Sequence[FormField], load: LoadRecord, save: SaveRecord
    ) -> None:
        self._visit, self._title, self._fields, self._load, self._save = visit, title, fields, load, save
        self._before: dict[str, str] = {}
        self._seen: str | None = None
        self._typed = Fields()

    async def open(self) -> None:
        """Load the record and show the form."""
        if await attempt(self._look(), ""):
            self._show()

    async def _look(self) -> None:
        """Note the record as it stands."""
        try:
            found = await self._load(await self._visit.api())
        except NotFound:
            self._before, self._seen = records.texts_of(self._fields, {}), None
        else:
            self._before = records.texts_of(self._fields, found.model_dump(mode="json"))
            self._seen = found.recorded_at.isoformat()

    def _show(self) -> None:
        with over_the_page(self._title) as dialog, box("div", "dialog large"):
            Text("h2", self._title)
            self._body = box("div", "mapping")
            self._draw(self._before)
            self._notice = box("div", "notice warn", role="status")
            self._notice.set_visibility(False)
            with box("div", "buttons"):
                button("Save", lambda: self._submit(dialog), "main")
                button("Cancel", dialog.close)
        dialog.open()

    def _draw(self, texts: Mapping[str, str]) -> None:
        self._body.clear()
        with self._body:
            for form_field in self._fields:
                self._field(form_field, texts[form_field.name])

    def _field(self, form_field: FormField, text: str) -> None:
        if form_field.options:
            options = dict(form_field.options)
            options.setdefault(text, text)
            self._typed.choice(form_field.name, form_field.label, options, text)
        else:
            self._typed.text(form_field.name, form_field.label, value=text, kind=form_field.kind)

    async def _submit(self, dialog: ui.dialog) -> None:
        change = records.change_of(self._fields, self._before, self._typed.values)
        try:
            await self._save(await self._visit.api(), change | {"recorded_at": self._seen})
        except (Conflict, NotFound):
            await self._somebody_was_faster()
        except Invalid as error:
            self._say(_faults(error))
        else:
            dialog.close()
            ui.notify(SAVED, type="positive", position="top")
            await self._visit.refresh()
            self._visit.refresh_soon()

    async def _somebody_was_faster(self) -> None:
        """Say what stands by now, and show it where nothing was typed; the next save goes on from there."""
        before, seen = self._before, self._seen
        if not await attempt(self._look(), ""):
            return
        self._draw(records.merged(self._fields, before, self._typed.values, self._before))
        if self._seen is None:
            self._say(REMOVED_MEANWHILE)
        elif seen is None:
            self._say(f"{MADE_MEANWHILE} {KEPT}")
        else:
            words = "; ".join(records.differences(self._fields, before, self._before))
            self._say(f"Somebody else has changed this record meanwhile: {words}. {KEPT}")

    def _say(self, text: str) -> None:
        self._notice.clear()
        with self._notice:
            Text("p", text)
        self._notice.set_visibility(True)


def _faults(error: Invalid) -> str:
    """What is wrong, by the labels of the form."""
    words = []
    for fault in error.errors or ():
        name = str(fault.get("field"))
        words.append(f"{records.FIELD_LABELS.get(name, name)}: {fault.get('detail')}")
    return "; ".join(words) or why_not_done(error)
