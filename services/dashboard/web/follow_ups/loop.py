"""Figures of the closed loop: follow-ups opened, time until they were touched and closed, and the next answers."""

from collections.abc import Mapping

from services.dashboard.domain import follow_ups as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, address, box, empty, figure, link, table
from shared.api.follow_ups import LoopGroup

GROUPS = {
    "kind": "Kind",
    "owner": "Owner",
    "root_cause": "Root cause",
    "touchpoint": "Touchpoint",
    "product": "Product",
}
NO_VALUE = {"root_cause": "Not named", "touchpoint": "None", "product": "None", "owner": "Nobody", "kind": "None"}


def draw_figures(group: LoopGroup) -> None:
    """Draw the figures of one group side by side; each share says of what."""
    if not group.opened_count:
        empty("No follow-up was opened in this time.", "They open automatically when a score drops.")
        return
    heard = group.recovered_count + group.unchanged_count + group.worse_count
    again = "nobody answered again"
    if heard:
        again = f"of {wording.grouped(heard)} who answered again"
    with box("div", "figures"):
        closed = f"{group.closed_loop_count} of {wording.count(group.loop_count, 'follow-up')}, growth left out"
        figure("Loops closed", wording.share(group.closed_loop_rate), note=closed)
        figure("First touch on time", wording.share(group.on_time_rate), note="of those that were due")
        touch, end = group.median_hours_to_first_touch, group.median_hours_to_close
        figure("Time to first touch", told.hours(touch), note="median")
        figure("Time to close", told.hours(end), note="median")
        figure(
            "Better next time",
            wording.share(group.recovered_rate),
            note=again,
        )
        figure(
            "Overdue now",
            wording.grouped(group.overdue_count),
            href=address("/follow-ups", due="late"),
            note="not touched",
        )


def draw_groups(by: str, groups: list[LoopGroup], owners: Mapping[str, str]) -> None:
    """Draw one line a group; `owners` are called by their e-mail addresses in the figures."""
    if not groups:
        empty("No follow-up was opened in this time.")
        return
    rows = [_row(by, group, owners) for group in sorted(groups, key=lambda group: -group.opened_count)]
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


def _row(by: str, group: LoopGroup, owners: Mapping[str, str]) -> list[Cell]:
    value = group.group[by]
    name = _name(by, value, owners)
    heard = (group.recovered_count, group.unchanged_count, group.worse_count)
    then = wording.NOTHING
    if any(heard):
        then = ", ".join(map(wording.grouped, heard))
    leads = by in ("kind", "owner") and value

    def head() -> None:
        if leads:
            link(name, address("/follow-ups", view="list", **{by: value}))
        else:
            Text("span", name)

    return [
        head,
        wording.grouped(group.opened_count),
        wording.grouped(group.open_count),
        wording.grouped(group.overdue_count),
        wording.share(group.closed_loop_rate),
        wording.share(group.on_time_rate),
        told.hours(group.median_hours_to_first_touch),
        then,
    ]


def _name(by: str, value: str | None, owners: Mapping[str, str]) -> str:
    if value is None:
        return NO_VALUE[by]
    if by == "kind":
        return told.kind(value)
    if by == "owner":
        return owners.get(value, value)
    return wording.plain(value)
