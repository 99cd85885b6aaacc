"""Codes of other services are said in words: none is left over."""

import pytest

from services.alerting.domain.default_rules import DEFAULT_RULES
from services.alerting.domain.retry import Failure, Status
from services.dashboard.domain import sending
from services.dashboard.domain.follow_ups import KINDS, kind


def test_every_state_and_every_failure_of_a_delivery_has_its_words() -> None:
    assert set(sending.STATES) == {status.value for status in Status}
    assert {failure.value for failure in Failure} <= set(sending.FAILURES)


@pytest.mark.parametrize(
    ("status", "failure", "said"),
    [
        ("delivered", None, "● delivered"),
        ("delivered", "timeout", "● delivered"),
        ("pending", "dns", "○ waiting: its host was not found"),
        ("exhausted", "http_5xx", "▼ given up: it failed (5xx)"),
        ("held", None, "▼ held"),
    ],
)
def test_how_a_delivery_went_is_said_with_a_sign(status: str, failure: str | None, said: str) -> None:
    assert sending.went(status, failure) == said


def test_every_kind_of_follow_up_that_is_shipped_has_its_words() -> None:
    assert {rule.kind for rule in DEFAULT_RULES} <= set(KINDS)
    assert kind("something_new") == "Something new"
    assert kind("nps_follow_up") == "NPS follow-up"
