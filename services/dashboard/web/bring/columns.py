"""The choices of how a file is read: which column is which field, the sheet, the order of dates, the time zone."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.dashboard.domain import bringing
from services.dashboard.web.elements import Text, box
from services.dashboard.web.form_fields import VALUE, options_of
from shared.api.imports import DraftView

LEFT_OUT = "– not in the file –"
SHEETS = ("several_sheets", "unknown_sheet")
Change = Callable[[str, str], Awaitable[None]]


class ColumnChoices:
    """Draws the choices for a look at a draft; what is chosen goes to `map` (field, column) and `change` (name of the
    setting, its value). `zone` is that of the browser."""

    def __init__(self, view: DraftView, wanted: Mapping[str, Any], map_: Change, change: Change, zone: str) -> None:
        self._view, self._wanted, self._map, self._change, self._zone = view, wanted, map_, change, zone
        self._columns: dict[str, str] = {}
        for column in view.header:
            name = column.name
            if column.samples:
                name = f"{column.name} ({', '.join(column.samples)})"
            if not column.name.startswith("="):
                self._columns.setdefault(column.name, name[:90])

    def draw(self) -> None:
        """Draw them, the needed ones first."""
        asked = {question.code for question in self._view.asks}
        if asked.intersection(SHEETS) or self._wanted.get("sheet"):
            self._text("Sheet of the workbook", self._wanted.get("sheet", ""), "sheet")
        if not self._columns:
            return
        needed = bringing.NEEDED[self._view.kind]
        with box("div", "mapping"):
            for field in needed:
                self._field(field)
            if self._view.kind == "responses":
                self._dates()
                self._text("Time zone of times without one", self._view.time_zone, "time_zone", self._zones())
                self._constant("survey_id")
        with box("details"):
            Text("summary", "Further columns")
            with box("div", "mapping"):
                for field in bringing.FURTHER[self._view.kind]:
                    self._field(field)

    def _field(self, field: str) -> None:
        chosen = self._view.columns.get(field, "")
        options = {"": LEFT_OUT} | self._columns | dict(bringing.CONSTANTS.get(field, {}))
        if chosen.startswith("=") and chosen not in options:
            options[chosen] = f"Every row: {chosen[1:]}"
        self._select(bringing.field_name(field), options, chosen, field)
        if field == "account_id" and (not chosen or chosen.startswith("=")):
            self._constant(field)

    def _select(self, label: str, options: Mapping[str, str], chosen: str, field: str) -> None:
        with box("label"):
            Text("span", label)
            made = options_of(options, chosen)

            async def change(told: Any) -> None:
                await self._map(field, told.args)

            made.on("change", change, js_handler=VALUE)

    def _constant(self, field: str) -> None:
        """A text for all rows."""
        column = self._view.columns.get(field, "")
        value = ""
        if column.startswith("="):
            value = column[1:]
        with box("label"):
            Text("span", bringing.WRITTEN[field])
            made = box("input", type="text", value=value)

            async def change(told: Any) -> None:
                text = told.args.strip()
                if text:
                    text = f"={text}"
                await self._map(field, text)

            made.on("change", change, js_handler=VALUE)

    def _dates(self) -> None:
        """The order of dates that could be read in two ways, each with what the first one would be."""
        named = self._view.columns.get("answered_at")
        samples: list[str] = []
        for column in self._view.header:
            if column.name == named:
                samples = column.samples
        orders = bringing.date_orders(samples)
        chosen = self._wanted.get("date_format", "")
        if not orders and not chosen:
            return
        with box("label"):
            Text("span", "How dates are written")
            made = options_of({"": "As they tell themselves"} | orders, chosen)

            async def change(told: Any) -> None:
                await self._change("date_format", told.args)

            made.on("change", change, js_handler=VALUE)

    def _zones(self) -> list[str]:
        return list(dict.fromkeys(filter(None, (self._zone, self._view.time_zone, "UTC"))))

    def _text(self, label: str, value: str, name: str, suggested: list[str] | None = None) -> None:
        with box("label"):
            Text("span", label)
            made = box("input", type="text", value=value, list=f"known-{name}")

            async def change(told: Any) -> None:
                await self._change(name, told.args.strip())

            made.on("change", change, js_handler=VALUE)
        with box("datalist", id=f"known-{name}"):
            for known in suggested or ():
                box("option", value=known)
