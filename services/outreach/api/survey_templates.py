"""What a survey can begin with: templates, touchpoints of industries, ready-made questions and wordings."""

from services.outreach.domain.templates import templates_document
from shared.api.surveys import SurveyTemplates
from shared.http.auth import Reader
from shared.http.routing import Router

router = Router(prefix="/v1/survey-templates", tags=["surveys"])


@router.get("", summary="What a survey can begin with")
async def list_templates(caller: Reader) -> SurveyTemplates:
    """Five surveys, the touchpoints of six industries as presets of them, and questions to add. `POST /v1/surveys`
    begins with one of them by its name."""
    return SurveyTemplates.model_validate(templates_document())
