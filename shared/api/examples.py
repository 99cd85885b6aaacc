"""Examples of the OpenAPI document. A test holds them against the models."""

from typing import Any

SCORE: dict[str, Any] = {
    "nps": 40.0,
    "nps_rounded": 40,
    "promoter_count": 6,
    "promoter_percent": 60.0,
    "passive_count": 2,
    "passive_percent": 20.0,
    "detractor_count": 2,
    "detractor_percent": 20.0,
    "response_count": 10,
    "stakeholder_count": 10,
    "mean_score": 8.1,
    "distribution": [0, 0, 0, 1, 0, 0, 1, 1, 1, 3, 3],
    "ci_low": -14.2,
    "ci_high": 75.7,
    "top_two_percent": None,
    "easy_percent": None,
    "last_answered_at": "2026-11-20T08:15:00Z",
}
FIGURES: dict[str, Any] = SCORE | {
    "previous": SCORE | {"nps": 20.0, "nps_rounded": 20},
    "change": 20.0,
    "z": 0.53,
    "significant": False,
    "same_stakeholders": {"n": 7, "change": 14.28, "t": 0.55},
    "coverage": {"known": 14, "asked": 12, "answered": 10},
    "sent_count": 12,
    "delivered_count": 12,
    "opened_count": 11,
    "bounced_count": 0,
    "response_rate": 0.75,
    "open_rate": 0.92,
    "bounce_rate": 0.0,
    "comment_rate": 0.33,
    "follow_up_request_rate": 0.08,
}
ACCOUNT_SCORE: dict[str, Any] = {
    "account_id": "acme",
    "window": "90d",
    "method": "latest",
    "survey_type": "nps",
    **FIGURES,
}
PORTFOLIO_FIGURES: dict[str, Any] = FIGURES | {
    "coverage": {
        "known": 140,
        "asked": 120,
        "answered": 90,
        "accounts": {"known": 20, "asked": 18, "answered": 17},
        "revenue": {"currency": "EUR", "known": 9_500_000.0, "asked": 9_100_000.0, "answered": 8_700_000.0},
    },
    "account_count": 17,
}
PORTFOLIO: dict[str, Any] = {
    "window": "90d",
    "survey_type": "nps",
    "groups": [{"group": {"industry": "logistics"}, "method": "latest", **PORTFOLIO_FIGURES}],
}
ACCOUNT: dict[str, Any] = {
    "account_id": "acme",
    "name": "Acme Logistics",
    "industry": "logistics",
    "tier": "key",
    "region": "EMEA",
    "annual_revenue": {"amount": 250_000.0, "currency": "EUR"},
    "renewal_on": "2027-03-31",
    "products": ["tracking"],
    "owner": {"name": "Kim Lee", "email": "kim@supplier.example"},
    "sponsor": None,
    "parent_account_id": None,
    "closed_on": None,
    "time_zone": "Europe/Amsterdam",
    "language": "nl",
    "customer_since": "2019-04-01",
    "do_not_ask": None,
    "attributes": {"segment": "north"},
    "removed": False,
    "class": "steady",
    "class_rule": "no other rule fits",
    "class_numbers": {"window": "365d", "method": "latest", "promoters": 6, "passives": 2, "detractors": 2},
    "window": "90d",
    "method": "latest",
    "survey_type": "nps",
    **FIGURES,
}
ACCOUNT_DETAIL: dict[str, Any] = {
    **ACCOUNT,
    **ACCOUNT_SCORE,
    "by_stakeholder_type": [{"stakeholder_type": "decision_maker", **FIGURES}],
    "by_survey": [{"survey_type": "nps", "touchpoint": None, **FIGURES}],
}
REFERENCE: dict[str, Any] = {
    "response_id": "r-1042",
    "answered_at": "2026-11-20T08:15:00Z",
    "score": 6,
    "category": "detractor",
    "nps_kind": "relationship",
}
STATE: dict[str, Any] = {
    "score": 6,
    "category": "detractor",
    "latest": REFERENCE,
    "previous": REFERENCE | {"response_id": "r-0733", "score": 9, "category": "promoter"},
    "change": "promoter_to_detractor",
    "falls_in_a_row": 2,
    "days_since_asked": 5,
    "days_since_answered": 2,
    "silent": False,
}
PERSON: dict[str, Any] = {
    "account_id": "acme",
    "stakeholder_id": "ada@acme.example",
    "account_name": "Acme Logistics",
    "name": "Ada Roe",
    "email": "ada@acme.example",
    "type": "decision_maker",
    "job_title": "COO",
    "job_level": "c_level",
    "job_function": "operations",
    "location": "Rotterdam",
    "language": "nl",
    "time_zone": "Europe/Amsterdam",
    "mail_permission": "granted",
    "attributes": {},
    "removed": False,
    "aliases": ["C-17"],
    "previous": None,
    "contacts": {
        "last_asked_at": "2026-05-12T09:30:00Z",
        "last_answered_at": {"relationship": "2026-05-14T08:12:00Z", "transactional": None},
        "bounced_at": None,
        "unsubscribed_at": None,
    },
    "state": STATE,
}
RESPONSE: dict[str, Any] = {
    "response_id": "r-1042",
    "account_id": "acme",
    "stakeholder_id": "ada@acme.example",
    "given_stakeholder_id": None,
    "survey_type": "nps",
    "score": 6,
    "category": "detractor",
    "comment": "Two late deliveries and nobody called.",
    "answered_at": "2026-11-20T08:15:00Z",
    "recorded_at": "2026-11-20T08:15:00.120000Z",
    "updated_at": "2026-11-20T08:15:00.120000Z",
    "nps_kind": "relationship",
    "touchpoint": None,
    "product": "tracking",
    "channel": "email",
    "survey_id": "2026-q4",
    "invitation_id": "inv-77",
    "language": "en",
    "follow_up_requested": True,
    "answers": [{"question_id": "q2", "type": "rating", "attribute": "reliability", "value": 2}],
    "attributes": {},
    "test": False,
    "withdrawn": False,
    "revision": 1,
}
CHANGE: dict[str, Any] = {
    "event_id": "0f4c7f0e-6d39-5b3f-9b0c-2b8f6f1f3a11",
    "kind": "promoter_to_detractor",
    "account_id": "acme",
    "stakeholder_id": "ada@acme.example",
    "nps_kind": "relationship",
    "from": "promoter",
    "to": "detractor",
    "from_score": 9,
    "to_score": 6,
    "response_id": "r-1042",
    "previous_response_id": "r-0733",
    "changed_at": "2026-11-20T08:15:00Z",
    "recorded_at": "2026-11-20T08:15:00.120000Z",
}
TREND: dict[str, Any] = {
    "account_id": "acme",
    "interval": "month",
    "window": "90d",
    "survey_type": "nps",
    "points": [{"from": "2026-11-01T00:00:00Z", "to": "2026-11-30T23:59:59.999999Z", "method": "latest", **FIGURES}],
    "marks": [
        {
            "event_id": "5d7a0b9e-0a3b-4a52-8a63-3e2b7d2f9a10",
            "account_id": "acme",
            "stakeholder_id": None,
            "kind": "incident",
            "at": "2026-11-12T10:00:00Z",
            "label": "Warehouse system down for a day",
        }
    ],
}
PORTFOLIO_TREND: dict[str, Any] = {name: value for name, value in TREND.items() if name != "account_id"} | {
    "points": [
        {
            "from": "2026-11-01T00:00:00Z",
            "to": "2026-11-30T23:59:59.999999Z",
            "method": "latest",
            **PORTFOLIO_FIGURES,
        }
    ]
}
EXPLANATION: dict[str, Any] = ACCOUNT_SCORE | {
    "counted": [
        {
            "response_id": "r-1042",
            "stakeholder_id": "ada@acme.example",
            "given_stakeholder_id": None,
            "answered_at": "2026-11-20T08:15:00Z",
            "score": 6,
            "category": "detractor",
        }
    ],
    "not_counted": [
        {
            "response_id": "r-0999",
            "stakeholder_id": "ada@acme.example",
            "given_stakeholder_id": None,
            "answered_at": "2026-10-02T12:00:00Z",
            "score": 8,
            "category": "passive",
            "reason": "superseded",
        }
    ],
}
