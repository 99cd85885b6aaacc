"""One account with all that its page shows of figures, by one snapshot."""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, Query
from pydantic import Field

from services.scorer.api.account_list import attributes_of
from services.scorer.api.accounts import account_score
from services.scorer.api.parameters import AccountId, AsOf, ScoreQuery, WindowName
from services.scorer.api.resources import Resources
from services.scorer.domain.categories import SurveyType
from services.scorer.domain.classes import Classified, Standing, Thresholds, classify
from services.scorer.store.reading.classes import classes_of
from services.scorer.store.reading.one_account import directory_row, surveys_of
from shared.api.accounts import Account
from shared.api.figures import Comparison
from shared.db.transaction import ReadTx
from shared.events.directory import StakeholderType
from shared.http.auth import Reader
from shared.http.query import Parameters, no_repeats
from shared.http.routing import Router

router = Router(tags=["accounts"], dependencies=[Depends(no_repeats)])
ROLES: tuple[str, ...] = get_args(StakeholderType)
SURVEYS: tuple[str, ...] = get_args(SurveyType)


class AccountQuery(Parameters):
    """Window, method and moment of the figures."""

    window: WindowName = "90d"
    method: Literal["latest", "all"] = Field(
        default="latest", description="`latest`: the latest answer of each person in the window; `all`: every answer."
    )
    as_of: AsOf = None

    def score(self, **filters: str | None) -> ScoreQuery:
        """The question for the score of those answers that the filters choose."""
        asked = ScoreQuery(window=self.window, method=self.method, as_of=self.as_of)
        return asked.model_copy(update=filters)


@router.get("/v1/accounts/{account_id}", response_model=Account, response_model_exclude_unset=True)
async def get_account(
    caller: Reader, resources: Resources, account_id: AccountId, asked: Annotated[AccountQuery, Query()]
) -> dict[str, Any]:
    """An account with its attributes and class, its NPS figures, and the figures by kind of stakeholder and by
    survey type and touchpoint, all of one moment. One that is not known, or not this key's to see, is a 404.

    The class goes by all NPS answers of 365 days, whatever the window."""
    as_of = resources.moment(asked.as_of)
    async with resources.database.read() as tx:
        account = AccountAt(tx, account_id, caller.owner_email, asked, as_of)
        score = await account.score()
        row = await directory_row(tx, account_id)
        classified = await account.classified(resources.settings.thresholds())
        by_role = [await account.figures(stakeholder_type=role) for role in ROLES]
        by_survey = []
        for survey_type, touchpoint in _in_order(await surveys_of(tx, account_id)):
            by_survey.append(await account.figures(survey_type=survey_type, touchpoint=touchpoint))
    return attributes_of(row, classified) | score | {"by_stakeholder_type": by_role, "by_survey": by_survey}


class AccountAt:
    """One account as one transaction sees it."""

    def __init__(
        self, tx: ReadTx, account_id: str, owner_email: str | None, asked: AccountQuery, as_of: datetime
    ) -> None:
        self._tx, self._account_id, self._owner_email = tx, account_id, owner_email
        self._asked, self._as_of = asked, as_of

    async def score(self, **filters: str | None) -> dict[str, Any]:
        """The body of its score. Raises `NotFound`."""
        asked = self._asked.score(**filters)
        return await account_score(self._tx, self._account_id, self._owner_email, asked, self._as_of)

    async def figures(self, **split: str | None) -> dict[str, Any]:
        """The figures of a part of its answers, with what the part is."""
        score = await self.score(**split)
        return split | {name: score[name] for name in Comparison.model_fields}

    async def classified(self, thresholds: Thresholds) -> Classified:
        """Its class."""
        classes = await classes_of(self._tx, self._as_of, thresholds, [self._account_id], None)
        return classes.get(self._account_id) or classify(Standing(), thresholds)


def _in_order(surveys: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """NPS of all answers first, then by survey type and touchpoint."""
    return sorted({("nps", None), *surveys}, key=lambda survey: (SURVEYS.index(survey[0]), survey[1] or ""))
