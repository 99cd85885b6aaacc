"""All accounts in one grid that sorts, filters and searches in the browser; what is chosen stands in the address."""

from typing import Any

from nicegui import ui

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api
from services.dashboard.web.bits import Text, address, box, link
from services.dashboard.web.controls import VALUE, options_of
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit
from shared.industries import NAMES as INDUSTRIES

Json = dict[str, Any]
TIERS = {"premium": "Premium", "key": "Key", "small": "Small"}
CHOICES = {
    "class": {code: f"{wording.CLASS_SIGNS[code]} {name}" for code, name in wording.CLASS_NAMES.items()},
    "tier": TIERS,
    "industry": dict(INDUSTRIES),
}
ASKED = ("owner", "region")
"""What comes with a link from elsewhere and is asked of the scorer."""
LABELS = {"class": "Class", "tier": "Tier", "industry": "Industry"}
SIGNED = "p => p.value == null ? '–' : (p.value > 0 ? '+' : p.value < 0 ? '−' : '') + Math.round(Math.abs(p.value))"
MONEY = (
    "p => p.value == null ? '–' : new Intl.NumberFormat(navigator.languages, {maximumFractionDigits: 0})"
    ".format(p.value) + ' ' + (p.data.currency || '')"
)
LAST = "(a, b, x, y, down) => a == null ? (b == null ? 0 : down ? -1 : 1) : b == null ? (down ? 1 : -1) : a - b"
DATE = "p => p.value ? new Date(p.value).toLocaleDateString(navigator.languages, {timeZone: 'UTC'}) : '–'"
NAME = (
    "p => { const a = document.createElement('a'); a.href = '/accounts/' + encodeURIComponent(p.data.account_id);"
    " a.textContent = p.value; return a; }"
)
WHY = (
    "p => { if (p.value == null) return '–'; const a = document.createElement('a'); a.textContent = p.valueFormatted;"
    " a.href = '/accounts/' + encodeURIComponent(p.data.account_id) + '/explain?window=90d'; return a; }"
)


@page("/accounts", "Accounts")
async def accounts(visit: Visit) -> None:
    """Draw the page."""
    Text("h1", "Accounts")
    Text("p", "Scores over 90 days, by the latest answer of each person", "lead")
    grid = _Grid(visit)
    grid.controls()
    Section(visit, "", grid.first, grid.draw, classes="wide")


