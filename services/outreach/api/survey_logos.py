"""Logos for the pages of respondents."""

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from services.outreach.domain.logos import MAX_BYTES, logo_of
from services.outreach.store import logos
from shared.api.surveys import SurveyLogo
from shared.errors import Invalid
from shared.http.auth import Manager
from shared.http.deps import TheClock, TheDatabase
from shared.http.routing import Router

router = Router(prefix="/v1/survey-logos", tags=["surveys"])
BODY_BYTES = MAX_BYTES * 2
"""Room for a logo in base64."""
_EXAMPLE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class NewLogo(BaseModel):
    """A picture."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"content": _EXAMPLE}]})

    content: Base64Bytes = Field(description="PNG, JPEG or WebP in base64, at most 200,000 bytes of picture.")


@router.post("", status_code=201, summary="Upload a logo", max_body_size=BODY_BYTES)
async def upload_logo(body: NewLogo, caller: Manager, database: TheDatabase, clock: TheClock) -> SurveyLogo:
    """Returns the name under which a survey has it as `logo`. The same picture has the same name."""
    caller.require_all_accounts()
    try:
        logo = logo_of(body.content)
    except ValueError as error:
        problem = {"field": "content", "code": "invalid_logo", "detail": str(error)}
        raise Invalid("invalid_logo", str(error), errors=[problem]) from None
    await database.retrying(lambda tx: logos.add(tx, logo, clock.now(), caller.actor))
    return SurveyLogo(logo=logo.logo, kind=logo.kind, size=len(logo.content))
