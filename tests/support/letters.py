"""Mails to look at: one of each kind, in every language."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.outreach.domain.languages import COMPLETE
from services.outreach.domain.surveys import Legal, Survey
from services.outreach.domain.templates import template_survey
from services.outreach.gateways.letters import Invitation
from shared.mail import Mailbox

ASK, STOP = "https://ask.supplier.example/s/" + "A" * 44, "https://ask.supplier.example/u/" + "B" * 44
LEGAL = Legal("Supplier Ltd", "1 Example Road", "https://supplier.example/i", "https://supplier.example/p")
INVITE_ID = "<0.invite.1@ask.supplier.example>"
RTL = "ar"
"""A language that is written from right to left."""


def survey_of(template: str = "relationship", language: str = "en") -> Survey:
    """A survey in all languages whose own one is given."""
    return replace(template_survey(template, COMPLETE), us="Supplier", legal=LEGAL, default_language=language)


def invitation(language: str = "en", template: str = "relationship", **fields: Any) -> Invitation:
    """An invitation of Ann Ong by Lea Maier."""
    values: dict[str, Any] = {
        "kind": "invite",
        "survey": survey_of(template, language),
        "language": language,
        "sender": Mailbox("lea@supplier.example", "Lea Maier"),
        "to": Mailbox("ann@acme.example", "Ann Ong"),
        "account_name": "Acme Ltd",
        "ask_url": ASK,
        "stop_url": STOP,
        "message_id": INVITE_ID,
        "at": datetime(2026, 6, 9, 8, tzinfo=UTC),
    }
    return Invitation(**(values | fields))


def from_right_to_left() -> Invitation:
    """An invitation in Arabic, with words of mails."""
    survey = survey_of()
    texts = survey.texts["en"]
    mail = replace(texts.mail, intro="مرحبًا {name}،\n\nكيف يسير العمل مع {us}؟", sign_off="مع الشكر\n{sender}")
    score = replace(texts.score, text="ما مدى احتمال أن توصي بـ {us} لصديق أو زميل؟", low="غير محتمل", high="محتمل جدًا")
    arabic = replace(texts, mail=mail, score=score)
    return invitation(survey=replace(survey, texts={**survey.texts, RTL: arabic}), language=RTL)


def every_kind(language: str) -> dict[str, Invitation]:
    """Invitation, reminder and test mail in a language, the reminder with all that may stand in it."""
    said = {
        "incentive": "Everybody who answers gets the report.",
        "heard": "Calls at night are answered.",
        "legal_basis": "Art. 6 (1) f GDPR",
    }
    return {
        "invitation": invitation(language),
        "short": invitation(language, "csat"),
        "reminder": invitation(language, kind="reminder", references=(INVITE_ID,), **said),
        "test": invitation(language, kind="test"),
    }
