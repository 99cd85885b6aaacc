"""Whether a person may be asked."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.outreach.domain.eligibility import Candidate, quarantine_of, refusal_of

NOW = datetime(2026, 6, 9, 10, tzinfo=UTC)
DAY = timedelta(days=1)
ANN = Candidate("acme", "ann", listed=True, email="ann@acme.example", type="user")


def reason(kind: str = "relationship", *, overriding: bool = False, **facts: Any) -> str | None:
    """Why Ann may not be asked."""
    refusal = refusal_of(replace(ANN, **facts), kind, NOW, overriding=overriding)
    if refusal is None:
        return None
    return refusal.reason


def test_a_person_of_whom_nothing_is_known_may_be_asked() -> None:
    assert reason() is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"listed": False}, "not_in_directory"),
        ({"do_not_ask": "a lawsuit"}, "do_not_ask"),
        ({"do_not_ask": "a lawsuit", "do_not_ask_until": date(2026, 6, 9)}, "do_not_ask"),
        ({"do_not_ask": "a lawsuit", "do_not_ask_until": date(2026, 6, 8)}, None),
        ({"objected": True}, "objected"),
        ({"unsubscribed_at": NOW - DAY}, "objected"),
        ({"unsubscribed_at": NOW - DAY, "lifted_at": NOW}, None),
        ({"unsubscribed_at": NOW, "lifted_at": NOW - DAY}, "objected"),
        ({"mail_permission": "refused"}, "no_permission"),
        ({"mail_permission": "granted"}, None),
        ({"bounced_at": NOW - DAY}, "bounced"),
        ({"bounced_at": NOW - DAY, "email_changed_at": NOW}, None),
        ({"bounced_at": NOW - DAY, "email_changed_at": NOW - 2 * DAY}, "bounced"),
        ({"soft_bounced_at": NOW - 29 * DAY}, "bounced"),
        ({"soft_bounced_at": NOW - 30 * DAY}, None),
        ({"soft_bounced_at": NOW - DAY, "email_changed_at": NOW}, None),
        ({"soft_bounced_at": NOW - DAY, "relationship_answered_at": NOW - 2 * DAY}, "bounced"),
        ({"bounced_at": NOW - 200 * DAY, "transactional_answered_at": NOW - 100 * DAY}, None),
    ],
)
def test_what_forbids_asking_forbids_it_with_any_reason(facts: dict[str, Any], expected: str | None) -> None:
    assert reason(**facts) == expected
    assert reason(overriding=True, **facts) == expected


@pytest.mark.parametrize(
    ("kind", "facts", "expected"),
    [
        ("relationship", {"relationship_answered_at": NOW - 79 * DAY}, "already_answered"),
        ("relationship", {"relationship_answered_at": NOW - 80 * DAY}, None),
        ("relationship", {"transactional_answered_at": NOW - DAY}, None),
        ("transactional", {"transactional_answered_at": NOW - 29 * DAY}, "already_answered"),
        ("transactional", {"transactional_asked_at": NOW - 29 * DAY}, "quarantine"),
        ("transactional", {"transactional_asked_at": NOW - 30 * DAY}, None),
        ("relationship", {"relationship_asked_at": NOW - 79 * DAY}, "quarantine"),
        ("relationship", {"relationship_asked_at": NOW - 79 * DAY, "type": None}, "quarantine"),
        ("relationship", {"relationship_asked_at": NOW - 81 * DAY, "type": "influencer"}, None),
        ("relationship", {"relationship_asked_at": NOW - 169 * DAY, "type": "decision_maker"}, "quarantine"),
        ("transactional", {"asked_at": NOW - 13 * DAY}, "floor"),
        ("transactional", {"address_asked_at": NOW - 13 * DAY}, "floor"),
        ("transactional", {"asked_at": NOW - 14 * DAY, "address_asked_at": NOW - 15 * DAY}, None),
    ],
)
def test_what_only_time_forbids_passes_with_a_reason(kind: str, facts: dict[str, Any], expected: str | None) -> None:
    assert reason(kind, **facts) == expected
    assert reason(kind, overriding=True, **facts) is None


def test_a_refusal_says_from_when_on_the_person_may_be_asked() -> None:
    refusal = refusal_of(replace(ANN, asked_at=NOW - 10 * DAY, address_asked_at=NOW - 3 * DAY), "relationship", NOW)
    assert refusal is not None
    assert refusal.again_at == NOW + 11 * DAY
    assert refusal.detail == "was asked for something on 2026-06-06; may be asked again from 2026-06-20 on"
    assert refusal_of(ANN, "relationship", NOW + 11 * DAY) is None


def test_5_5_the_quarantines() -> None:
    assert quarantine_of("relationship", "user") == 80 * DAY
    assert quarantine_of("relationship", "decision_maker") == 170 * DAY
    assert quarantine_of("transactional", "decision_maker") == 30 * DAY
