"""Surveys, their versions and the templates to begin with, as outreach takes and tells them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.http.problem import FieldError

MetricName = Literal["nps", "csat", "ces"]
NpsKindName = Literal["relationship", "transactional", "project"]
QuestionTypeName = Literal["csat", "ces", "rating", "choice", "text"]
CategoryName = Literal["promoter", "passive", "detractor", "satisfied", "neutral", "dissatisfied"]
SurveyState = Literal["draft", "published"]
_WORDING = {"text": "How likely are you to recommend {us} to a friend or colleague?", "low": "Not at all likely"}
_DOCUMENT: dict[str, Any] = {
    "name": "Relationship survey",
    "metric": "nps",
    "nps_kind": "relationship",
    "us": "Fast Freight",
    "questions": [{"question_id": "reliability", "type": "rating", "attribute": "reliability"}],
    "texts": {"en": {"score": _WORDING | {"high": "Extremely likely"}, "fallbacks": {"us": "our company"}}},
}
_HEAD: dict[str, Any] = {
    "survey_id": "srv_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
    "name": "Relationship survey",
    "state": "published",
    "revision": 3,
    "current_version": 1,
    "has_changes": True,
    "metric": "nps",
    "nps_kind": "relationship",
    "touchpoint": None,
    "product": None,
    "default_language": "en",
    "languages": ["en"],
    "created_at": "2026-06-01T09:00:00Z",
    "created_by": "key:0a1b2c3d4e5f",
    "updated_at": "2026-06-03T09:00:00Z",
    "updated_by": "key:0a1b2c3d4e5f",
    "published_at": "2026-06-02T09:00:00Z",
    "published_by": "key:0a1b2c3d4e5f",
    "archived_at": None,
    "archived_by": None,
}
_FAULT = {"field": "legal.imprint_url", "code": "missing", "detail": "mails and pages must say it"}
_WARNING = {"field": "texts.en.score", "code": "missing_end_labels", "detail": "the ends of the scale have no labels"}
_VERSION: dict[str, Any] = {
    "survey_id": _HEAD["survey_id"],
    "version": 2,
    "published_at": "2026-09-02T09:00:00Z",
    "published_by": "key:0a1b2c3d4e5f",
    "changed_wordings": [
        {"language": "en", "field": "score.high", "before": "Very likely", "after": "Extremely likely"}
    ],
}


class _Part(BaseModel):
    """A part of a survey, taken and told in the same form: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SurveyQuestion(_Part):
    """A question after the score and its reason."""

    question_id: str = Field(description="1 to 60 of a-z, 0-9 and _; once a survey.", examples=["reliability"])
    type: QuestionTypeName = Field(description="A rating goes from 1 to 5, csat from 1 to 5, ces from 1 to 7.")
    attribute: str | None = Field(default=None, description="What a rating rates.", examples=["reliability"])
    options: list[str] = Field(default=[], description="Slugs of a choice, 2 to 10.")
    several: bool = Field(default=False, strict=True, description="Whether several options may be chosen.")


class QuestionWording(_Part):
    """A question in one language."""

    text: str = ""
    low: str = Field(default="", description="Label of the lowest value.")
    high: str = Field(default="", description="Label of the highest value.")
    options: dict[str, str] = Field(default={}, description="Label of each option, by its slug.")


class MailWording(_Part):
    """What a mail says around the question, in one language."""

    subject: str = ""
    preheader: str = ""
    intro: str = ""
    sign_off: str = ""
    reminder_subjects: list[str] = []


class SurveyTexts(_Part):
    """All words of a survey in one language; what is not written yet is empty."""

    score: QuestionWording = Field(default=QuestionWording(), description="The scored question.")
    reasons: dict[str, str] = Field(default={}, description="The question why, by category of the score.")
    questions: dict[str, QuestionWording] = Field(default={}, description="By question_id.")
    thanks: dict[str, str] = Field(default={}, description="The last page, by category.")
    buttons: dict[str, str] = Field(default={}, description="`send` (which says {score}), `next` and `finish`.")
    call: str = Field(default="", description="Whether a leader may call.")
    consent: str = Field(default="", description="Whether praise may be quoted.")
    referral: str = Field(default="", description="Whether they would introduce you; empty: nobody is asked.")
    who_reads: str = Field(default="", description="Who reads the answer, and that it is read with the name.")
    mail: MailWording = MailWording()
    fallbacks: dict[str, str] = Field(default={}, description="What stands for a placeholder without a value.")
    reviewed_by: str | None = Field(default=None, description="Who has read the translation; null marks a draft.")


class SurveyLegal(_Part):
    """What the law wants to be named."""

    legal_name: str = ""
    postal_address: str = ""
    imprint_url: str = Field(default="", description="https only.")
    privacy_url: str = Field(default="", description="https only.")


