"""What a programme would do, in plain words: whom it would ask and when, who waits, who is not asked and why."""

from collections.abc import Mapping, Sequence
from functools import partial

from services.dashboard.domain import asks, wording
from services.dashboard.web.elements import Cell, Text, box, empty, table, when
from shared.api.programmes import DryRun


def draw_forecast(found: DryRun | None, revision: int, names: Mapping[str, str]) -> None:
    """Draw what was found last; `revision` is that of the programme now, `names` are those of owners by their e-mail
    addresses."""
    if found is None:
        empty("Nobody has looked yet.", "“See what it would do” counts everybody. Nothing is sent by it.")
        return
    if found.revision != revision:
        Text("p", "The programme was changed since: look again before it is started.", "notice warn")
    _draw_sentence(found)
    if found.reasons:
        Text("h3", "Who waits, who is not asked, and why")
        rows: list[list[Cell]] = []
        for reason in found.reasons:
            words = asks.state_words(reason.state, None, reason.reason)
            rows.append([words, wording.grouped(reason.count)])
        table(("Why", "People"), rows, "Who waits, who is not asked, and why")
    with box("div", "columns"):
        with box():
            _draw_counts("By week", "Week of", [(partial(when, week.week), week.count) for week in found.by_week])
        with box():
            _draw_counts("By owner", "Owner", _by_owner(found, names))


def _by_owner(found: DryRun, names: Mapping[str, str]) -> list[tuple[Cell, int]]:
    counts: list[tuple[Cell, int]] = []
    for owner in found.by_owner:
        address = owner.owner or "nobody"
        counts.append((names.get(address, address), owner.count))
    return counts


def asking_words(found: DryRun) -> str:
    """`143 people at 21 accounts`, or `nobody`."""
    if not found.would_ask:
        return "nobody"
    people = wording.count(found.would_ask, "person", "people")
    return f"{people} at {wording.count(found.account_count, 'account')}"


def _draw_sentence(found: DryRun) -> None:
    with box("p"):
        Text("span", f"It would ask {asking_words(found)}")
        if found.first_at is not None:
            Text("span", " between ")
            when(found.first_at)
            Text("span", " and ")
            when(found.last_at)
        Text("span", ".")
    further = []
    if found.held:
        further.append(f"{wording.count(found.held, 'of them waits', 'of them wait')} first")
    if found.skipped:
        further.append(f"{wording.count(found.skipped, 'more is', 'more are')} not asked")
    if found.accounts_without_anybody:
        further.append(f"nobody is asked at {wording.count(found.accounts_without_anybody, 'account')}")
    if further:
        sentence = "; ".join(further)
        Text("p", f"{sentence[:1].upper()}{sentence[1:]}.")
    with box("p", "muted"):
        Text("span", "Counted ")
        when(found.from_, "time")
        Text("span", ", for the three months from then, each person once.")


def _draw_counts(title: str, head: str, counts: Sequence[tuple[Cell, int]]) -> None:
    if not counts:
        return
    Text("h3", title)
    rows: list[list[Cell]] = []
    for cell, number in counts:
        rows.append([cell, wording.grouped(number)])
    table((head, "People"), rows, title)
