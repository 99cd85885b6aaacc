"""What the calls about surveys take."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.outreach.domain.languages import COMPLETE
from services.outreach.handlers.survey_beginnings import Beginning
from shared.api.surveys import MetricName, NpsKindName, SurveyDocument

Revision = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1, description="The revision you saw; 409 when stale.")]


class SurveyFields(SurveyDocument):
    """Fields of a survey; those that are absent stay as they are."""

    name: str = ""
    metric: MetricName = "nps"
    nps_kind: NpsKindName = "relationship"

    def given(self) -> dict[str, Any]:
        """The fields that were given, as the domain reads them."""
        return self.model_dump(include=self.model_fields_set & SurveyDocument.model_fields.keys())


class NewSurvey(SurveyFields):
    """A survey to begin: from a template or a preset, from nothing otherwise. Fields of a survey that are given as well
    replace those of the template."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"template": "relationship", "languages": ["en", "de"], "us": "Fast Freight"}]}
    )

    template: str | None = Field(default=None, max_length=100, description="One of `GET /v1/survey-templates`.")
    preset: str | None = Field(
        default=None, max_length=100, description="In place of a template: a touchpoint, asked by the `metric` given."
    )
    languages: list[str] = Field(
        default=list(COMPLETE),
        min_length=1,
        max_length=40,
        description="Of the template, the default first. Those without words of their own have the NPS question only.",
    )

    def beginning(self) -> Beginning:
        """What to begin with."""
        metric = None
        if "metric" in self.model_fields_set:
            metric = self.metric
        return Beginning(self.template, self.preset, metric, tuple(dict.fromkeys(self.languages)))


class SurveyPatch(SurveyFields):
    """Fields of the draft to change; what is absent stays, what is given is replaced as a whole."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 3, "ratings_asked": 1}]})

    revision: Revision | None = None


class Publication(BaseModel):
    """Publish the draft."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"revision": 3}]})

    revision: Revision | None = None


class Duplicate(BaseModel):
    """Begin another survey with the draft of this one."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"name": "Autumn"}]})

    name: str | None = Field(default=None, min_length=1, max_length=200, description="By default `Copy of …`.")
