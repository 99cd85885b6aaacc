"""How well the loop is closed: what was opened, how fast it was touched and closed, and what people said next."""

from typing import Any

from services.dashboard.domain import follow_ups as told
from services.dashboard.domain import wording
from services.dashboard.web.bits import Cell, Text, address, box, empty, figure, link, table

Json = dict[str, Any]
GROUPS = {
    "kind": "Kind",
    "owner": "Owner",
    "root_cause": "Root cause",
    "touchpoint": "Touchpoint",
    "product": "Product",
}
NO_VALUE = {"root_cause": "Not named", "touchpoint": "None", "product": "None", "owner": "Nobody", "kind": "None"}


def draw_figures(one: Json) -> None:
    """The figures of one group side by side; each says what it is a share of."""
    if not one["opened_count"]:
        empty("No follow-up was opened in this time.", "They open by themselves when somebody turns.")
        return
    heard = one["recovered_count"] + one["unchanged_count"] + one["worse_count"]
    with box("div", "figures"):
        closed = f"{one['closed_loop_count']} of {wording.count(one['loop_count'], 'follow-up')}, growth left out"
        figure("Loops closed", wording.share(one["closed_loop_rate"]), note=closed)
        figure("First touch on time", wording.share(one["on_time_rate"]), note="of those that were due")
        touch, end = one["median_hours_to_first_touch"], one["median_hours_to_close"]
        figure("Time to first touch", told.hours(touch), note="median")
        figure("Time to close", told.hours(end), note="median")
        figure(
            "Better next time",
            wording.share(one["recovered_rate"]),
            note=f"of {wording.grouped(heard)} who answered again" if heard else "nobody answered again",
        )
        figure(
            "Overdue now",
            wording.grouped(one["overdue_count"]),
            href=address("/follow-ups", due="late"),
            note="not touched",
        )


def draw_groups(by: str, groups: list[Json]) -> None:
    """One line a group."""
    if not groups:
        empty("No follow-up was opened in this time.")
        return
    rows = [_row(by, one) for one in sorted(groups, key=lambda one: -one["opened_count"])]
    heads = (
        GROUPS[by],
        "Opened",
        "Open now",
        "Overdue",
        "Closed loops",
        "Touched on time",
        "Time to first touch",
        "Better, same, worse next time",
    )
    table(heads, rows, f"Closed loops by {GROUPS[by].lower()}")


def _row(by: str, one: Json) -> list[Cell]:
    value = one["group"][by]
    name = (
        NO_VALUE[by]
        if value is None
        else told.kind(value)
        if by == "kind"
        else value
        if by == "owner"
        else wording.plain(value)
    )
    heard = [one[f"{result}_count"] for result in told.RESULTS]
    leads = by in ("kind", "owner") and value

    def head() -> None:
        if leads:
            link(name, address("/follow-ups", view="list", **{by: value}))
        else:
            Text("span", name)

    return [
        head,
        wording.grouped(one["opened_count"]),
        wording.grouped(one["open_count"]),
        wording.grouped(one["overdue_count"]),
        wording.share(one["closed_loop_rate"]),
        wording.share(one["on_time_rate"]),
        told.hours(one["median_hours_to_first_touch"]),
        ", ".join(wording.grouped(number) for number in heard) if any(heard) else wording.NOTHING,
    ]
