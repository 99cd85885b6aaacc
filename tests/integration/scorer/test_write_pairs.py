"""What score-events tell of a person: each answer that became the latest, and corrections of what was told."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events.envelope import Event
from shared.events.files import Origin
from shared.events.scores import AccountScoreChanged, StakeholderAnswerCorrected, StakeholderAnswered
from shared.topics import ACCOUNT_SCORE_CHANGED, STAKEHOLDER_ANSWER_CORRECTED, STAKEHOLDER_ANSWERED
from tests.integration.scorer.writing import Writer, amended, answered_id, withdrawn, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.files import row, undone

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(LATER)) as ready:
        yield ready


def at(response_id: str, minutes: int, score: int, **fields: Any) -> Event:
    """An answer given some minutes before `NOW`."""
    return recorded(response_id, score=score, answered_at=NOW - timedelta(minutes=minutes), **fields)


async def answered(scorer: Writer) -> list[StakeholderAnswered]:
    found = [event.data for event in await scorer.published(STAKEHOLDER_ANSWERED)]
    return [data for data in found if isinstance(data, StakeholderAnswered)]


async def corrected(scorer: Writer) -> list[StakeholderAnswerCorrected]:
    found = [event.data for event in await scorer.published(STAKEHOLDER_ANSWER_CORRECTED)]
    return [data for data in found if isinstance(data, StakeholderAnswerCorrected)]


async def test_a_burst_tells_every_answer_oldest_first_whatever_the_order_of_arrival(scorer: Writer) -> None:
    await scorer.take(at("c", 1, 8), at("a", 3, 9), at("b", 2, 3))
    await scorer.project()
    told = await answered(scorer)
    assert [(answer.response_id, answer.score, answer.change, answer.falls_in_a_row) for answer in told] == [
        ("a", 9, "new_promoter", 0),
        ("b", 3, "promoter_to_detractor", 1),
        ("c", 8, "detractor_to_passive", 0),
    ]
    assert [answer.previous and answer.previous.response_id for answer in told] == [None, "a", "b"]
    assert [event.id for event in await scorer.published(STAKEHOLDER_ANSWERED)] == [answered_id(name) for name in "abc"]


async def test_sequences_of_an_account_grow_by_one_an_event(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9), at("b", 2, 3), recorded("x", "other"))
    await scorer.project()
    await scorer.take(at("c", 1, 8))
    await scorer.project()
    sequences = sorted(
        event.data.sequence  # type: ignore[attr-defined]
        for event in await scorer.published()
        if event.account_id == "acme"
    )
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) >= 5


async def test_a_late_answer_is_no_event_but_corrects_the_pair(scorer: Writer) -> None:
    await scorer.take(at("b", 2, 8))
    await scorer.project()
    await scorer.take(at("a", 9, 10))
    await scorer.project()
    assert [answer.response_id for answer in await answered(scorer)] == ["b"]
    [correction] = await corrected(scorer)
    assert (correction.cause, correction.response_id) == ("late", "a")
    assert (correction.old.change, correction.new.change) == ("new_passive", "promoter_to_passive")
    assert correction.new.latest == correction.old.latest


async def test_a_late_answer_behind_the_pair_is_silent(scorer: Writer) -> None:
    await scorer.take(at("b", 3, 8), at("c", 2, 8))
    await scorer.project()
    await scorer.take(at("a", 9, 10))
    await scorer.project()
    assert await corrected(scorer) == []


async def test_an_amended_latest_answer_is_corrected_not_answered_again(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9), at("b", 2, 9))
    await scorer.project()
    await scorer.take(amended("b", {"score": 2, "follow_up_requested": True}))
    await scorer.project()
    assert len(await answered(scorer)) == 2
    [correction] = await corrected(scorer)
    assert (correction.cause, correction.response_id, correction.follow_up_requested) == ("amended", "b", True)
    assert (correction.old.change, correction.new.change, correction.new.falls_in_a_row) == (
        None,
        "promoter_to_detractor",
        1,
    )


async def test_an_amendment_that_gives_way_to_its_earlier_version_is_a_correction_of_its_own(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9))
    await scorer.project()
    for score, minutes in ((2, 4), (9, 3), (2, 2)):
        version = amended("a", {"score": score}, event_id=UUID(int=1), recorded_at=NOW + timedelta(minutes=minutes))
        await scorer.take(version)
        await scorer.project()
    told = await scorer.published(STAKEHOLDER_ANSWER_CORRECTED)
    assert [correction.new.latest and correction.new.latest.score for correction in await corrected(scorer)] == [
        2,
        9,
        2,
    ]
    assert len({correction.id for correction in told}) == 3


async def test_an_amended_comment_alone_tells_nothing_of_people(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9))
    await scorer.project()
    before = len(await scorer.published())
    await scorer.take(amended("a", {"comment": "well done", "touchpoint": "support"}))
    await scorer.project()
    assert len(await scorer.published()) == before


async def test_a_withdrawn_latest_answer_gives_the_pair_before(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9), at("b", 2, 3))
    await scorer.project()
    await scorer.take(withdrawn("b"))
    await scorer.project()
    [correction] = await corrected(scorer)
    assert (correction.cause, correction.response_id) == ("withdrawn", "b")
    assert correction.new.latest is not None
    assert (correction.new.latest.response_id, correction.new.change) == ("a", "new_promoter")


async def test_when_nothing_is_left_the_pair_is_empty_and_the_next_answer_is_a_first(scorer: Writer) -> None:
    await scorer.take(at("b", 2, 3))
    await scorer.project()
    await scorer.take(withdrawn("b"))
    await scorer.project()
    [correction] = await corrected(scorer)
    assert (correction.new.latest, correction.new.change) == (None, None)
    assert await scorer.rows("latest_pairs") == []
    await scorer.take(at("a", 9, 4))
    await scorer.project()
    assert (await answered(scorer))[-1].change == "new_detractor"


async def test_a_correction_is_told_before_the_answer_that_came_with_it(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9), at("b", 2, 3))
    await scorer.project()
    before = len(await scorer.published())
    await scorer.take(withdrawn("b"), at("c", 1, 7))
    await scorer.project()
    events = (await scorer.published())[before:]
    assert [event.name for event in events][:2] == [STAKEHOLDER_ANSWER_CORRECTED, STAKEHOLDER_ANSWERED]
    assert (await answered(scorer))[-1].change == "promoter_to_passive"


async def test_a_response_withdrawn_before_it_was_told_is_never_told(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9), at("b", 2, 3), withdrawn("b"))
    await scorer.project()
    assert [answer.response_id for answer in await answered(scorer)] == ["a"]
    assert await corrected(scorer) == []


async def test_a_test_answer_is_told_when_it_stops_being_one(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9, test=True))
    await scorer.project()
    assert await answered(scorer) == []
    await scorer.take(amended("a", {"test": False}))
    await scorer.project()
    assert [(answer.response_id, answer.revision) for answer in await answered(scorer)] == [("a", 2)]
    assert (await scorer.published(STAKEHOLDER_ANSWERED))[0].id == answered_id("a", 2)


async def test_quiet_and_old_answers_are_history_and_still_the_past_of_the_next_one(scorer: Writer) -> None:
    old = recorded("o", score=2, answered_at=NOW - timedelta(days=31), stakeholder_id="bob")
    await scorer.take(at("q", 9, 10, quiet=True), old)
    await scorer.project()
    assert await answered(scorer) == []
    await scorer.take(at("a", 3, 8), at("b", 3, 8, stakeholder_id="bob"))
    await scorer.project()
    assert [(answer.response_id, answer.change) for answer in await answered(scorer)] == [
        ("a", "promoter_to_passive"),
        ("b", "detractor_to_passive"),
    ]


async def test_exactly_thirty_days_old_is_still_an_event(scorer: Writer) -> None:
    await scorer.take(recorded("a", answered_at=NOW - timedelta(days=30)))
    await scorer.project()
    assert len(await answered(scorer)) == 1


async def test_a_correction_of_history_alone_is_silent(scorer: Writer) -> None:
    await scorer.take(at("p", 9, 10, quiet=True), at("q", 8, 9, quiet=True))
    await scorer.project()
    await scorer.take(withdrawn("q"))
    await scorer.project()
    assert await corrected(scorer) == []
    assert [row["response_id"] for row in await scorer.rows("latest_pairs")] == ["p"]


async def test_what_steps_back_into_history_carries_no_change(scorer: Writer) -> None:
    await scorer.take(at("q", 9, 2, quiet=True), at("a", 3, 9))
    await scorer.project()
    await scorer.take(withdrawn("a"))
    await scorer.project()
    [correction] = await corrected(scorer)
    assert correction.new.latest is not None
    assert (correction.new.latest.score, correction.new.change, correction.new.fresh) == (2, None, False)


async def test_kinds_of_survey_do_not_mix(scorer: Writer) -> None:
    await scorer.take(
        at("a", 4, 9),
        at("b", 3, 6, nps_kind="transactional"),
        at("c", 2, 2, survey_type="csat", nps_kind="transactional"),
    )
    await scorer.project()
    assert [(answer.response_id, answer.change, answer.category) for answer in await answered(scorer)] == [
        ("a", "new_promoter", "promoter"),
        ("b", "new_detractor", "detractor"),
        ("c", None, None),
    ]


async def test_answers_at_the_same_moment_are_ordered_by_their_ids(scorer: Writer) -> None:
    await scorer.take(at("b", 1, 3), at("a", 1, 9))
    await scorer.project()
    assert [answer.response_id for answer in await answered(scorer)] == ["a", "b"]


async def test_nothing_new_tells_nothing(scorer: Writer) -> None:
    await scorer.take(at("a", 3, 9))
    await scorer.project()
    before = await scorer.published()
    await scorer.take(at("a", 3, 9))
    await scorer.project()
    assert await scorer.published() == before


@pytest.mark.parametrize("quiet", [True, False])
async def test_a_row_of_a_file_corrects_what_was_told_and_says_whether_it_is_quiet(scorer: Writer, quiet: bool) -> None:
    import_id = uuid4()
    await scorer.take(at("a", 1, 9))
    await scorer.project()
    said: dict[str, Any] = {"answered_at": NOW - timedelta(minutes=1), "recorded_at": LATER}
    await scorer.take(row(Origin(import_id, 2, "upsert", LATER), "a", quiet=quiet, score=3, **said))
    await scorer.project()
    [told] = await corrected(scorer)
    assert (told.new.latest and told.new.latest.score, told.cause, told.quiet) == (3, "amended", quiet)
    [*_, scored] = await scorer.published(ACCOUNT_SCORE_CHANGED)
    assert isinstance(scored.data, AccountScoreChanged)
    assert (scored.data.figures["90d"]["latest"]["nps"], scored.data.quiet) == (-100, quiet)
    await scorer.take(amended("a", {"score": 5}, recorded_at=LATER + timedelta(minutes=1)))
    await scorer.project()
    assert [told.quiet for told in await corrected(scorer)] == [quiet, False]


async def test_what_an_undone_file_had_changed_is_corrected_quietly(scorer: Writer) -> None:
    import_id = uuid4()
    await scorer.take(at("a", 1, 9))
    said: dict[str, Any] = {"answered_at": NOW - timedelta(minutes=1), "recorded_at": LATER}
    await scorer.take(row(Origin(import_id, 2, "upsert", LATER), "a", quiet=False, score=3, **said))
    await scorer.project()
    await scorer.take(undone(import_id, "acme", LATER + timedelta(minutes=1)))
    await scorer.project()
    [told] = await corrected(scorer)
    assert (told.new.latest and told.new.latest.score, told.quiet) == (9, True)


async def test_an_older_answer_of_a_quiet_file_corrects_quietly(scorer: Writer) -> None:
    await scorer.take(at("a", 1, 7))
    await scorer.project()
    said: dict[str, Any] = {"answered_at": NOW - timedelta(minutes=9), "recorded_at": LATER}
    await scorer.take(row(Origin(uuid4(), 2, "upsert", LATER), "b", score=9, **said))
    await scorer.project()
    [told] = await corrected(scorer)
    assert (told.cause, told.new.change, told.quiet) == ("late", "promoter_to_passive", True)
