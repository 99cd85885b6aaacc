"""Closing all shown follow-ups whose reason no longer holds, each with the outcome that the facts propose."""

from collections.abc import Callable
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import box
from services.dashboard.web.follow_ups.listing import Listed
from services.dashboard.web.form_fields import attempt, button, sure
from services.dashboard.web.section import Visit
from shared.api.calls import CLOSE_FOLLOW_UPS
from shared.api.follow_ups import FollowUp
from shared.errors import Conflict

AT_ONCE = 200
EACH = "Each is closed with the outcome that is proposed for it. Any of them can be opened again."


def draw_closable(visit: Visit, draw: Callable[[Listed], None], found: Listed) -> None:
    """Draw the follow-ups, and above them the button that closes them in the versions shown."""
    first = found.follow_ups[:AT_ONCE]
    if first:
        with box("div", "buttons"):
            words = f"Close {wording.count(len(first), 'follow-up')}"
            button(words, partial(sure, f"{words}?", EACH, "Close", partial(_close, visit, first)), "main")
    draw(found)


async def _close(visit: Visit, follow_ups: list[FollowUp]) -> None:
    await attempt(_sent(visit, follow_ups), f"{wording.count(len(follow_ups), 'follow-up')} closed")
    await visit.refresh()


async def _sent(visit: Visit, follow_ups: list[FollowUp]) -> None:
    """Close the follow-ups. Raises `Conflict` where somebody has changed some of them meanwhile."""
    api = await visit.api()
    seen = [{"follow_up_id": follow_up.follow_up_id, "version": follow_up.version} for follow_up in follow_ups]
    answer = await api.call(CLOSE_FOLLOW_UPS, {"follow_ups": seen})
    if answer.refused:
        changed = wording.count(answer.refused, "other")
        raise Conflict("stale_version", f"{answer.closed} closed; {changed} changed meanwhile: look at them again")
