"""What changed and when, in one line."""

from datetime import UTC, datetime

from services.dashboard.web.account.timeline import timeline
from shared.api.follow_ups import FollowUp
from shared.api.people import Change
from shared.api.portfolio import Mark


def on(day: int, second: int = 0) -> datetime:
    """A moment of a November."""
    return datetime(2026, 11, day, 8, 0, second, tzinfo=UTC)


def test_turns_events_and_closed_follow_ups_are_one_line_the_newest_first() -> None:
    early, late = (Change.model_construct(changed_at=at) for at in (on(20), on(22, 1)))
    mark = Mark.model_construct(at=on(21))
    closed, still_open = (FollowUp.model_construct(closed_at=at) for at in (on(22), None))
    assert timeline([early, late], [mark], [closed, still_open]) == [late, closed, mark, early]
