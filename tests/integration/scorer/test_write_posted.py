"""Changes that are bound to what a browser posted: they count for that answer and for no other under its id."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.events.envelope import Event
from shared.events.posted import posted
from shared.events.responses import Answer
from shared.kafka.headers import unpack
from tests.integration.scorer.writing import Writer, amended, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded

SENT = ("account_id", "stakeholder_id", "survey_type", "score", "comment")
FULL: dict[str, Any] = {
    "email": "ann@acme.example",
    "comment": "Always on time, Zoë",
    "answered_at": NOW - timedelta(days=1, microseconds=1),
    "nps_kind": "project",
    "touchpoint": "delivery",
    "product": None,
    "channel": "web",
    "survey_id": "s",
    "invitation_id": "i",
    "language": "en",
    "follow_up_requested": True,
    "answers": (Answer(question_id="z", type="rating", value=4), Answer(question_id="a", type="text", value="so")),
    "attributes": {"b": 1.0, "a": 2, "small": 1e-07, "zero": -0.0, "none": None, "yes": True, "tenth": 0.1},
    "test": False,
}


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(NOW + timedelta(hours=1))) as ready:
        yield ready


def answer(response_id: str, **fields: Any) -> Event:
    """A response with a comment."""
    return recorded(response_id, **({"comment": "fine", "sent": SENT} | fields))


def amending(response: Event, comment: str, minutes: int = 1) -> Event:
    """What the browser that posted this says about it later."""
    values = vars(response.data)
    at = NOW + timedelta(minutes=minutes)
    changes = {"comment": comment}
    return amended(values["response_id"], changes, posted=posted(values), survey_type="nps", recorded_at=at)


async def comments(scorer: Writer) -> dict[str, str]:
    return {row["response_id"]: row["comment"] for row in await scorer.rows("responses")}


@pytest.mark.parametrize("fields", [{}, FULL | {"sent": tuple(FULL)}], ids=["small", "full"])
async def test_what_is_stored_is_what_was_posted_also_after_it_was_changed(
    scorer: Writer, fields: dict[str, Any]
) -> None:
    first = answer("r1", **fields)
    cleared = dict.fromkeys(("comment", "touchpoint", "answers", "attributes"))
    assert await scorer.outcomes(first, amended("r1", cleared | {"score": 3})) == ["new", "change"]
    assert await scorer.outcomes(amending(first, "later", 2)) == ["change"]
    assert await comments(scorer) == {"r1": "later"}


@pytest.mark.parametrize("together", [True, False])
async def test_of_two_who_post_under_one_id_only_the_first_may_amend_whatever_is_read_first(
    scorer: Writer, together: bool
) -> None:
    """The id, the account and the person are no secrets."""
    orders = [order for order in permutations(range(4)) if order.index(0) < order.index(1)]
    for number, order in enumerate(orders):
        mine, others = answer(f"r{number}", comment="mine"), answer(f"r{number}", comment="I was here")
        events = (mine, others, amending(mine, "mine, later"), amending(others, "owned", 2))
        turns = [[events[index] for index in order]] if together else [[events[index]] for index in order]
        verdicts = [verdict for turn in turns for verdict in await scorer.take(*turn)]
        late = await scorer.rows("parked")
        said = [verdict.reason for verdict in verdicts if verdict.reason] + [row["reason"] for row in late]
        assert sorted(said) == ["response_id_taken", "wrong_response"]
        async with scorer.database.write() as tx:
            await tx.execute("delete from parked")
    assert await comments(scorer) == {f"r{number}": "mine, later" for number in range(len(orders))}


async def test_a_browser_that_posts_the_same_once_more_may_amend(scorer: Writer) -> None:
    """Its first answer was lost on the way back: the token it holds is of the second post."""
    first, again = answer("r1"), answer("r1", recorded_at=NOW + timedelta(seconds=9))
    assert await scorer.outcomes(first, again, amending(again, "later")) == ["new", "repeat", "change"]
    assert await scorer.outcomes(amending(again, "even later", 2)) == ["change"]
    assert await comments(scorer) == {"r1": "even later"}


async def test_an_amendment_that_takes_its_response_for_another_survey_counts_nowhere(scorer: Writer) -> None:
    wrong, right = amended("r1", {"score": 4}, survey_type="csat"), amended("r1", {"score": 5}, survey_type="nps")
    [_, refused, taken] = await scorer.take(answer("r1"), wrong, right)
    assert (refused.outcome, refused.reason, taken.outcome) == ("conflict", "wrong_response", "change")
    assert [row["score"] for row in await scorer.rows("responses")] == [5]


async def test_one_event_id_with_two_contents_does_not_put_the_wrong_one_in_the_place_of_the_right_one(
    scorer: Writer,
) -> None:
    """Who guesses the Idempotency-Key of an amendment to come can make an event of the same id, recorded before it."""
    mine, others = answer("r1", comment="mine"), answer("r1", comment="I was here")
    right = amending(mine, "mine, later", 2)
    event_id = right.data.event_id  # type: ignore[attr-defined]
    said = {"posted": posted(vars(others.data)), "survey_type": "nps", "event_id": event_id}
    await scorer.take(mine, right, amended("r1", {"comment": "owned"}, recorded_at=NOW, **said))
    assert await comments(scorer) == {"r1": "mine, later"}


async def test_who_sent_a_change_is_known_when_it_is_parked_late(scorer: Writer) -> None:
    await scorer.take(amended("r1", {"score": 11}).by("0123456789ab"), amended("r1", {"score": 12}))
    await scorer.take(answer("r1"))
    rows = {json.loads(row["value"])["changes"]["score"]: row for row in await scorer.rows("parked")}
    assert {score: row["sender"] for score, row in rows.items()} == {11: "0123456789ab", 12: None}
    assert ("ce_sender", b"0123456789ab") in unpack(rows[11]["headers"])
