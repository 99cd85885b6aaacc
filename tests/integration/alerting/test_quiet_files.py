"""A quiet file that changes a fresh answer: alerting keeps the fact, and nothing comes of it until something else is
heard of the account."""

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.events.envelope import Event
from shared.events.files import Origin
from tests.integration.alerting.cases import MONDAY, Case, pair
from tests.integration.alerting.running_alerting import RunningAlerting
from tests.support.files import row, undone

LATER = MONDAY + timedelta(minutes=1)
EVERY_MESSAGE = (
    "stakeholder.category_changed",
    "account_score.changed",
    "survey_response.updated",
    "follow_up.opened",
    "follow_up.updated",
    "follow_up.closed",
)


def corrected_by_file(acme: Case, before: int, after: int, *, quiet: bool = True) -> list[Event]:
    """A row of a file that gives r1 another score, what the scorer tells of it, and the score of the account."""
    origin = Origin(uuid4(), 2, "upsert", LATER)
    answer = {"stakeholder_id": "jane", "answered_at": MONDAY, "recorded_at": LATER}
    old, new = pair(acme.ref("r1", before)), pair(acme.ref("r1", after), change="passive_to_detractor")
    return [
        row(origin, acme.id("r1"), acme.account_id, quiet=quiet, score=after, **answer),
        acme.corrected("r1", old, new, "amended", quiet=quiet),
        acme.scored(2, -100.0, quiet=quiet),
    ]


async def live_score(alerting: RunningAlerting, acme: Case) -> int:
    return await alerting.number("select score from responses where response_id = :id", id=acme.id("r1"))


@pytest.fixture(scope="module")
async def told(alerting: RunningAlerting) -> RunningAlerting:
    """Alerting with an endpoint for all that a correction might send."""
    await alerting.subscribe(*EVERY_MESSAGE)
    return alerting


async def test_it_opens_and_sends_nothing_and_the_next_event_counts_with_it(told: RunningAlerting, acme: Case) -> None:
    await told.emit(acme.account(), acme.person(), acme.response("r1", 8), acme.scored(1, 0.0))
    before = await told.messages(acme)
    await told.emit(*corrected_by_file(acme, 8, 2))
    assert await live_score(told, acme) == 2
    assert (await told.items(acme), await told.messages(acme)) == ([], before)
    await told.emit(acme.amended("r1", 5, comment="Still waiting for an answer."))
    item = await told.only(acme)
    assert (item["kind"], item["severity"], item["state"]) == ("detractor", "critical", "open")


async def test_a_file_that_is_not_quiet_opens_and_sends(told: RunningAlerting, acme: Case) -> None:
    await told.emit(acme.account(), acme.person(), acme.response("r1", 8), acme.scored(1, 0.0))
    await told.emit(*corrected_by_file(acme, 8, 2, quiet=False))
    assert (await told.only(acme))["kind"] == "detractor"
    sent = [message["type"] for message in await told.messages(acme)]
    assert sorted(sent) == [
        *("account_score.changed", "account_score.changed", "follow_up.opened"),
        *("stakeholder.category_changed", "survey_response.updated"),
    ]


async def test_it_ends_nothing_and_the_next_event_counts_with_it(told: RunningAlerting, acme: Case) -> None:
    await told.emit(acme.account(), acme.person(), acme.response("r1", 2), acme.scored(1, -100.0))
    before, messages = await told.only(acme), await told.messages(acme)
    await told.emit(*corrected_by_file(acme, 2, 8))
    assert await live_score(told, acme) == 8
    assert (await told.only(acme), await told.messages(acme)) == (before, messages)
    await told.emit(acme.response("r2", 5, answered_at=LATER, recorded_at=LATER, survey_type="csat"))
    item = await told.only(acme)
    assert (item["state"], item["outcome"], item["closed_by"]) == ("closed", "corrected", "facts")


async def test_it_makes_nothing_worse(told: RunningAlerting, acme: Case) -> None:
    await told.emit(acme.account(), acme.person(), acme.response("r1", 5), acme.scored(1, -100.0))
    before = await told.only(acme)
    assert before["severity"] == "high"
    await told.emit(*corrected_by_file(acme, 5, 0))
    assert await told.only(acme) == before
    await told.emit(acme.amended("r1", 5, touchpoint="support"))
    assert (await told.only(acme))["severity"] == "critical"


async def test_what_is_told_before_the_row_itself_comes_opens_nothing_either(told: RunningAlerting, acme: Case) -> None:
    await told.emit(acme.account(), acme.person(), acme.answered("r1", 8))
    _, correction, score = corrected_by_file(acme, 8, 2)
    await told.emit(correction, score)
    assert await told.items(acme) == []
    await told.emit(acme.answered("r2", 5, LATER, survey_type="csat"))
    assert (await told.only(acme))["response_id"] == acme.id("r1")


async def test_a_drop_that_it_makes_up_for_ends_no_follow_up_until_something_else_is_heard(
    told: RunningAlerting, acme: Case
) -> None:
    await told.emit(acme.account(), acme.dropped(10, 50))
    assert (await told.only(acme))["kind"] == "account_score_drop"
    await told.emit(acme.recovered(quiet=True), acme.scored(3, 50.0, quiet=True))
    assert (await told.only(acme))["state"] == "open"
    await told.emit(acme.scored(4, 51.0))
    assert (await told.only(acme))["outcome"] == "over"


async def test_a_score_that_it_moves_is_told_with_the_next_change_that_is_not_quiet(
    told: RunningAlerting, acme: Case
) -> None:
    await told.emit(acme.account(), acme.scored(1, 0.0))
    before = await told.messages(acme)
    await told.emit(acme.scored(2, 50.0, quiet=True))
    assert await told.messages(acme) == before
    await told.emit(acme.scored(3, 60.0))
    [message] = (await told.messages(acme))[len(before) :]
    change = message["data"]["change"]
    assert (change["sequence"], change["nps"]) == (3, {"90d": {"from": 50.0, "to": 60.0}})


async def test_undoing_an_import_ends_what_it_had_opened_and_opens_nothing(told: RunningAlerting, acme: Case) -> None:
    import_id = uuid4()
    answer = {"stakeholder_id": "jane", "answered_at": MONDAY, "recorded_at": MONDAY}
    origin = Origin(import_id, 2, "upsert", MONDAY)
    await told.emit(acme.account(), acme.person())
    await told.emit(row(origin, acme.id("r1"), acme.account_id, quiet=False, score=2, **answer))
    assert (await told.only(acme))["state"] == "open"
    await told.emit(undone(import_id, acme.account_id, LATER))
    item = await told.only(acme)
    assert (item["state"], item["outcome"]) == ("closed", "corrected")
