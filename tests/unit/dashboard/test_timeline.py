"""What changed and when, in one line."""

from services.dashboard.domain.timeline import timeline


def test_turns_events_and_closed_follow_ups_are_one_line_the_newest_first() -> None:
    found = timeline(
        [{"changed_at": "2026-11-20T08:00:00Z"}, {"changed_at": "2026-11-22T08:00:00.5Z"}],
        [{"at": "2026-11-21T08:00:00Z"}],
        [{"closed_at": "2026-11-22T08:00:00Z"}, {"closed_at": None}],
    )
    assert [(one.kind, one.at[8:10]) for one in found] == [
        ("change", "22"),
        ("closed", "22"),
        ("event", "21"),
        ("change", "20"),
    ]
