"""The timeline of an account."""

from services.dashboard.web.account.timeline import timeline
from shared.api.examples import CHANGE, TREND
from shared.api.follow_ups import FollowUp
from shared.api.people import Change
from shared.api.portfolio import Mark
from tests.support.follow_ups import FOLLOW_UP


def test_turns_events_and_closed_follow_ups_are_one_line_the_newest_first() -> None:
    early = Change.model_validate(CHANGE | {"changed_at": "2026-11-20T08:00:00Z"})
    late = Change.model_validate(CHANGE | {"changed_at": "2026-11-22T08:00:00.5Z"})
    mark = Mark.model_validate(TREND["marks"][0] | {"at": "2026-11-21T08:00:00Z"})
    closed = FollowUp.model_validate(FOLLOW_UP | {"closed_at": "2026-11-22T08:00:00Z"})
    still_open = FollowUp.model_validate(FOLLOW_UP)
    assert timeline([early, late], [mark], [closed, still_open]) == [late, closed, mark, early]
