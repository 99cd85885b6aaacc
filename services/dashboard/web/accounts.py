"""All accounts in one grid; the scorer sorts, filters and searches, and the selection is in the address."""

from datetime import datetime
from typing import Any

from nicegui import ui

from services.dashboard.web.accounts_json import BLOCK, CLASSES, TIERS
from services.dashboard.web.assets import asset
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
    "owner": "Owner", "region": "Region", "answered": "Answered in 90 days",
    "renews_from": "Renews from", "renews_to": "Renews until",
}  # fmt: skip
"""Parameters that links from other pages bring."""
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
WHY = (
    "p => { if (p.value == null) return '–'; const a = document.createElement('a'); a.textContent = p.valueFormatted;"
    " a.href = '/accounts/' + encodeURIComponent(p.data.account_id) + '/explain?window=90d'; return a; }"
)


@page("/accounts", "Accounts")
async def accounts(visit: Visit) -> None:
    """Draw the page."""
    ui.add_head_html(f'<script src="{asset("accounts.js")}" defer></script>')
    chosen = visit.given("q", "sort", *CHOICES, *ASKED)
    Text("h1", "Accounts")
    Text("p", "Scores over 90 days, by the latest answer of each person", "lead")
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
                "overlayNoRowsTemplate": "No account is like this.",
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
        {"field": "nps", "headerName": "NPS", "width": 72, ":valueFormatter": SIGNED, ":cellRenderer": WHY, **number},
        {"field": "change", "headerName": "Change", "width": 88, ":valueFormatter": SIGNED, **number},
        {"field": "class", "headerName": "Class", "width": 136},
        {"field": "voices", "headerName": "Voices", "width": 76, ":valueFormatter": PLAIN, **number},
        {"field": "industry", "headerName": "Industry", "minWidth": 125, "flex": 1, "tooltipField": "industry"},
        {"field": "tier", "headerName": "Tier", "width": 88},
        {"field": "region", "headerName": "Region", "width": 78},
        {"field": "owner", "headerName": "Owner", "minWidth": 115, "flex": 1},
        {"field": "renewal_on", "headerName": "Renews", "width": 120, ":valueFormatter": DATE},
        {"field": "revenue", "headerName": "Revenue a year", "width": 136, ":valueFormatter": MONEY, **number},
    ]
    for column in columns:
        column["sortable"] = column["field"] in SORTABLE
        if column["field"] == sort.removeprefix("-"):
            column["sort"] = "asc"
            if sort.startswith("-"):
                column["sort"] = "desc"
    return columns
