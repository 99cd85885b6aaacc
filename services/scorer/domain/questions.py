"""What may be asked of the scorer: which answers are chosen, and by what they may be split."""

from dataclasses import dataclass, fields
from typing import Final

from services.scorer.domain.categories import SurveyType


@dataclass(frozen=True, slots=True)
class Filters:
    """Which answers count, before `latest` picks. None = all. Attributes of accounts and people are those of
    the directory now; those of the answer stay with the answer. `owner` is an e-mail address in lower
    case."""

    survey_type: SurveyType = "nps"
    nps_kind: str | None = None
    touchpoint: str | None = None
    product: str | None = None
    channel: str | None = None
    survey_id: str | None = None
    stakeholder_type: str | None = None
    industry: str | None = None
    tier: str | None = None
    region: str | None = None
    owner: str | None = None

    def given(self) -> dict[str, str]:
        """The filters that choose something, without the survey type."""
        given = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and field.name != "survey_type":
                given[field.name] = value
        return given

    def of_accounts(self) -> "Filters":
        """Those that choose accounts, alone."""
        return Filters(industry=self.industry, tier=self.tier, region=self.region, owner=self.owner)


OF_ACCOUNT: Final = ("industry", "tier", "region", "owner", "class")
OF_PERSON: Final = ("stakeholder_type", "job_level")
OF_ANSWER: Final = ("touchpoint", "product", "channel", "survey_id", "nps_kind")
GROUPS: Final = (*OF_ACCOUNT, *OF_PERSON, *OF_ANSWER)
"""What `group_by` may name."""
OF_INVITATION: Final = ("channel", "survey_id")
"""Attributes of answers that invitations have too."""
ASKABLE: Final = (*OF_ACCOUNT, *OF_PERSON, *OF_INVITATION)
"""What invitations may be split by."""
MAX_GROUPS: Final = 2