class _Grid:
    """The grid and what is chosen in it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._chosen = {name: visit.query[name] for name in ("q", "sort", *CHOICES, *ASKED) if visit.query.get(name)}
        self._asked = {name: self._chosen[name] for name in ASKED if name in self._chosen}
        self._grid: ui.aggrid | None = None
        self._count: Text | None = None

    def controls(self) -> None:
        """A search and three lists above the grid."""
        with box("div", "filters", role="search"):
            with box("label"):
                Text("span", "Search")
                search = box("input", type="search", value=self._chosen.get("q", ""))
                search.on("input", lambda told: self._choose("q", told.args), js_handler=VALUE, throttle=0.2)
            for name, options in CHOICES.items():
                with box("label"):
                    Text("span", LABELS[name])
                    made = options_of({"": "All"} | options, self._chosen.get(name, ""))
                    made.on("change", lambda told, name=name: self._choose(name, told.args), js_handler=VALUE)
            for name, value in self._asked.items():
                rest = {key: said for key, said in self._chosen.items() if key != name}
                link(f"{wording.plain(name)}: {value} ✕", address("/accounts", **rest), "button")
            self._count = Text("span", "", "muted", role="status")

    async def first(self, api: Api) -> list[Json]:
        """All accounts. The grid shows the first page of them before the rest has come."""
        rows: list[Json] = []
        async for items in api.pages("scorer", "/v1/accounts", sort="name", **self._asked):
            rows += [_row(one) for one in items]
            if self._grid is None:
                self._count_rows(len(rows), more=True)
        return rows

    def draw(self, rows: list[Json]) -> None:
        """The grid; the browser does the sorting, filtering and searching."""
        self._count_rows(len(rows), more=False)
        self._grid = ui.aggrid(
            {
                "columnDefs": _columns(self._chosen.get("sort", "")),
                "defaultColDef": {"resizable": True, "sortable": True, "suppressHeaderFilterButton": True},
                "rowData": rows,
                ":getRowId": "p => p.data.account_id",
                "quickFilterText": self._chosen.get("q", ""),
                "initialState": {"filter": {"filterModel": self._model()}},
                "suppressDragLeaveHidesColumns": True,
                "overlayNoRowsTemplate": "No account is like this.",
            },
            auto_size_columns=False,
        ).classes("ag")
        self._grid.on("sortChanged", self._sorted, args=[])

    def _count_rows(self, number: int, *, more: bool) -> None:
        if self._count is not None:
            self._count.text = f"{wording.count(number, 'account')}{' so far …' if more else ''}"

    def _model(self) -> Json:
        return {
            name: {"filterType": "text", "type": "equals", "filter": options[self._chosen[name]]}
            for name, options in CHOICES.items()
            if self._chosen.get(name) in options
        }

    async def _choose(self, name: str, value: str) -> None:
        self._chosen[name] = value
        self._remember()
        if self._grid is None:
            return
        if name == "q":
            self._grid.run_grid_method("setGridOption", "quickFilterText", value)
        else:
            self._grid.run_grid_method("setFilterModel", self._model())

    async def _sorted(self) -> None:
        if self._grid is None:
            return
        state = await self._grid.run_grid_method("getColumnState")
        sorted_by = next((one for one in state or [] if one.get("sort")), None)
        descending = "-" if sorted_by and sorted_by["sort"] == "desc" else ""
        self._chosen["sort"] = f"{descending}{sorted_by['colId']}" if sorted_by else ""
        self._remember()

    def _remember(self) -> None:
        ui.navigate.history.replace(address("/accounts", **self._chosen))


def _row(one: Json) -> Json:
    revenue, owner = one["annual_revenue"] or {}, one["owner"] or {}
    return {
        "account_id": one["account_id"],
        "name": one["name"] or one["account_id"],
        "class": CHOICES["class"].get(one["class"], one["class"]),
        "nps": one["nps"],
        "change": one["change"],
        "voices": one["stakeholder_count"],
        "industry": INDUSTRIES.get(one["industry"] or "", one["industry"]),
        "tier": TIERS.get(one["tier"] or "", one["tier"]),
        "region": one["region"],
        "owner": owner.get("name") or owner.get("email"),
        "renewal_on": one["renewal_on"],
        "revenue": revenue.get("amount"),
        "currency": revenue.get("currency"),
    }


def _columns(sort: str) -> list[Json]:
    text = {"filter": "agTextColumnFilter"}
    number = {"filter": "agNumberColumnFilter", "type": "rightAligned", ":comparator": LAST}
    columns: list[Json] = [
        {"field": "name", "headerName": "Account", "minWidth": 170, "flex": 2, ":cellRenderer": NAME, **text},
        {"field": "nps", "headerName": "NPS", "width": 100, ":valueFormatter": SIGNED, ":cellRenderer": WHY, **number},
        {"field": "change", "headerName": "Change", "width": 105, ":valueFormatter": SIGNED, **number},
        {"field": "class", "headerName": "Class", "minWidth": 130, **text},
        {"field": "voices", "headerName": "Voices", "width": 100, **number},
        {"field": "industry", "headerName": "Industry", "minWidth": 150, "flex": 1, **text},
        {"field": "tier", "headerName": "Tier", "width": 105, **text},
        {"field": "region", "headerName": "Region", "width": 105, **text},
        {"field": "owner", "headerName": "Owner", "minWidth": 130, "flex": 1, **text},
        {"field": "renewal_on", "headerName": "Renews", "width": 120, ":valueFormatter": DATE},
        {"field": "revenue", "headerName": "Revenue a year", "width": 155, ":valueFormatter": MONEY, **number},
    ]
    for column in columns:
        if column["field"] == sort.removeprefix("-"):
            column["sort"] = "desc" if sort.startswith("-") else "asc"
    return columns