class SurveyDocument(_Part):
    """A survey as it is edited and published."""

    name: str = Field(description="For you; respondents do not see it.", examples=["Relationship survey"])
    metric: MetricName = Field(description="The scored question, always first and required.")
    nps_kind: NpsKindName
    touchpoint: str | None = None
    product: str | None = Field(default=None, description="Sent with the answers; stands for {product}.")
    us: str | None = Field(default=None, description="Stands for {us}; by default the legal name.")
    questions: list[SurveyQuestion] = []
    ratings_asked: int = Field(
        default=2, strict=True, description="How many ratings one person is asked: those of which the least is known."
    )
    default_language: str = Field(default="en", examples=["en"])
    texts: dict[str, SurveyTexts] = Field(default={}, description="By language, such as de or pt-BR.")
    legal: SurveyLegal = SurveyLegal()
    public_review_url: str | None = Field(
        default=None, description="Shown to everybody on the last page, whatever they scored."
    )
    booking_url: str | None = Field(
        default=None,
        description="Where a call can be arranged; an https address in the attribute `booking_url` of an account wins.",
    )
    booking_for: list[CategoryName] = Field(
        default=[], description="The categories to whom the last page offers the call.", examples=[["detractor"]]
    )
    colour: str | None = Field(
        default=None, description="Of links and buttons, as near to it as can be read.", examples=["#0b5cad"]
    )
    logo: str | None = Field(default=None, description="The name of a logo that was uploaded.")


class SurveyHead(BaseModel):
    """A survey without its content."""

    model_config = ConfigDict(json_schema_extra={"example": _HEAD})

    survey_id: str = Field(examples=["srv_01985b3c7d0e7b6a9f1e2d3c4b5a6978"])
    name: str = Field(examples=["Relationship survey"])
    state: SurveyState = Field(description="`draft` until it is published for the first time.")
    revision: int = Field(description="Of the draft: one more with each change. Also the ETag.")
    current_version: int | None = Field(description="The version that new links ask; null for one never published.")
    has_changes: bool = Field(description="Whether the draft differs from the current version.")
    metric: MetricName
    nps_kind: NpsKindName
    touchpoint: str | None
    product: str | None
    default_language: str
    languages: list[str] = Field(examples=[["de", "en"]])
    created_at: datetime
    created_by: str = Field(description="`key:` and the id of the key.")
    updated_at: datetime
    updated_by: str
    published_at: datetime | None
    published_by: str | None
    archived_at: datetime | None = Field(description="Since when nobody is asked by it; links that are out stay open.")
    archived_by: str | None


class Survey(SurveyHead):
    """A survey with its draft, and what is to be said of it."""

    model_config = ConfigDict(
        json_schema_extra={"example": _HEAD | {"draft": _DOCUMENT, "faults": [_FAULT], "warnings": [_WARNING]}}
    )

    draft: SurveyDocument
    faults: list[FieldError] = Field(description="What forbids publishing the draft; empty for one that can be.")
    warnings: list[FieldError] = Field(description="What its author should look at.")


class SurveyLogo(BaseModel):
    """A picture that was uploaded."""

    model_config = ConfigDict(json_schema_extra={"example": {"logo": "0a1b" * 8, "kind": "image/png", "size": 4711}})

    logo: str = Field(description="Its name, for surveys.")
    kind: str = Field(examples=["image/png"])
    size: int = Field(description="Bytes.")


class ChangedWording(BaseModel):
    """A text that respondents read and that differs from the version before: a mark on the trend."""

    language: str
    field: str = Field(examples=["score.text"])
    before: str
    after: str


class SurveyVersion(BaseModel):
    """A published version; it is never changed."""

    model_config = ConfigDict(json_schema_extra={"example": _VERSION})

    survey_id: str
    version: int
    published_at: datetime
    published_by: str
    changed_wordings: list[ChangedWording] = Field(description="Since the version before.")


class SurveyVersionDetail(SurveyVersion):
    """A published version with its content."""

    model_config = ConfigDict(json_schema_extra={"example": _VERSION | {"document": _DOCUMENT, "warnings": [_WARNING]}})

    document: SurveyDocument
    warnings: list[FieldError]


class Template(BaseModel):
    """A survey to begin with."""

    template: str = Field(description="Its name.", examples=["relationship"])
    survey: SurveyDocument


class Preset(BaseModel):
    """A touchpoint of an industry: a template with another question, and when it is asked of whom."""

    preset_id: str = Field(examples=["saas_onboarding"])
    industry: str
    name: str
    template: str
    metric: MetricName
    also: list[MetricName] = Field(description="Other metrics that fit; to be given as `metric` of a new survey.")
    score: str = Field(description="Names the wording of its scored question.")
    touchpoint: str | None
    question: str | None = Field(description="The question_id of a ready-made question that it adds.")
    audience: str = Field(description="Who is asked.")
    moment: str = Field(description="When.")
    why: str
    events: list[str] = Field(description="Kinds of context events that mark the moment; none where time does.")
    after_days: int | None = Field(description="Days from the event to the question.")
    repeat_days: dict[str, int] = Field(description="Type of person, or `all`, to days between two questions.")


class ReadyQuestion(BaseModel):
    """A question that can be added to a survey as it is."""

    question: SurveyQuestion
    industries: list[str] = Field(description="Where it is usual; empty for everywhere.")
    texts: dict[str, QuestionWording] = Field(description="By language.")


class ReadyWording(BaseModel):
    """Another wording of the scored question."""

    wording_id: str = Field(examples=["logistics_reliability"])
    industry: str
    metric: MetricName
    texts: dict[str, QuestionWording] = Field(description="By language.")


class DraftedLanguage(BaseModel):
    """The NPS question in a language of which all other words are still to be written."""

    language: str = Field(examples=["it"])
    texts: SurveyTexts
    ours: list[str] = Field(description="Which of text, low and high nobody else was seen to use.")


class SurveyTemplates(BaseModel):
    """What there is to begin with."""

    templates: list[Template]
    presets: list[Preset]
    questions: list[ReadyQuestion]
    wordings: list[ReadyWording]
    drafts: list[DraftedLanguage]
