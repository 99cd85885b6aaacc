"""Every figure of an explanation that follows from answers is made of its two lists, by hand.

What follows from the directory and the invitations (`coverage` but for `answered`, the invitation counts and rates) is
not: explain tells of answers.
"""

from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import given

from shared.api.accounts import Explanation
from shared.api.figures import ComparedScore
from tests.integration.scorer.reading import Reader
from tests.integration.scorer.worlds import a_world, at, exactly, question, seeds
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import spans, within
from tests.support.reference.scores import compared, pick

ALWAYS = {name for name, field in Explanation.model_fields.items() if field.is_required()}


def voice(row: dict[str, Any]) -> dict[str, Any]:
    """A row of either list as the reference counts it."""
    return {
        "person": row["stakeholder_id"],
        "at": datetime.fromisoformat(row["answered_at"]).astimezone(UTC),
        "response_id": row["response_id"],
        "question_id": row.get("question_id", ""),
        "score": row["score"],
    }


@exactly
@given(seed=seeds)
async def test_every_figure_is_recomputed_by_hand(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world = a_world(random)
    asked = question(random, method=("latest", "all"), survey_type=("nps", "nps", "csat", "ces"))
    await reader.put(world)
    for account_id in {submission.account_id for submission in world.submissions}:
        body = await reader.body("/v1/explain", account_id=account_id, **asked)
        counted = [voice(row) for row in body["counted"]]
        passed_over = [row for row in body["not_counted"] if row["reason"] in ("outside_window", "superseded")]
        span, span_before = spans(asked["window"], at(asked)["as_of"])
        superseded = [voice(row) for row in passed_over if row["reason"] == "superseded"]
        assert pick(within(counted + superseded, span), asked["method"]) == within(counted, span) == counted
        earlier = within([voice(row) for row in passed_over], span_before) if span_before else None
        before = None if earlier is None else pick(earlier, asked["method"])
        expected = compared(counted, before, asked["survey_type"])
        assert_same(body, expected)
        assert body["coverage"]["answered"] == len({answer["person"] for answer in counted})
        assert expected.keys() == ComparedScore.model_fields.keys()
        assert ALWAYS <= body.keys() <= Explanation.model_fields.keys()
