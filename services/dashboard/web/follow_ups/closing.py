"""Closing what is no longer so, all that is shown at once, each with the outcome that the facts propose."""

from collections.abc import Callable
from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import box
from services.dashboard.web.follow_ups.listing import Listed
from services.dashboard.web.form_fields import attempt, button, sure
from services.dashboard.web.section import Visit
from shared.api.follow_ups import FollowUp
from shared.errors import Conflict

Json = dict[str, Any]
AT_ONCE = 200
EACH = "Each is closed with the outcome that is proposed for it. Any of them can be opened again."


def draw_closable(visit: Visit, draw: Callable[[Listed], None], found: Listed) -> None:
    """The follow-ups, and above them the button that closes them as they were seen."""
    first = found.follow_ups[:AT_ONCE]
    if first:
        with box("div", "buttons"):
            words = f"Close {wording.count(len(first), 'follow-up')}"
            button(words, partial(sure, f"{words}?", EACH, "Close", partial(_close, visit, first)), "main")
    draw(found)


async def _close(visit: Visit, follow_ups: list[FollowUp]) -> None:
    seen = [{"follow_up_id": seen.follow_up_id, "version": seen.version} for seen in follow_ups]
    await attempt(_sent(visit, seen), f"{wording.count(len(seen), 'follow-up')} closed")
    await visit.refresh()


async def _sent(visit: Visit, seen: list[Json]) -> None:
    """Raises `Conflict` where somebody else has changed some of them meanwhile."""
    api = await visit.api()
    answer = await api.post("alerting", "/v1/follow-ups/close", {"follow_ups": seen})
    if answer["refused"]:
        changed = wording.count(answer["refused"], "other")
        raise Conflict("stale_version", f"{answer['closed']} closed; {changed} changed meanwhile: look at them again")
