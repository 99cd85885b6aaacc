"""Pages of NiceGUI with nothing of ours on them, as a process: `python -P -m bench.empty_pages PORT`.

`/` has one word; `/full` has a chart and a grid of ten thousand rows.
"""

import sys

import uvicorn
from fastapi import FastAPI
from nicegui import ui

ROWS = 10_000


@ui.page("/")
def empty() -> None:
    """One word."""
    ui.label("Empty")


@ui.page("/full")
def full() -> None:
    """A chart and a grid."""
    axis, line = {"type": "value"}, {"type": "line", "data": [[0, 1], [1, 0]]}
    ui.echart({"xAxis": axis, "yAxis": axis, "series": [line]})
    ui.aggrid({"columnDefs": [{"field": "name"}, {"field": "nps"}], "rowData": [_row(place) for place in range(ROWS)]})


def _row(number: int) -> dict[str, object]:
    return {"name": f"Account {number}", "nps": number % 100}


if __name__ == "__main__":
    app = FastAPI()
    ui.run_with(app, show_welcome_message=False)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
