"""The cache of recent answers: nothing old, not too many, and nothing that was revoked."""

from datetime import UTC, datetime, timedelta

from services.dashboard.domain.recent import Recent

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_answer_is_given_again_for_a_while() -> None:
    recent = Recent(timedelta(minutes=5))
    recent.keep("ada", {"nps": 40}, NOW)
    assert recent.get("ada", NOW + timedelta(minutes=4)) == ({"nps": 40}, NOW)
    assert recent.get("ben", NOW) is None
    assert recent.get("ada", NOW + timedelta(minutes=5)) is None
    assert recent.get("ada", NOW) is None


def test_of_too_many_the_oldest_is_forgotten() -> None:
    recent = Recent(most=2)
    for name in ("ada", "ben", "ada", "cem"):
        recent.keep(name, name, NOW)
    assert [name for name in ("ada", "ben", "cem") if recent.get(name, NOW)] == ["ada", "cem"]


def test_what_was_forgotten_is_not_shown() -> None:
    recent = Recent()
    recent.keep("ada", 1, NOW)
    recent.forget("ada")
    assert recent.get("ada", NOW) is None
