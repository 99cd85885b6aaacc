"""Follow-ups, in words."""

import pytest

from services.dashboard.domain import follow_ups as told
from services.dashboard.web.follow_ups.listing import own_first
from shared.api.follow_ups import FollowUp
from tests.support.follow_ups import FOLLOW_UP

RULE = {
    "rule_id": "detractor_4_6",
    "version": 3,
    "severity": "high",
    "due": {"amount": 1, "unit": "business_days"},
    "recipient": "owner",
    "informs": ["sponsor"],
}


def test_a_rule_is_one_sentence_with_its_due_time_and_who_hears_of_it() -> None:
    said = "Detractor 4–6, version 3: high, first touch within 1 business day, to the owner and the sponsor"
    assert told.rule(RULE) == said
    assert "within 4 business hours" in told.rule(RULE | {"due": {"amount": 4, "unit": "business_hours"}})


def test_only_known_facts_are_told_the_weighty_ones_first() -> None:
    known = {
        "tier": "premium",
        "score": 4,
        "product": None,
        "follow_up_requested": False,
        "change": "passive_to_detractor",
    }
    assert told.facts(known) == [("score", "4"), ("change", "passive to detractor"), ("tier", "premium")]
    assert told.facts({"follow_up_requested": True}) == [("asked to be called", "yes")]
    assert told.facts({"score": 0}) == [("score", "0")]


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (None, "–"),
        (0.001, "1 min"),
        (0.5, "30 min"),
        (5.5, "5.\u20605 h"),
        (47.0, "47 h"),
        (72.0, "3 days"),
        (24 * 1234.5, "1\u202f234 days"),
        (76.8, "3.\u20602 days"),
    ],
)
def test_spans_are_said_in_the_unit_that_people_use(hours: float | None, said: str) -> None:
    assert told.hours(hours) == said


def test_the_actor_is_a_person_where_the_key_is_one_of_ours() -> None:
    assert told.actor("system", {}) == "Tellback"
    assert told.actor("key:abc", {"abc": "Kim Lee"}) == "Kim Lee"
    assert told.actor("key:crm", {"abc": "Kim Lee"}) == "A program"


def test_a_crm_that_called_back_is_named_as_such() -> None:
    assert told.actor("crm:ep_1", {}, "Salesforce") == "CRM (Salesforce)"
    assert told.actor("crm:ep_1", {}) == "CRM"


def test_ones_own_come_first_and_keep_their_order() -> None:
    emails = ("a@x.example", "me@x.example", None, "me@x.example")
    follow_ups = [
        FollowUp.model_validate(FOLLOW_UP | {"version": number, "owner": {"email": email}})
        for number, email in enumerate(emails)
    ]
    assert [follow_up.version for follow_up in own_first(follow_ups, "me@x.example")] == [1, 3, 0, 2]


def test_what_the_person_said_next_has_a_sign_and_words() -> None:
    assert told.next_answer("recovered") == "↑ better than before"
