"""All accounts in one grid; the scorer sorts, filters and searches, and the selection is in the address."""

from datetime import datetime
from typing import Any

from nicegui import ui

from services.dashboard.domain import wording
from services.dashboard.web.accounts_json import BLOCK, CLASSES, TIERS
from services.dashboard.web.assets import asset
from services.dashboard.web.demo import place_demo_band
from services.dashboard.web.directory.accounts import place_adding
from services.dashboard.web.elements import Text, address, box, link
from services.dashboard.web.form_fields import options_of
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.api.questions import ACCOUNTS
from shared.http.client import Api
from shared.industries import NAMES as INDUSTRIES

Json = dict[str, Any]
CHOICES = {"class": CLASSES, "tier": TIERS, "industry": dict(INDUSTRIES)}
ASKED = {
    "owner": "Owner", "region": "Region", "answered": "Answered in the window",
    "renews_from": "Renews from", "renews_to": "Renews until",
}  # fmt: skip
"""Parameters that links from other pages bring."""
OTHER_WINDOWS = {window: name for window, name in wording.WINDOWS.items() if window != "90d"}
SAID = {"true": "yes", "false": "no"}
SORTABLE = ("name", "nps", "change", "renewal_on", "revenue")
LABELS = {"class": "Class", "tier": "Tier", "industry": "Industry"}
SIGNED = "p => p.value == null ? '–' : (p.value > 0 ? '+' : p.value < 0 ? '−' : '') + Math.round(Math.abs(p.value))"
PLAIN = "p => p.value == null ? '–' : p.value.toLocaleString(navigator.languages)"
MONEY = (
    "p => p.value == null ? '–' : new Intl.NumberFormat(navigator.languages, {maximumFractionDigits: 0,"
    " ...(p.data.currency && {style: 'currency', currency: p.data.currency})}).format(p.value)"
)
DATE = (
    "p => p.value ? new Date(p.value).toLocaleDateString(navigator.languages,"
    " {timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric'}) : '–'"
)
NAME = (
    "p => { if (!p.data) return '…'; const a = document.createElement('a'); a.textContent = p.value;"
    " a.href = '/accounts/' + encodeURIComponent(p.data.account_id); return a; }"
)
LINE = (
    "p => { if (!p.value) return ''; const line = document.createElement('span'); line.className = 'spark';"
    " line.dataset.name = p.data.name; line.dataset.points = p.value.map(nps => nps ?? '').join(','); return line; }"
)
WHY = (
    "p => { if (p.value == null) return '–'; const a = document.createElement('a'); a.textContent = p.valueFormatted;"
    " const asked = new URLSearchParams(location.search).get('window') ?? '90d';"
    " a.href = '/accounts/' + encodeURIComponent(p.data.account_id) + '/explain?window=' + asked; return a; }"
)


@page("/accounts", "Accounts")
async def accounts(visit: Visit) -> None:
    """Draw the page."""
    ui.add_head_html(f'<script src="{asset("accounts.js")}" defer></script>')
    chosen = visit.given("q", "sort", "window", *CHOICES, *ASKED)
    Text("h1", "Accounts")
    Text("p", "Scores by the latest answer of each respondent in the window, and their trend over 12 months", "lead")
    place_demo_band(visit)
    place_adding(visit)
    _draw_controls(chosen)
    _Grid(visit, chosen)


def _draw_controls(chosen: dict[str, str]) -> None:
    """Draw a search and three lists above the grid."""
    with box("div", "filters", role="search"):
        with box("label"):
            Text("span", "Search")
            box("input", type="search", value=chosen.get("q", ""), data_chooses="q")
        for name, options in CHOICES.items():
            with box("label"):
                Text("span", LABELS[name])
                options_of({"": "All"} | options, chosen.get(name, ""), data_chooses=name)
        with box("label"):
            Text("span", "Window")
            options_of({"": "90 days"} | OTHER_WINDOWS, chosen.get("window", ""), data_chooses="window")
        for name, words in ASKED.items():
            if name in chosen:
                others = {key: said for key, said in chosen.items() if key != name}
                link(f"{words}: {SAID.get(chosen[name], chosen[name])} ✕", address("/accounts", **others), "button")
        Text("span", "Loading …", "muted loading", role="status")


class _Grid(Section):
    """The grid. The browser loads its rows in blocks; after a change the visible rows are loaded again."""

    def __init__(self, visit: Visit, chosen: dict[str, str]) -> None:
        self._chosen = chosen
        self._grid: ui.aggrid | None = None
        super().__init__(visit, "", _load, self._draw_grid, classes="wide")

    def show(self, data: Any, at: datetime) -> None:
        """Draw the grid, once."""
        super().show(data, at)
        if self._grid is not None and not self._grid.is_deleted and self._grid.client.has_socket_connection:
            self._grid.run_grid_method("refreshInfiniteCache")

    def _draw_grid(self, _data: Any) -> None:
        self._grid = ui.aggrid(
            {
                "columnDefs": _columns(self._chosen.get("sort", "")),
                "defaultColDef": {"resizable": True, "sortable": False},
                "rowModelType": "infinite",
                "cacheBlockSize": BLOCK,
                "maxConcurrentDatasourceRequests": 1,
                ":datasource": "accountRows()",
                ":onGridReady": "accountsReady",
                ":getRowId": "p => p.data.account_id",
                "suppressDragLeaveHidesColumns": True,
                ":overlayNoRowsTemplate": "noAccounts()",
            },
            auto_size_columns=False,
        ).classes("ag")


async def _load(api: Api) -> bool:
    """Whether the scorer answers; the browser asks for the rows itself."""
    await api.ask(ACCOUNTS, limit=1)
    return True


def _columns(sort: str) -> list[Json]:
    number = {"type": "rightAligned"}
    columns: list[Json] = [
        {"field": "name", "headerName": "Account", "minWidth": 150, "flex": 2, ":cellRenderer": NAME},
        {"field": "nps", "headerName": "NPS", "width": 66, ":valueFormatter": SIGNED, ":cellRenderer": WHY, **number},
        {"field": "trend", "headerName": "12 months", "width": 108, ":cellRenderer": LINE},
        {"field": "change", "headerName": "Change", "width": 80, ":valueFormatter": SIGNED, **number},
        {"field": "class", "headerName": "Class", "width": 126},
        {"field": "respondents", "headerName": "Respondents", "width": 112, ":valueFormatter": PLAIN, **number},
        {"field": "industry", "headerName": "Industry", "minWidth": 110, "flex": 1, "tooltipField": "industry"},
        {"field": "tier", "headerName": "Tier", "width": 80},
        {"field": "owner", "headerName": "Owner", "minWidth": 105, "flex": 1},
        {"field": "renewal_on", "headerName": "Renews", "width": 112, ":valueFormatter": DATE},
        {"field": "revenue", "headerName": "Revenue a year", "width": 132, ":valueFormatter": MONEY, **number},
    ]
    for column in columns:
        column["sortable"] = column["field"] in SORTABLE
        if column["field"] == sort.removeprefix("-"):
            column["sort"] = "asc"
            if sort.startswith("-"):
                column["sort"] = "desc"
    return columns
