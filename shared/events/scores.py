"""Events of the topics `account-scores` and `score-events`: ids and scores, never names or comments."""

from datetime import date, datetime
from typing import Any, Literal

from shared.events.directory import Money
from shared.events.envelope import EventData, register
from shared.events.responses import NpsKind, SurveyType
from shared.topics import (
    ACCOUNT_CLASS_CHANGED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_SCORE_DROPPED,
    ACCOUNT_SCORE_RECOVERED,
    STAKEHOLDER_ANSWER_CORRECTED,
    STAKEHOLDER_ANSWERED,
    STAKEHOLDER_WENT_SILENT,
)

Category = Literal["promoter", "passive", "detractor"]
ChangeKind = Literal[
    "promoter_to_passive",
    "promoter_to_detractor",
    "passive_to_detractor",
    "detractor_to_passive",
    "detractor_to_promoter",
    "passive_to_promoter",
    "new_promoter",
    "new_detractor",
    "new_passive",
]
AccountClass = Literal["unknown", "silent", "at_risk", "ambassador", "divided", "steady"]


class AnswerRef(EventData):
    """One answer of a person: which, when, how good. `category` is null where the survey type is not nps."""

    response_id: str
    answered_at: datetime
    score: int
    category: Category | None = None


class AnswerPair(EventData):
    """The latest answer of a person with the one before it, and the category change between them, if any. No rule
    acts on a latest answer that is not `fresh`: given long before it was recorded, or by a quiet import."""

    latest: AnswerRef | None = None
    previous: AnswerRef | None = None
    change: ChangeKind | None = None
    falls_in_a_row: int = 0
    fresh: bool = True


class StakeholderAnswered(EventData):
    """A live answer became the latest of its person (for this survey type and nps kind).

    The event id is UUIDv5 of (type, response_id, revision), so a second first time is a repeat. `change` is the
    category change that a rule may act on. `latest` is false where a later live answer of the series, quiet or not, is
    known already: nothing opens on it.
    """

    response_id: str
    revision: int
    account_id: str
    stakeholder_id: str
    survey_type: SurveyType
    nps_kind: NpsKind
    score: int
    category: Category | None = None
    answered_at: datetime
    recorded_at: datetime
    previous: AnswerRef | None = None
    change: ChangeKind | None = None
    falls_in_a_row: int = 0
    follow_up_requested: bool = False
    touchpoint: str | None = None
    product: str | None = None
    latest: bool = True
    sequence: int = 0


class StakeholderAnswerCorrected(EventData):
    """An amendment, withdrawal or erasure altered the latest pair of a person; `new.latest` is null when nothing is
    left. A `quiet` correction came of a quiet file or of the undoing of an import: figures follow it, and nobody is
    told because of it."""

    response_id: str
    account_id: str
    stakeholder_id: str
    survey_type: SurveyType
    nps_kind: NpsKind
    old: AnswerPair
    new: AnswerPair
    cause: Literal["amended", "withdrawn", "erased", "late"]
    follow_up_requested: bool = False
    recorded_at: datetime
    sequence: int = 0
    quiet: bool = False


class AccountScoreChanged(EventData):
    """The whole snapshot of an account: every standard window with both methods.

    `figures[window][method]` holds the flat figures that the API answers. `sequence` grows by one with each
    event of the account. `quiet`: nobody is to be told because of it, since it came of nothing but a quiet file, the
    undoing of an import, answers given long before they came, or an erasure.
    """

    account_id: str
    sequence: int
    computed_at: datetime
    account_class: AccountClass
    industry: str | None = None
    tier: str | None = None
    region: str | None = None
    annual_revenue: Money | None = None
    renewal_on: date | None = None
    figures: dict[str, dict[str, dict[str, Any]]]
    quiet: bool = False


class AccountScoreDropped(EventData):
    """The 90-day score by the latest answers fell by at least the threshold against the window before."""

    account_id: str
    sequence: int
    window: str
    method: str
    nps: float
    previous_nps: float
    change: float
    response_count: int
    previous_response_count: int
    at: datetime


class AccountScoreRecovered(EventData):
    """The 90-day score is no longer that far below the window before; null where nothing is left to compare. `quiet` as
    in account_score.changed."""

    account_id: str
    sequence: int
    window: str
    method: str
    nps: float | None = None
    previous_nps: float | None = None
    change: float | None = None
    at: datetime
    quiet: bool = False


class AccountClassChanged(EventData):
    """The class of an account changed; the rule's numbers stand beside it."""

    account_id: str
    sequence: int
    old: AccountClass
    new: AccountClass
    numbers: dict[str, Any]
    at: datetime


class StakeholderWentSilent(EventData):
    """A person was asked and has not answered for the set number of days."""

    account_id: str
    stakeholder_id: str
    invitation_id: str
    asked_at: datetime
    days: int
    furthest: Literal["bounced", "sent", "delivered", "opened", "started"]
    stakeholder_type: str | None = None
    sequence: int = 0
    at: datetime


register(ACCOUNT_SCORE_CHANGED, AccountScoreChanged)
register(STAKEHOLDER_ANSWERED, StakeholderAnswered)
register(STAKEHOLDER_ANSWER_CORRECTED, StakeholderAnswerCorrected)
register(ACCOUNT_SCORE_DROPPED, AccountScoreDropped)
register(ACCOUNT_SCORE_RECOVERED, AccountScoreRecovered)
register(ACCOUNT_CLASS_CHANGED, AccountClassChanged)
register(STAKEHOLDER_WENT_SILENT, StakeholderWentSilent)
