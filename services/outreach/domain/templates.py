"""Surveys to begin with: five templates in every complete language, and the touchpoints of industries as presets."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, Final

from services.outreach.domain.documents import survey_document
from services.outreach.domain.languages import COMPLETE, DRAFTED
from services.outreach.domain.ready_questions import (
    COMPETITORS,
    ready_questions,
    ready_wordings,
    wording_of,
)
from services.outreach.domain.shipped import draft_texts, ours, shipped
from services.outreach.domain.surveys import (
    MailTexts,
    Metric,
    NpsKind,
    Question,
    QuestionTexts,
    Survey,
    Texts,
    categories_of,
)


@dataclass(frozen=True, slots=True)
class Template:
    """A survey without its words: `score` names the wording of the question with the score."""

    template: str
    name: str
    metric: Metric
    nps_kind: NpsKind
    score: str
    touchpoint: str | None = None
    questions: tuple[Question, ...] = ()
    ratings_asked: int = 2


@dataclass(frozen=True, slots=True)
class Preset:
    """A touchpoint of an industry, as a template with another wording and a programme's habits.

    `also`: other metrics that fit. `question`: a ready-made further one. `events`: kinds of context events that may
    start it, `after_days` days later; `repeat_days`: type of person, or `all`, -> days between two waves; with neither
    it is started by hand. `audience`, `moment` and `why` are for people.
    """

    preset_id: str
    industry: str
    name: str
    template: str
    metric: Metric
    also: tuple[Metric, ...]
    score: str
    touchpoint: str | None
    question: str | None
    audience: str
    moment: str
    why: str
    events: tuple[str, ...]
    after_days: int | None
    repeat_days: dict[str, int]


def _ratings(*attributes: str) -> tuple[Question, ...]:
    return tuple(Question(attribute, "rating", attribute) for attribute in attributes)


TEMPLATES: Final = (
    Template(
        "relationship",
        "Relationship NPS",
        "nps",
        "relationship",
        "recommend",
        questions=(
            *_ratings("ease_of_doing_business", "trust", "value", "communication", "proactivity", "leading_edge"),
            COMPETITORS,
        ),
    ),
    Template(
        "project",
        "Project NPS",
        "nps",
        "project",
        "recommend_after_project",
        touchpoint="project",
        questions=_ratings("quality", "communication", "timeliness"),
        ratings_asked=1,
    ),
    Template("csat", "Satisfaction", "csat", "transactional", "satisfied"),
    Template("ces", "Effort", "ces", "transactional", "easy"),
    Template(
        "review",
        "Business review",
        "nps",
        "relationship",
        "recommend",
        touchpoint="business_review",
        questions=_ratings("service", "relationship", "value", "quality"),
        ratings_asked=4,
    ),
)
_BY_NAME: Final = {template.template: template for template in TEMPLATES}
_OTHER_SCORES: Final = {"easy_onboarding": {"csat": "satisfied_onboarding"}}
"""Wordings of a preset's question for its other metrics."""


@cache
def presets() -> tuple[Preset, ...]:
    """The touchpoints, by industry."""
    found = []
    for row in shipped("presets"):
        found.append(Preset(**(row | {name: tuple(row[name]) for name in ("also", "events")})))
    return tuple(found)


def template_survey(name: str, languages: Sequence[str] = COMPLETE) -> Survey:
    """A template as a survey with its words. Raises KeyError for a name or a language that does not exist."""
    return _survey(_BY_NAME[name], languages)


def preset_survey(preset_id: str, metric: Metric | None = None, languages: Sequence[str] = COMPLETE) -> Survey:
    """A preset as a survey; `metric` is its own or one of `also`. Raises KeyError for what does not exist."""
    preset = next((preset for preset in presets() if preset.preset_id == preset_id), None)
    if preset is None:
        raise KeyError(preset_id)
    template, score = _BY_NAME[preset.template], preset.score
    if metric not in (None, preset.metric):
        if metric not in preset.also:
            raise KeyError(metric)
        template, score = _BY_NAME[metric], _OTHER_SCORES[preset.score][metric]
    questions = template.questions
    for ready in ready_questions():
        if ready.question.question_id == preset.question:
            questions = (*questions, ready.question)
    touchpoint = preset.touchpoint or template.touchpoint
    template = replace(template, name=preset.name, score=score, touchpoint=touchpoint, questions=questions)
    return _survey(template, languages)


def templates_document() -> dict[str, Any]:
    """All that one can begin with, as JSON: templates with their surveys, presets, ready-made questions and wordings,
    and drafts of the NPS question in further languages."""
    drafts = []
    for language in DRAFTED:
        drafts.append({"language": language, "texts": asdict(draft_texts(language)), "ours": list(ours(language))})
    templates = []
    for template in TEMPLATES:
        survey = survey_document(template_survey(template.template))
        templates.append({"template": template.template, "survey": survey})
    return {
        "templates": templates,
        "presets": [asdict(preset) for preset in presets()],
        "questions": [asdict(ready) for ready in ready_questions()],
        "wordings": [asdict(wording) for wording in ready_wordings()],
        "drafts": drafts,
    }


def _survey(template: Template, languages: Sequence[str]) -> Survey:
    return Survey(
        name=template.name,
        metric=template.metric,
        nps_kind=template.nps_kind,
        touchpoint=template.touchpoint,
        questions=template.questions,
        ratings_asked=template.ratings_asked,
        default_language=languages[0],
        texts={language: _texts(template, language) for language in languages},
    )


def _texts(template: Template, language: str) -> Texts:
    words = shipped(language)
    categories = categories_of(template.metric)
    mail = words["mails"][template.template]
    ends = words["scales"][template.metric]
    return Texts(
        score=QuestionTexts(words["scores"][template.score], ends["low"], ends["high"]),
        reasons={category: words["reasons"][category] for category in categories},
        questions={question.question_id: wording_of(question, language) for question in template.questions},
        thanks={category: words["thanks"][category] for category in categories},
        buttons=dict(words["buttons"]),
        call=words["call"],
        consent=words["consent"],
        referral=words["referral"],
        who_reads=words["who_reads"],
        mail=MailTexts(**(mail | {"reminder_subjects": tuple(mail["reminder_subjects"])})),
        fallbacks=dict(words["fallbacks"]),
        reviewed_by=words["reviewed_by"],
    )
