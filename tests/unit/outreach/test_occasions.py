"""When a programme asks whom: waves of accounts, one wave, renewals, and what follows from events."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.occasions import (
    Happening,
    cadence_occasions,
    event_occasions,
    is_stale,
    monday_of,
    offset_of,
    once_occasion,
    renewal_occasion,
    weeks_of,
)
from shared.api.programmes import Cadence, Once, OnEvent, Renewal

BEGUN = date(2026, 6, 10)
NOW = datetime(2026, 6, 10, 9, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


@given(account=st.text(min_size=1, max_size=20), users=st.integers(30, 400), deciders=st.integers(30, 400))
def test_people_are_asked_every_period_and_those_of_an_account_in_one_week(
    account: str, users: int, deciders: int
) -> None:
    cadence = Cadence(users_days=users, decision_makers_days=deciders)
    until = BEGUN + timedelta(days=1500)
    weeks = {}
    for type_, days in (("user", users), ("decision_maker", deciders), (None, users)):
        found = [occasion.monday for occasion in cadence_occasions(cadence, "p", BEGUN, account, type_, until)]
        weeks[type_] = found
        assert {day.weekday() for day in found} == {0}
        assert {later - earlier for earlier, later in pairwise(found)} <= {timedelta(weeks=weeks_of(days))}
        assert monday_of(BEGUN) <= found[0] < BEGUN + timedelta(days=min(users, deciders) + 7)
        assert len({occasion.key for occasion in cadence_occasions(cadence, "p", BEGUN, account, type_, until)}) == len(
            found
        )
    assert weeks[None] == weeks["user"]
    assert weeks["decision_maker"][0] == weeks["user"][0], "one moment of the account"


def test_quarters_of_users_and_half_years_of_decision_makers_meet() -> None:
    until = BEGUN + timedelta(days=730)
    users = [found.monday for found in cadence_occasions(Cadence(), "p", BEGUN, "acme", "user", until)]
    deciders = [found.monday for found in cadence_occasions(Cadence(), "p", BEGUN, "acme", "decision_maker", until)]
    assert set(deciders) <= set(users)
    assert deciders == users[::2]


def test_accounts_are_spread_evenly_over_the_weeks() -> None:
    weeks = Counter(offset_of("p", f"account {number}", 13) for number in range(13_000))
    assert set(weeks) == set(range(13))
    assert max(weeks.values()) < 1.15 * min(weeks.values())


def test_one_wave_and_a_renewal_have_their_week() -> None:
    assert once_occasion(Once(on=date(2026, 6, 12))).monday == date(2026, 6, 8)
    renewal = renewal_occasion(Renewal(days_before=90), date(2026, 9, 30))
    assert (renewal.key, renewal.monday) == ("renewal 2026-09-30", date(2026, 6, 29))
    assert renewal.latest_at == datetime(2026, 7, 20, tzinfo=UTC)
    assert renewal_occasion(Renewal(days_before=90), date(2027, 9, 30)).key != renewal.key


def happening(at: datetime) -> Happening:
    return Happening("e1", "order_delivered", at, "acme", "ann")


def test_an_event_asks_once_after_its_days() -> None:
    when = OnEvent(kind="order_delivered", after_days=7)
    [occasion] = event_occasions(when, happening(NOW), None, NOW + timedelta(days=30), UTC_ZONE)
    assert (occasion.key, occasion.at) == ("e1", NOW + timedelta(days=7))
    assert list(event_occasions(when, happening(NOW), None, NOW + timedelta(days=6), UTC_ZONE)) == []


def test_a_project_is_asked_about_until_it_ends() -> None:
    when = OnEvent(kind="purchased", repeat_days=180, until="contract_ended")
    until = NOW + timedelta(days=1000)
    every = [found.at for found in event_occasions(when, happening(NOW), None, until, UTC_ZONE)]
    assert every == [NOW + timedelta(days=180 * turn) for turn in range(6)]
    ended = list(event_occasions(when, happening(NOW), NOW + timedelta(days=361), until, UTC_ZONE))
    assert [found.key for found in ended] == ["e1", "e1 1", "e1 2"]


def test_an_event_that_a_file_brings_late_mails_nobody() -> None:
    when = OnEvent(kind="issue_resolved")
    [old] = event_occasions(when, happening(NOW - timedelta(days=4)), None, NOW, UTC_ZONE)
    [fresh] = event_occasions(when, happening(NOW - timedelta(days=2)), None, NOW, UTC_ZONE)
    assert (is_stale(old, NOW), is_stale(fresh, NOW)) == (True, False)
    assert not is_stale(once_occasion(Once(on=date(2026, 6, 1))), NOW)
