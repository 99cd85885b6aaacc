"""What becomes of an ask of a programme: it goes, it waits, or it never goes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.outreach.domain.eligibility import Candidate
from services.outreach.domain.hours import calendar_of
from services.outreach.domain.planning import Go, Hold, Planned, Skip, Terms, decide, is_reminded, reminders_of
from shared.api.programmes import Cadence, Hours, OnEvent, ProgrammeDocument
from shared.calendar import parse_holidays

BERLIN = ZoneInfo("Europe/Berlin")
CALENDAR = calendar_of(Hours(), BERLIN, parse_holidays("2026-06-24"), None)
TUESDAY = datetime(2026, 6, 9, 8, tzinfo=UTC)
LATEST = TUESDAY + timedelta(days=14)
ANN = Candidate("acme", "ann", listed=True, email="ann@acme.example", type="user")
PLANNED = Planned(ANN, CALENDAR, LATEST)
TERMS = Terms("relationship")


def days(number: int) -> datetime:
    return TUESDAY - timedelta(days=number)


@pytest.mark.parametrize(
    ("known", "terms", "reason"),
    [
        ({"listed": False}, {}, "not_in_directory"),
        ({"objected": True}, {}, "objected"),
        ({"do_not_ask": "lawsuit"}, {}, "do_not_ask"),
        ({"bounced_at": days(1)}, {}, "bounced"),
        ({"email": None}, {}, "no_address"),
        ({"email": "jörg@acme.example"}, {}, "needs_smtputf8"),
        ({"mail_permission": "refused"}, {}, "no_permission"),
        ({}, {"only_with_permission": True}, "no_permission"),
        ({}, {"not_before_days": 90}, "too_new"),
        ({"relationship_answered_at": days(70)}, {}, "already_answered"),
    ],
)
def test_c9_what_forbids_asking_skips(known: dict[str, Any], terms: dict[str, Any], reason: str) -> None:
    planned = replace(PLANNED, candidate=replace(ANN, **known), customer_since=days(8))
    found = decide(planned, replace(TERMS, **terms), TUESDAY)
    assert isinstance(found, Skip)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("known", "terms", "at", "reason", "until"),
    [
        ({"relationship_asked_at": days(70)}, {}, TUESDAY, "quarantine", days(-10)),
        ({"asked_at": days(10)}, {}, TUESDAY, "floor", days(-4)),
        ({"soft_bounced_at": days(25)}, {}, TUESDAY, "bounced", days(-5)),
        ({"soft_bounced_at": days(25)}, {"reminder": True}, TUESDAY, "bounced", days(-5)),
        ({}, {}, TUESDAY - timedelta(days=1), "outside_hours", datetime(2026, 6, 9, 7, tzinfo=UTC)),
        ({}, {"paused": True}, TUESDAY, "paused", TUESDAY + timedelta(days=1)),
        ({}, {"reading_behind": True}, TUESDAY, "reading_behind", TUESDAY + timedelta(minutes=5)),
        ({}, {"relay_away": True}, TUESDAY, "relay_away", TUESDAY + timedelta(minutes=5)),
    ],
)
def test_c9_what_time_forbids_holds(
    known: dict[str, Any], terms: dict[str, Any], at: datetime, reason: str, until: datetime
) -> None:
    found = decide(replace(PLANNED, candidate=replace(ANN, **known)), replace(TERMS, **terms), at)
    assert found == Hold(reason, until)


def test_a_holiday_and_a_cap_hold() -> None:
    holiday = datetime(2026, 6, 24, 10, tzinfo=UTC)
    later = replace(PLANNED, latest_at=holiday + timedelta(days=9))
    assert decide(later, TERMS, holiday) == Hold("holiday", datetime(2026, 6, 25, 7, tzinfo=UTC))
    tomorrow = TUESDAY + timedelta(days=1)
    assert decide(PLANNED, TERMS, TUESDAY, cap_until=tomorrow) == Hold("cap", tomorrow)


def test_who_may_be_asked_is_asked() -> None:
    assert decide(PLANNED, TERMS, TUESDAY) == Go()
    umlaut = replace(PLANNED, candidate=replace(ANN, email="jörg@acme.example"))
    assert decide(umlaut, replace(TERMS, supports_smtputf8=True), TUESDAY) == Go()


def test_c12_what_cannot_go_in_time_is_too_late() -> None:
    asked = replace(PLANNED, candidate=replace(ANN, relationship_asked_at=days(10)))
    found = decide(asked, TERMS, TUESDAY)
    assert isinstance(found, Skip)
    assert (found.reason, found.detail) == ("too_late", "could not be asked in time: quarantine")
    late = decide(PLANNED, TERMS, LATEST + timedelta(seconds=1))
    assert isinstance(late, Skip)
    assert late.reason == "too_late"


def test_c14_decision_makers_of_the_greatest_accounts_are_reminded_once() -> None:
    assert reminders_of((7, 14), "decision_maker", "key") == (7,)
    assert reminders_of((7, 14), "decision_maker", "small") == (7, 14)
    assert reminders_of((7, 14), "user", "premium") == (7, 14)


@pytest.mark.parametrize(
    ("number", "answered", "finished", "goes"),
    [
        (1, False, False, True),
        (1, True, False, True),
        (1, True, True, False),
        (2, False, False, True),
        (2, True, False, False),
        (2, False, True, False),
    ],
)
def test_c14_the_second_reminder_goes_to_those_without_an_answer(
    number: int, answered: bool, finished: bool, goes: bool
) -> None:
    assert is_reminded(number, answered=answered, finished=finished) is goes


def test_t6_a_survey_is_open_for_30_days_and_45_at_most() -> None:
    programme = ProgrammeDocument(name="Relationship", survey_id="srv_1", when=Cadence())
    assert programme.open_days == 30
    assert ProgrammeDocument.model_validate(programme.model_dump() | {"open_days": 45}).open_days == 45
    with pytest.raises(ValidationError):
        ProgrammeDocument.model_validate(programme.model_dump() | {"open_days": 46})


def test_a_programme_reads_back_as_it_was_written() -> None:
    programme = ProgrammeDocument(name="Relationship", survey_id="srv_1", when=Cadence())
    assert ProgrammeDocument.model_validate(programme.model_dump(mode="json")) == programme
    event = OnEvent(kind="order_delivered", after_days=1)
    delivery = ProgrammeDocument(name="Delivery", survey_id="srv_2", when=event, reminders=())
    assert ProgrammeDocument.model_validate(delivery.model_dump(mode="json")) == delivery


@pytest.mark.parametrize(
    "change",
    [
        {"hours": {"opens": 9, "closes": 9}},
        {"hours": {"days": [], "first_days": []}},
        {"hours": {"days": [1], "first_days": [2]}},
        {"reminders": [14, 7]},
        {"reminders": [7, 30]},
        {"sender": {"kind": "named"}},
        {"when": {"type": "event", "kind": "purchased", "until": "contract_ended"}},
        {"open_days": 46},
        {"when": {"type": "never"}},
        {"who": {"shoe_size": 43}},
        {"caps": {"programme": 0}},
    ],
)
def test_what_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    good: dict[str, Any] = {"name": "a", "survey_id": "s", "when": {"type": "cadence"}}
    ProgrammeDocument.model_validate(good)
    with pytest.raises(ValidationError):
        ProgrammeDocument.model_validate(good | change)
