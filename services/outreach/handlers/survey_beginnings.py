"""What a new survey begins with: a template or a preset, in the languages that are wanted."""

from dataclasses import dataclass, replace
from typing import Final

from services.outreach.domain.languages import COMPLETE, DRAFTED, is_language
from services.outreach.domain.shipped import draft_texts
from services.outreach.domain.surveys import Metric, Survey, Texts
from services.outreach.domain.templates import preset_survey, template_survey
from shared.errors import Invalid

_DRAFTED_METRIC: Final = "nps"


@dataclass(frozen=True, slots=True)
class Beginning:
    """A `template`, or a `preset` by a metric of its own, or neither; and the languages, the default first."""

    template: str | None
    preset: str | None
    metric: Metric | None
    languages: tuple[str, ...]


def begin(beginning: Beginning) -> Survey | None:
    """The survey to begin with, None for one that is begun from nothing. A language without shipped words has the NPS
    question as a draft, or nothing. Raises `Invalid`."""
    if beginning.template is None and beginning.preset is None:
        return None
    if beginning.template is not None and beginning.preset is not None:
        raise _invalid("preset", "one_of_two", "a survey begins with a template or a preset, not with both")
    for index, language in enumerate(beginning.languages):
        if not is_language(language):
            raise _invalid(f"languages.{index}", "invalid_language", "must be a language such as de or pt-BR")
    shipped = [language for language in beginning.languages if language in COMPLETE]
    survey = _survey(beginning, tuple(shipped) or COMPLETE[:1])
    texts: dict[str, Texts] = {}
    for language in beginning.languages:
        if language in survey.texts:
            texts[language] = survey.texts[language]
        elif language in DRAFTED and survey.metric == _DRAFTED_METRIC:
            texts[language] = draft_texts(language)
        else:
            texts[language] = Texts()
    return replace(survey, texts=texts, default_language=beginning.languages[0])


def _survey(beginning: Beginning, languages: tuple[str, ...]) -> Survey:
    if beginning.template is not None:
        try:
            return template_survey(beginning.template, languages)
        except KeyError:
            raise _invalid("template", "not_an_option", "there is no such template") from None
    try:
        return preset_survey(beginning.preset or "", beginning.metric, languages)
    except KeyError:
        raise _invalid("preset", "not_an_option", "there is no such preset, or none by this metric") from None


def _invalid(field: str, code: str, detail: str) -> Invalid:
    return Invalid(
        f"invalid_{field.partition('.')[0]}", detail, errors=[{"field": field, "code": code, "detail": detail}]
    )
