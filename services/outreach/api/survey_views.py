"""Surveys as the API tells them."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.outreach.domain.checks import forbidding, warnings
from services.outreach.domain.documents import survey_document
from services.outreach.domain.problems import FieldProblem
from services.outreach.domain.surveys import Survey as SurveyValue
from services.outreach.store.surveys import PublishedVersion, StoredSurvey
from shared.api.surveys import ChangedWording, Survey, SurveyDocument, SurveyHead, SurveyVersion, SurveyVersionDetail
from shared.http.problem import FieldError


def head_view(row: Mapping[str, Any]) -> SurveyHead:
    """A survey without its content."""
    return SurveyHead.model_validate(row)


def survey_view(stored: StoredSurvey) -> Survey:
    """A survey with its draft."""
    return Survey(
        **stored.head,
        draft=document_view(stored.draft),
        faults=_problems(forbidding(stored.draft)),
        warnings=_problems(warnings(stored.draft)),
    )


def version_view(published: PublishedVersion) -> SurveyVersion:
    """A version without its content."""
    return SurveyVersion(**_version(published))


def detail_view(published: PublishedVersion) -> SurveyVersionDetail:
    """A version with its content."""
    return SurveyVersionDetail(
        **_version(published),
        document=document_view(published.survey),
        warnings=_problems(warnings(published.survey)),
    )


def document_view(survey: SurveyValue) -> SurveyDocument:
    """The content of a survey."""
    return SurveyDocument.model_validate(survey_document(survey))


def _version(published: PublishedVersion) -> dict[str, Any]:
    wordings = [ChangedWording.model_validate(wording, from_attributes=True) for wording in published.changed_wordings]
    return {
        "survey_id": published.survey_id,
        "version": published.version,
        "published_at": published.published_at,
        "published_by": published.published_by,
        "changed_wordings": wordings,
    }


def _problems(problems: Iterable[FieldProblem]) -> list[FieldError]:
    return [FieldError.model_validate(problem.document()) for problem in problems]
