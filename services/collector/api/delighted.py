"""Delighted's way to add a survey response, for a frontend that moves in."""

from typing import Annotated, Any

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.collector.api import examples
from services.collector.api.resources import IdempotencyKey, Resources
from services.collector.handlers import responses
from services.collector.handlers.inputs.delighted import DelightedResponse
from services.collector.handlers.inputs.responses import NewResponse
from shared.events.responses import ResponseRecorded
from shared.http.auth import Ingester
from shared.http.problem import invalid
from shared.http.routing import Router
from shared.telemetry.metrics import responses_accepted_total
from shared.topics import RESPONSES

router = Router(tags=["responses"])


class SurveyResponse(BaseModel):
    """The response as Delighted shows it."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SURVEY_RESPONSE]})

    id: str = Field(description="Our response_id.", examples=["0199c0de-6f7a-7c1e-9d53-8f2f3c0b1a2d"])
    person: str = Field(description="Our stakeholder_id.", examples=["ann.lee@acme.example"])
    survey_type: str
    score: int
    comment: str | None
    permalink: str = Field(description="Where the scorer shows it, without its host.")
    created_at: int = Field(description="Unix timestamp of the answer.")
    updated_at: int
    person_properties: dict[str, Any] | None
    notes: list[str] = Field(description="Always empty.")
    tags: list[str] = Field(description="Always empty.")
    additional_answers: list[dict[str, Any]] = Field(description="Always empty.")


@router.post("/v1/survey_responses.json", status_code=201, summary="Take a response in Delighted's shape")
@router.post("/v1/survey_responses", status_code=201, include_in_schema=False)  # where its client for Python posts to
async def post_survey_response(
    body: Annotated[DelightedResponse, Body()],
    caller: Ingester,
    collector: Resources,
    idempotency_key: IdempotencyKey = None,
) -> SurveyResponse:
    """The account is `person_properties.account_id`, else `company`, else the domain of the person's address."""
    try:
        response = NewResponse.model_validate(body.as_response())
    except ValidationError as error:
        raise invalid(error) from None
    new_id = responses.Sender(caller.key_id, idempotency_key).response_id()
    event = responses.recorded(response, collector.clock.now(), response_id=new_id)
    responses_accepted_total.labels(await collector.outgoing.publish(RESPONSES, event, caller)).inc()
    data = event.data
    assert isinstance(data, ResponseRecorded)  # noqa: S101  # by recorded()
    return SurveyResponse(
        id=data.response_id,
        person=data.stakeholder_id,
        survey_type=data.survey_type,
        score=data.score,
        comment=data.comment,
        permalink=f"/v1/responses/{data.response_id}",
        created_at=int(data.answered_at.timestamp()),
        updated_at=int(data.recorded_at.timestamp()),
        person_properties=body.person_properties,
        notes=[],
        tags=[],
        additional_answers=[],
    )
