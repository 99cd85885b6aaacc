"""One person by several ids: answers follow the directory, in whatever order the two come, and tell nothing by it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.events.directory import StakeholderRemoved
from shared.events.envelope import Event
from shared.events.responses import Answer, ErasedId
from shared.events.scores import AccountScoreChanged, StakeholderAnswered
from shared.ids import uuid7
from shared.topics import (
    ACCOUNT_SCORE_CHANGED,
    STAKEHOLDER_ANSWER_CORRECTED,
    STAKEHOLDER_ANSWERED,
    STAKEHOLDER_REMOVED,
)
from tests.integration.scorer.writing import SUBJECT, Writer, amended, erased, event, invited, person, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded

HOUR = timedelta(hours=1)
MAIL = "ann@acme.example"


@pytest.fixture
async def scorer(environment: Environment) -> AsyncIterator[Writer]:
    async with writer(environment, FrozenClock(NOW + 2 * HOUR)) as ready:
        yield ready


def said(response_id: str, who: str, minutes: int, score: int, **fields: Any) -> Event:
    """An answer given some minutes after `NOW`."""
    moment = NOW + timedelta(minutes=minutes)
    return recorded(response_id, stakeholder_id=who, score=score, answered_at=moment, recorded_at=moment, **fields)


def merged(stakeholder_id: str, into: str, minutes: int, *aliases: str) -> Event:
    """A stakeholder.removed event of a record that was merged."""
    data = StakeholderRemoved(
        account_id="acme",
        stakeholder_id=stakeholder_id,
        aliases=aliases,
        merged_into=into,
        event_id=uuid7(),
        recorded_at=NOW + timedelta(minutes=minutes),
    )
    return event(STAKEHOLDER_REMOVED, data)


def with_ids(stakeholder_id: str, minutes: int, *aliases: str) -> Event:
    """A stakeholder.upserted event of a record with further ids."""
    return person(stakeholder_id, aliases=aliases, recorded_at=NOW + timedelta(minutes=minutes))


async def people(scorer: Writer) -> dict[str, tuple[str, str | None]]:
    """response_id -> the person, and the id that it was given with."""
    rows = await scorer.rows("responses")
    return {row["response_id"]: (row["stakeholder_id"], row["given_stakeholder_id"]) for row in rows}


async def figures(scorer: Writer) -> dict[str, Any]:
    data = (await scorer.published(ACCOUNT_SCORE_CHANGED))[-1].data
    assert isinstance(data, AccountScoreChanged)
    return data.figures["30d"]["latest"]


async def told(scorer: Writer) -> list[tuple[str, str]]:
    """Who was told to have answered, and with which answer."""
    found = []
    for answered in await scorer.published(STAKEHOLDER_ANSWERED):
        assert isinstance(answered.data, StakeholderAnswered)
        found.append((answered.data.stakeholder_id, answered.data.response_id))
    return found


async def test_an_answer_by_another_id_is_the_persons_when_it_is_stored(scorer: Writer) -> None:
    await scorer.take(with_ids("C-17", 0, MAIL))
    answers = (Answer(question_id="speed", type="rating", attribute="speed", value=3),)
    await scorer.take(said("r1", MAIL, 1, 9, answers=answers), said("r2", "C-17", 2, 3))
    assert await people(scorer) == {"r1": ("C-17", MAIL), "r2": ("C-17", None)}
    assert [row["stakeholder_id"] for row in await scorer.rows("response_answers")] == ["C-17"]
    await scorer.project()
    assert (await figures(scorer))["stakeholder_count"] == 1
    assert await told(scorer) == [("C-17", "r1"), ("C-17", "r2")]


async def test_answers_that_came_before_the_directory_move_and_nothing_is_told(scorer: Writer) -> None:
    await scorer.take(said("r1", MAIL, 1, 9), said("r2", "C-17", 2, 3))
    await scorer.project()
    assert (await figures(scorer))["stakeholder_count"] == 2
    before = await told(scorer)
    await scorer.take(with_ids("C-17", 3, MAIL))
    await scorer.project()
    assert await people(scorer) == {"r1": ("C-17", MAIL), "r2": ("C-17", None)}
    assert (await figures(scorer))["stakeholder_count"] == 1
    assert (await figures(scorer))["nps"] == -100
    assert await told(scorer) == before
    assert await scorer.published(STAKEHOLDER_ANSWER_CORRECTED) == []
    [pair] = await scorer.rows("latest_pairs")
    assert (pair["stakeholder_id"], pair["response_id"], pair["previous_response_id"]) == ("C-17", "r2", "r1")


async def test_what_is_said_next_is_told_against_the_answers_of_all_ids(scorer: Writer) -> None:
    await scorer.take(said("r1", MAIL, 1, 9))
    await scorer.project()
    await scorer.take(with_ids("C-17", 2, MAIL), said("r2", "C-17", 3, 3))
    await scorer.project()
    [_, second] = await scorer.published(STAKEHOLDER_ANSWERED)
    assert isinstance(second.data, StakeholderAnswered)
    assert (second.data.stakeholder_id, second.data.change) == ("C-17", "promoter_to_detractor")


async def test_undoing_a_merge_gives_the_same_rows_and_tells_nothing(scorer: Writer) -> None:
    await scorer.take(
        with_ids("t", 0), with_ids("s", 0, MAIL), said("r1", MAIL, 1, 9), said("r2", "s", 2, 3), said("r3", "t", 3, 8)
    )
    await scorer.take(invited("sent", "i1", NOW, stakeholder_id=MAIL))
    await scorer.project()
    before, events = await scorer.state(), len(await told(scorer))
    await scorer.take(merged("s", "t", 4, MAIL), with_ids("t", 5, "s", MAIL))
    await scorer.project()
    assert {who for who, _ in (await people(scorer)).values()} == {"t"}
    assert (await figures(scorer))["stakeholder_count"] == 1
    await scorer.take(with_ids("t", 6), with_ids("s", 7, MAIL))
    await scorer.project()
    assert await scorer.state() == before
    assert len(await told(scorer)) == events
    assert await scorer.published(STAKEHOLDER_ANSWER_CORRECTED) == []


async def test_any_order_of_directory_and_answers_ends_the_same(scorer: Writer) -> None:
    events = (
        *(with_ids("C-17", 1, MAIL), with_ids("s", 0), merged("s", "C-17", 2), with_ids("C-17", 3, MAIL, "s")),
        said("r1", MAIL, 1, 9),
        said("r2", "s", 2, 3),
    )
    ends = []
    for account, order in enumerate(permutations(range(len(events)))):
        if account % 60 == 0:
            await scorer.take(*(events[index] for index in order[:3]))
            await scorer.project()
            await scorer.take(*(events[index] for index in order[3:]))
            await scorer.project()
            ends.append((await people(scorer), [(row["alias_id"]) for row in await scorer.rows("aliases")]))
            async with scorer.database.write() as tx:
                for table in ("responses", "aliases", "stakeholders", "latest_pairs"):
                    await tx.execute(f"delete from {table}")  # noqa: S608 - names of ours
    expected = {"r1": ("C-17", MAIL), "r2": ("C-17", "s")}
    assert ends == [(expected, sorted([MAIL, "s"]))] * len(ends)


async def test_sending_an_answer_again_by_either_id_is_a_repeat(scorer: Writer) -> None:
    sent = ("account_id", "email", "survey_type", "score")
    await scorer.take(with_ids("C-17", 0, MAIL), said("r1", MAIL, 1, 9, email=MAIL, sent=sent))
    assert await scorer.outcomes(said("r1", MAIL, 1, 9, email=MAIL, sent=sent)) == ["repeat"]
    assert await scorer.outcomes(said("r1", "C-17", 1, 9)) == ["repeat"]
    assert await scorer.outcomes(said("r1", "bob", 1, 9)) == ["conflict"]


async def test_an_amendment_may_name_either_id(scorer: Writer) -> None:
    await scorer.take(with_ids("C-17", 0, MAIL), said("r1", MAIL, 1, 9))
    later = NOW + timedelta(minutes=9)
    assert await scorer.outcomes(amended("r1", {"score": 5}, stakeholder_id=MAIL)) == ["change"]
    assert await scorer.outcomes(amended("r1", {"score": 4}, stakeholder_id="C-17", recorded_at=later)) == ["change"]
    assert await scorer.outcomes(amended("r1", {"score": 3}, stakeholder_id="bob")) == ["conflict"]
    assert [row["score"] for row in await scorer.rows("responses")] == [4]


async def test_an_invitation_to_one_id_is_answered_by_another(scorer: Writer) -> None:
    await scorer.take(invited("sent", "i1", NOW, stakeholder_id=MAIL), with_ids("C-17", 1, MAIL))
    await scorer.take(said("r1", "C-17", 2, 9, invitation_id="i1"))
    await scorer.project()
    assert (await figures(scorer))["response_rate"] == 1
    assert [row["person_id"] for row in await scorer.rows("invitations")] == ["C-17"]


async def test_an_erasure_takes_what_every_id_said_and_what_comes_late(scorer: Writer) -> None:
    await scorer.take(with_ids("C-17", 0, MAIL), said("r1", MAIL, 1, 9, comment="x"), said("r2", "C-17", 2, 3))
    await scorer.take(invited("sent", "i1", NOW, stakeholder_id=MAIL))
    await scorer.project()
    ids = tuple(ErasedId(stakeholder_id=any_id, subject=SUBJECT("acme", any_id)) for any_id in (MAIL, "C-17"))
    assert await scorer.outcomes(erased(MAIL, ids=ids)) == ["change"]
    await scorer.project()
    subject = SUBJECT("acme", MAIL)
    assert await people(scorer) == {"r1": (subject, None), "r2": (subject, None)}
    for table in ("aliases", "stakeholders", "invitations", "latest_pairs"):
        assert await scorer.rows(table) == []
    entries = await scorer.rows("erasures")
    assert {row["subject"] for row in entries} == {SUBJECT("acme", MAIL), SUBJECT("acme", "C-17")}
    assert sorted(row["responses"] for row in entries) == [0, 2]
    assert await scorer.outcomes(said("r3", "C-17", 3, 3), with_ids("C-17", 4, MAIL)) == ["change", "change"]
    assert await scorer.rows("aliases") == []
    await scorer.take(said("r4", MAIL, 120, 9))
    assert (await people(scorer))["r4"] == (MAIL, None)


async def test_an_erasure_at_two_accounts_is_done_when_both_are(scorer: Writer) -> None:
    here = ErasedId(stakeholder_id="C-17", subject=SUBJECT("acme", "C-17"))
    there = ErasedId(account_id="bolt", stakeholder_id="b", subject=SUBJECT("bolt", "b"))
    await scorer.take(said("r1", "C-17", 1, 9), recorded("r2", "bolt", stakeholder_id="b"))
    first = erased("C-17", ids=(here, there))
    receipt_id = first.data.model_dump()["receipt_id"]
    assert await scorer.outcomes(first) == ["change"]
    assert [row["applied_at"] is None for row in await scorer.rows("erasures", account_id="bolt")] == [True]
    mirrored = (there.model_copy(update={"account_id": None}), here.model_copy(update={"account_id": "acme"}))
    second = erased("b", "bolt", receipt_id=receipt_id, ids=mirrored)
    assert await scorer.outcomes(second, second) == ["change", "repeat"]
    assert [row["applied_at"] is None for row in await scorer.rows("erasures")] == [False, False]
    assert [row["erased"] for row in await scorer.rows("responses")] == [True, True]
