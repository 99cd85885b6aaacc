"""Pages of the settings, of benchmarks and of maturity, drawn from answers of services, and from empty ones."""

from typing import Any

import pytest

from services.dashboard.web.benchmarks import benchmarks
from services.dashboard.web.maturity import maturity
from services.dashboard.web.page import Page
from services.dashboard.web.resources import Resources
from services.dashboard.web.settings.access import keys
from services.dashboard.web.settings.dead_letters import dead_letters
from services.dashboard.web.settings.endpoint import delivery, endpoint
from services.dashboard.web.settings.notifications import notifications
from services.dashboard.web.settings.rule import rule
from services.dashboard.web.settings.rules import rules
from services.dashboard.web.settings.webhooks import webhooks
from shared.api import benchmark_funnel, cohorts, comparisons
from shared.api import maturity as assessments
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import shown

AT = "2026-11-20T09:00:00Z"
ENDPOINT: dict[str, Any] = {
    "id": "wep_1",
    "url": "https://crm.acme.example/hooks",
    "event_types": ["follow_up.opened"],
    "description": None,
    "header_names": ["authorization"],
    "format": "json",
    "ordered": False,
    "max_in_flight": 4,
    "status": "disabled",
    "disabled_reason": "by_hand",
    "disabled_at": AT,
    "consecutive_failures": 2,
    "first_failure_at": AT,
    "last_failure_at": AT,
    "last_success_at": None,
    "breaker": "closed",
    "next_probe_at": None,
    "rest_until": None,
    "secrets": [{"created_at": AT, "expires_at": AT}],
    "owner_email": None,
    "version": 1,
    "created_at": AT,
    "updated_at": AT,
}
NOTICE: dict[str, Any] = {
    "kind": "failing",
    "subject": AT,
    "level": 50,
    "event_type": None,
    "webhook_id": None,
    "created_at": AT,
}
DELIVERY: dict[str, Any] = {
    "id": "dlv_1",
    "endpoint_id": "wep_1",
    "webhook_id": "msg_1",
    "event_type": "follow_up.opened",
    "account_id": "acme",
    "sequence": 1,
    "status": "exhausted",
    "attempt_count": 1,
    "next_attempt_at": None,
    "trigger": "event",
    "actor": None,
    "job_id": "job_1",
    "last_failure": "timeout",
    "created_at": AT,
    "delivered_at": None,
    "finished_at": AT,
}
ATTEMPT: dict[str, Any] = {
    "number": 1,
    "trigger": "event",
    "actor": None,
    "started_at": AT,
    "duration_ms": 15_000,
    "status_code": None,
    "failure": "timeout",
    "response_text": "",
    "response_truncated": False,
}
RULE: dict[str, Any] = {
    "rule_id": "detractor_4_6",
    "version": 2,
    "position": 1,
    "kind": "detractor",
    "label": "Detractor",
    "event": "stakeholder.answered",
    "conditions": {"score": {"min": 4, "max": 6}},
    "severity": "high",
    "due": {"amount": 1, "unit": "business_days"},
    "recipient": "owner",
    "informs": [],
    "reason": "scored $score",
    "playbook": "Call.",
    "inhibited_by": [],
    "inhibited_within": "person",
    "escalation": [{"after": {"amount": 2, "unit": "business_hours"}, "to": "leader"}],
    "closes_on_answer": False,
    "growth": False,
    "enabled": True,
    "about": "person",
    "created_at": AT,
    "created_by": "key:gone",
}
NOTIFICATION: dict[str, Any] = {
    "id": "ntf_1",
    "channel": "slack",
    "address": None,
    "url": "https://hooks.slack.com/…",
    "topics": ["praise"],
    "min_severity": "low",
    "quiet_hours": True,
    "description": None,
    "created_at": AT,
}
KEY: dict[str, Any] = {
    "id": "k3v9x0",
    "name": "survey frontend",
    "scopes": [],
    "owner_email": None,
    "publishable": True,
    "origins": ["https://app.acme.example"],
    "require_signature": False,
    "rate_limit": None,
    "created_at": AT,
    "expires_at": AT,
    "revoked_at": None,
    "last_used_at": AT,
}
PARKED: dict[str, Any] = {
    "id": "0199c0de-6f7a-7c1e-9d53-8f2f3c0b1a2d",
    "reason": "invalid_data",
    "detail": "2 field(s) break the schema",
    "topic": "responses",
    "partition": 3,
    "offset": 17,
    "size": 240,
    "account_id": "acme",
    "sender": None,
    "parked_at": AT,
    "replayed_at": None,
    "state": "dead",
    "tries": 0,
    "next_try_at": None,
}
PUBLISHED = comparisons.PUBLISHED | {"industry_name": "Logistics"}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/webhook-endpoints": {"items": [ENDPOINT]},
    "/v1/webhook-endpoints/wep_1": ENDPOINT | {"held_count": 3, "notices": [NOTICE]},
    "/v1/webhook-endpoints/wep_1/deliveries": {"items": [DELIVERY]},
    "/v1/names": {
        "items": [{"account_id": "acme", "stakeholder_id": None, "account_name": "Acme Ltd", "name": None}],
    },
    "/v1/deliveries/dlv_1": DELIVERY | {"attempts": [ATTEMPT], "payload": {"type": "follow_up.opened"}},
    "/v1/rules": {"items": [RULE]},
    "/v1/rules/detractor_4_6": RULE,
    "/v1/rules/detractor_4_6/versions": {"items": [RULE, RULE | {"version": 1, "severity": "low"}]},
    "/v1/notifications": {"items": [NOTIFICATION]},
    "/v1/keys": {"items": [KEY]},
    "/v1/dead-letters": {"items": [PARKED]},
    "/v1/conflicts": {"items": [PARKED]},
    "/v1/maturity": assessments.RESULT,
    "/v1/maturity/questions": assessments.QUESTIONNAIRE,
    "/v1/maturity/assessments": {"items": [assessments.LISTED]},
    "/v1/comparisons/portfolio": comparisons.PORTFOLIO_COMPARISON,
    "/v1/benchmarks": {"items": [PUBLISHED], "warnings": []},
    "/v1/funnel": benchmark_funnel.FUNNEL,
    "/v1/cohorts": cohorts.COHORTS,
}
Case = tuple[Page, dict[str, str], tuple[str, ...]]
PAGES: dict[str, Case] = {
    "webhooks": (webhooks, {}, ("https://crm.acme.example/hooks", "▼ disabled: by hand", "follow_up.opened")),
    "endpoint": (
        endpoint,
        {"endpoint_id": "wep_1"},
        (
            "▼ disabled: by hand, 2 failures in a row",
            "3 messages: “Send a period again” sends them",
            "Failing, 50\u00a0% of the limit: ",
            "▼ given up: no answer in time",
            "Acme Ltd",
        ),
    ),
    "delivery": (delivery, {"delivery_id": "dlv_1"}, ("▼ given up: no answer in time", "▼ no answer in time", "msg_1")),
    "rules": (rules, {}, ("Somebody answered: score from 4 to 6", "1\u00a0business day", "● on")),
    "rule": (
        rule,
        {"rule_id": "detractor_4_6"},
        (" due in 1\u00a0business day · on · version 2", "severity", "as it began", "in force", "A program"),
    ),
    "notifications": (notifications, {}, ("https://hooks.slack.com/…", "Praise of promoters", "in business hours")),
    "keys": (keys, {}, ("survey frontend", "only post answers, from https://app.acme.example", "○ expired ")),
    "dead letters": (
        dead_letters,
        {},
        ("Invalid data. 2 field(s) break the schema", "responses 3:17, account acme", "not yet"),
    ),
    "maturity": (
        maturity,
        {},
        (
            "44 of 100",
            "◔ developing",
            "Give every detractor an owner and a due time, and let the customer hear back.",
            "Measured: 42\u00a0% (follow-ups of 365 days that were closed with an answer)",
        ),
    ),
    "benchmarks": (
        benchmarks,
        {},
        ("A month ago", "+41 (Clientshare 2026)", "+50 from 20 respondents", "Logistics, Key", "unknown"),
    ),
}
NOTHING: dict[str, tuple[Page, dict[str, str], str]] = {
    "webhooks": (webhooks, {}, "No webhook endpoints yet."),
    "endpoint": (endpoint, {"endpoint_id": "wep_1"}, "Nothing was sent to it yet."),
    "notifications": (notifications, {}, "No notifications yet."),
    "dead letters": (dead_letters, {}, "Nothing: every record was handled."),
    "maturity": (maturity, {}, "No results yet."),
}
EMPTY = (
    *("/v1/webhook-endpoints", "/v1/webhook-endpoints/wep_1/deliveries", "/v1/notifications"),
    *("/v1/dead-letters", "/v1/conflicts", "/v1/maturity/assessments"),
)


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_shows_what_the_services_answer(resources: Resources, services: FakeServices, name: str) -> None:
    services.answers |= ANSWERS
    draw, path, sentences = PAGES[name]
    async with shown(resources, services, draw, path) as page:
        assert page.complaints == {}
        lines = page.text.split("\n")
        assert [sentence for sentence in sentences if sentence not in lines] == []


@pytest.mark.parametrize("name", NOTHING)
async def test_a_page_says_that_there_is_nothing(resources: Resources, services: FakeServices, name: str) -> None:
    services.answers |= ANSWERS | {path: {"items": []} for path in EMPTY}
    draw, path, sentence = NOTHING[name]
    async with shown(resources, services, draw, path) as page:
        assert page.complaints == {}
        assert sentence in page.text.split("\n")


async def test_before_the_first_assessment_maturity_shows_the_questions(
    resources: Resources, services: FakeServices
) -> None:
    services.answers |= ANSWERS
    services.refused["/v1/maturity"] = (404, {"code": "no_assessment", "detail": "nobody has answered yet"})
    async with shown(resources, services, maturity, {}) as page:
        assert page.complaints == {}
        lines = page.text.split("\n")
        assert "Nobody has answered the questions yet." in lines
        assert "How many low scores end with an answer to the customer?" in lines
