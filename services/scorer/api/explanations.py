"""Why a figure is what it is: every answer of the account in one of two lists."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from services.scorer.api.accounts import account_score
from services.scorer.api.parameters import ScoreQuery
from services.scorer.api.resources import Resources
from services.scorer.domain.answers import Answer
from services.scorer.domain.categories import category_or_none
from services.scorer.domain.explain import explain
from services.scorer.domain.windows import parse_window
from services.scorer.store.reading.explaining import candidates, given_ids
from shared.api.accounts import Explanation
from shared.http.auth import Reader
from shared.http.params import PathId
from shared.http.query import no_repeats
from shared.http.routing import Router

router = Router(tags=["accounts"], dependencies=[Depends(no_repeats)])


class ExplainQuery(ScoreQuery):
    """Which figure."""

    account_id: PathId = Field(description="The account.")


@router.get("/v1/explain", response_model=Explanation, response_model_exclude_unset=True)
async def explain_account_score(
    caller: Reader, resources: Resources, asked: Annotated[ExplainQuery, Query()]
) -> dict[str, Any]:
    """The figures of an account with the answers they count, and every other answer of the account with the
    reason why it is not counted.

    Every figure that follows from answers can be recomputed by hand: the score from `counted`, `previous` and what
    compares with it from those that are `outside_window`. What follows from the directory and the invitations (people
    known and asked, invitation counts and rates) is not explained by answers."""
    as_of = resources.moment(asked.as_of)
    async with resources.database.read() as tx:
        figures = await account_score(tx, asked.account_id, caller.owner_email, asked, as_of)
        found = await candidates(tx, asked.account_id, asked.filters())
        given = await given_ids(tx, asked.account_id)
    counted, not_counted = explain(found, parse_window(asked.window).span(as_of), asked.method)
    body: dict[str, Any] = {"counted": [], "not_counted": []}
    for answer in counted:
        body["counted"].append(_answer(answer, asked.survey_type, given))
    for answer, reason in not_counted:
        entry = _answer(answer, asked.survey_type, given)
        if reason == "other_survey":
            entry["category"] = None
        body["not_counted"].append(entry | {"reason": reason})
    return figures | body


def _answer(answer: Answer, survey_type: str, given: Mapping[str, str]) -> dict[str, Any]:
    entry = {
        "response_id": answer.response_id,
        "stakeholder_id": answer.stakeholder_id,
        "given_stakeholder_id": given.get(answer.response_id),
        "answered_at": answer.answered_at,
        "score": answer.score,
        "category": category_or_none(survey_type, answer.score),
    }
    if answer.question_id:
        entry["question_id"] = answer.question_id
    return entry
