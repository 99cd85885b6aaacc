"""Small things to build tests of outreach from."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.outreach.domain.answering import Asked
from services.outreach.domain.surveys import Legal, Question, Survey
from services.outreach.domain.templates import template_survey

NOW = datetime(2026, 6, 9, 10, 0, tzinfo=UTC)
LEGAL = Legal(
    "Northwind Logistics GmbH",
    "Hafenstraße 1\n20457 Hamburg",
    "https://northwind.example/imprint",
    "https://northwind.example/privacy",
)
SEVERAL = Question("choosing", "choice", options=("price", "quality", "people"), several=True)
ONE_OF = Question("competitors", "choice", options=("better", "same", "worse"))
WORDS = Question("improve_first", "text")
CSAT = Question("satisfaction", "csat")
CES = Question("ease", "ces")


def relationship(**changes: Any) -> Survey:
    """A survey that can be published."""
    return replace(template_survey("relationship"), **({"legal": LEGAL} | changes))


def rating(attribute: str) -> Question:
    return Question(attribute, "rating", attribute)


def asked(**changes: Any) -> Asked:
    plain = Asked(
        response_id="8f0e9a52-6d6b-5d2f-9f5c-3a9d8b1f2c11",
        invitation_id="0b7f3f4e-52a7-4c7e-9a39-5a0a4d3a1e11",
        account_id="acme",
        stakeholder_id="ann@acme.example",
        survey_id="relationship",
        survey_version=3,
        channel="link",
    )
    return replace(plain, **changes)
