"""How many were to be asked, were asked and answered: counts that add up, each leading to its people."""

from collections.abc import Mapping
from datetime import timedelta

from services.dashboard.domain import asks as told
from services.dashboard.domain import wording
from services.dashboard.web.elements import Text, address, box, empty, link
from services.dashboard.web.score_view import steps
from services.dashboard.web.section import Load, Visit
from shared.api.asks import AskGroup
from shared.api.questions import ASK_SUMMARY
from shared.http.client import Api

LINKS = "Make a link on the page of an account or of a person."


def cohort_of(visit: Visit, window: str) -> Load:
    """Loads the asks that were due first in the window."""

    async def load(api: Api) -> AskGroup:
        since = None
        if window != "all":
            this_hour = visit.now.replace(minute=0, second=0, microsecond=0)
            since = this_hour - timedelta(days=int(window.removesuffix("d")))
        return (await api.ask(ASK_SUMMARY, due_since=since)).groups[0]

    return load


def draw_cohort(path: str, query: Mapping[str, str], group: AskGroup, hint: str = LINKS) -> None:
    """The asks of a cohort: planned is the sum of its states, asked that of its outcomes. `query` of the page `path`
    stays in the links; `hint` says what to do where there is nobody."""
    if not group.planned:
        empty("Nobody was to be asked.", hint)
        return
    states = {state: getattr(group, state) for state in told.STATES}
    outcomes = group.outcomes.model_dump()
    rows = [("Planned", float(group.planned), wording.grouped(group.planned))]
    rows.append(("Asked", float(group.sent), wording.grouped(group.sent)))
    rows.append(("Begun", float(group.flags.started), wording.grouped(group.flags.started)))
    rows.append(("Answered", float(group.outcomes.answered), wording.grouped(group.outcomes.answered)))
    steps(rows, group.planned)
    Text("p", f"{wording.grouped(group.planned)} planned = {told.sum_words(states, told.STATES)}", "muted")
    if group.sent:
        Text("p", f"{wording.grouped(group.sent)} asked = {told.sum_words(outcomes, told.OUTCOMES)}", "muted")
    if group.sent_rate is not None:
        Text("p", f"{wording.percent(group.sent_rate)} of those planned were asked.", "muted")
    _draw_reasons(path, query, group)


def _draw_reasons(path: str, query: Mapping[str, str], group: AskGroup) -> None:
    if not group.reasons:
        return
    Text("h3", "Why not")
    with box("ul"):
        for reason in sorted(group.reasons, key=lambda reason: -reason.count):
            words = told.state_words(reason.state, None, reason.reason)
            target = address(path, **{**query, "state": reason.state, "reason": reason.reason})
            with box("li"):
                link(f"{words}: {wording.grouped(reason.count)}", target)
