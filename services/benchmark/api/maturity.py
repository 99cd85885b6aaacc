"""Routes of the self-assessment."""

from typing import Any

from services.benchmark.api.models_maturity import Answers
from services.benchmark.api.parameters import Authorization
from services.benchmark.api.resources import Resources
from services.benchmark.domain.maturity_questions import AREAS, MaturityQuestion
from services.benchmark.handlers.maturity import Measured
from services.benchmark.store.assessments import Assessment
from shared.api.maturity import AreaModel, ListedResult, Prefill, QuestionModel, Questionnaire, Result
from shared.http import paging
from shared.http.auth import Actor, Reader
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.problem import MEDIA_TYPE
from shared.http.routing import Router

router = Router(prefix="/v1/maturity", tags=["maturity"])
NOBODY_YET: dict[str, Any] = {
    "description": "Nobody has answered the questions yet.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


@router.get("/questions", summary="The questions, prefilled")
async def get_questions(caller: Reader, resources: Resources, authorization: Authorization) -> Questionnaire:
    """Questions over the ten recommendations of a good programme and over speed. Where the system knows the figure
    (coverage, response rate, time to first touch, closed-loop rate, regularity) the option it speaks for is named."""
    measured = await resources.maturity.measured(authorization)
    areas = []
    for area in AREAS:
        questions = [_question(question, measured) for question in area.questions]
        areas.append(AreaModel(area=area.area, title=area.title, questions=questions))
    return Questionnaire(areas=areas, warnings=list(measured.warnings))


@router.post("", status_code=201, summary="Answer the questions")
async def post_answers(answers: Answers, caller: Actor, resources: Resources, authorization: Authorization) -> Result:
    """The result: a score by area, and the next steps in the order of their weight. It is kept. A question without an
    answer takes what the system knows, unless `prefill` is false."""
    kept = await resources.maturity.assess(
        authorization,
        answers.answers,
        prefill=answers.prefill,
        owner_email=caller.owner_email,
        by=f"key:{caller.key_id}",
    )
    _, before = await resources.maturity.latest(caller.owner_email)
    return _result(kept, before)


@router.get("", summary="The last result", responses={404: NOBODY_YET})
async def get_result(caller: Reader, resources: Resources) -> Result:
    """The last assessment with its change from the one before. A key that is limited to an owner has assessments of its
    own."""
    return _result(*await resources.maturity.latest(caller.owner_email))


@router.get("/assessments", summary="All results")
async def list_results(
    caller: Reader, resources: Resources, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[ListedResult]:
    """The newest first, each with its score as it was worked out then."""
    after = None
    if cursor is not None:
        created_at, assessment_id = read_cursor(cursor, "assessments", paging.instant, paging.uuid)
        after = (created_at, assessment_id)
    listed = await resources.maturity.listed(caller.owner_email, limit + 1, after)
    page = page_of(listed, limit, lambda kept: (kept.created_at, str(kept.assessment_id)), "assessments")
    items = []
    for assessment in page.items:
        result = ListedResult(
            assessment_id=assessment.assessment_id,
            created_at=assessment.created_at,
            score=assessment.result["score"],
            level=assessment.result["level"],
        )
        items.append(result)
    return Page(items=items, next_cursor=page.next_cursor)


def _question(question: MaturityQuestion, measured: Measured) -> QuestionModel:
    measure, prefill = question.measure, None
    if measure is not None:
        value = measured.values.get(measure.name)
        if value is not None:
            option = measure.option(value)
            prefill = Prefill(
                measure=measure.name, value=value, unit=measure.unit, meaning=measure.meaning, option=option
            )
    return QuestionModel(
        question_id=question.question_id, text=question.text, options=list(question.options), prefill=prefill
    )


def _result(kept: Assessment, before: Assessment | None) -> Result:
    change: dict[str, Any] = {"previous_score": None, "change": None}
    if before is not None:
        change["previous_score"] = before.result["score"]
    score, previous = kept.result["score"], change["previous_score"]
    if score is not None and previous is not None:
        change["change"] = score - previous
    return Result(assessment_id=kept.assessment_id, created_at=kept.created_at, **kept.result, **change)
