"""Surveys, asks and links as outreach tells them, for the pages."""

from typing import Any

from pydantic import BaseModel

from shared.api import asks, programmes

AT = "2026-11-20T09:00:00Z"
SURVEY_ID = "srv_01985b3c7d0e7b6a9f1e2d3c4b5a6978"


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """The example in a model's own documentation."""
    extra: Any = model.model_config["json_schema_extra"]
    found: dict[str, Any] = extra["example"]
    return found


def first_example(model: type[BaseModel]) -> dict[str, Any]:
    """The first of the examples in a model's own documentation."""
    extra: Any = model.model_config["json_schema_extra"]
    found: dict[str, Any] = extra["examples"][0]
    return found


_PROGRAMME = programmes.Programme.model_validate(first_example(programmes.Programme))
PROGRAMME: dict[str, Any] = _PROGRAMME.model_dump(mode="json")
PROGRAMME_ID: str = PROGRAMME["programme_id"]
DRY_RUN = first_example(programmes.DryRun)
WAVE = first_example(programmes.CalendarEntry)
ASK = example_of(asks.Ask)
GROUP: dict[str, Any] = example_of(asks.AskSummary)["groups"][0]
LINKS = example_of(asks.LinksMade)
SUPPRESSION = example_of(asks.Suppression)
DRAFT: dict[str, Any] = {
    "name": "Relationship",
    "metric": "nps",
    "nps_kind": "relationship",
    "default_language": "en",
    "questions": [{"question_id": "support", "type": "rating", "attribute": "support"}],
    "texts": {
        "de": {"score": {"text": "Wie wahrscheinlich …?"}},
        "en": {"score": {"text": "How likely …?"}, "questions": {"support": {"text": "Our support?"}}},
    },
}
HEAD: dict[str, Any] = {
    "survey_id": SURVEY_ID,
    "name": "Relationship",
    "state": "published",
    "revision": 3,
    "current_version": 1,
    "has_changes": True,
    "metric": "nps",
    "nps_kind": "relationship",
    "touchpoint": None,
    "product": None,
    "default_language": "en",
    "languages": ["de", "en"],
    "created_at": AT,
    "created_by": "key:k3v9x0",
    "updated_at": AT,
    "updated_by": "key:k3v9x0",
    "published_at": AT,
    "published_by": "key:k3v9x0",
    "archived_at": None,
    "archived_by": None,
}
FAULT = {"field": "legal.legal_name", "code": "missing", "detail": "say who asks"}
WARNING = {"field": "texts.de.score.low", "code": "no_end_label", "detail": "label both ends"}
SURVEY: dict[str, Any] = HEAD | {"draft": DRAFT, "faults": [], "warnings": [WARNING]}
VERSION: dict[str, Any] = {
    "survey_id": SURVEY_ID,
    "version": 1,
    "published_at": AT,
    "published_by": "key:k3v9x0",
    "changed_wordings": [],
}
PRESET: dict[str, Any] = {
    "preset_id": "saas_onboarding",
    "industry": "saas",
    "name": "Onboarding Experience",
    "template": "relationship",
    "metric": "ces",
    "also": [],
    "score": "easy_onboarding",
    "touchpoint": "onboarding",
    "question": None,
    "audience": "new customers",
    "moment": "2 weeks after sign-up",
    "why": "what the onboarding does",
    "events": ["signed_up"],
    "after_days": 14,
    "repeat_days": {},
}
TEMPLATES: dict[str, Any] = {
    "templates": [{"template": "relationship", "survey": DRAFT}],
    "presets": [PRESET],
    "questions": [],
    "wordings": [],
    "drafts": [],
}
