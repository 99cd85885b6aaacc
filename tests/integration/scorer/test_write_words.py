"""Words of old answers are forgotten, everywhere and in pieces; figures are as if they had been amended away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.scorer.handlers import words
from services.scorer.handlers.erasure import Erasure
from services.scorer.handlers.pending import Pending
from services.scorer.handlers.responses import ResponseFold
from services.scorer.jobs import WordKeeper
from shared.db.erasures import Journal
from shared.events.envelope import Event
from shared.events.files import Origin
from shared.events.posted import posted
from shared.events.responses import Answer
from shared.words import KEPT_FOR_EVER, WordRetention
from tests.integration.scorer.copying import copy_from_now
from tests.integration.scorer.reading import Reader
from tests.integration.scorer.writing import SUBJECT, Writer, amended, invited, writer
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.files import row

DAY = timedelta(days=1)
A_YEAR = WordRetention(365)
OLD, YOUNG = NOW - 366 * DAY, NOW - 364 * DAY
SENT = ("account_id", "stakeholder_id", "survey_type", "score", "comment", "answers")
RATING = Answer(question_id="speed", type="rating", value=4)
CHOICE = Answer(question_id="why", type="choice", value="price")
TEXT = Answer(question_id="more", type="text", value="Call me")


def answer(response_id: str, account_id: str, at: Any = OLD, **fields: Any) -> Event:
    """An answer with a comment, a rating, a choice and a text."""
    values = {"comment": "Late again", "answers": (RATING, CHOICE, TEXT), "sent": SENT} | fields
    return recorded(response_id, account_id, answered_at=at, recorded_at=at, **values)


@pytest.fixture
def keeping(rows: Writer, reader: Reader) -> Writer:
    """The writing side where words are kept for a year."""
    erasure = Erasure(reader.clock, Journal(SUBJECT))
    return replace(rows, fold=ResponseFold(reader.clock, erasure, Pending(), A_YEAR))


async def forget(scorer: Writer, retention: WordRetention = A_YEAR) -> None:
    """What is done once an hour, and what follows from it."""
    await WordKeeper(scorer.database, scorer.clock, retention).look_once()
    await scorer.project()


async def written(scorer: Writer, account_id: str) -> list[tuple[Any, ...]]:
    """Of each response the comment and the answers."""
    found = []
    for response in await scorer.rows("responses", account_id=account_id):
        answers: dict[str, Any] = {}
        for entry in await scorer.rows("response_answers", response_id=response["response_id"]):
            answers[entry["question_id"]] = entry["value_text"] or entry["value_number"]
        found.append((response["response_id"], response["comment"], answers))
    return found


async def anything_said(
    scorer: Writer, tables: Sequence[str] = ("responses", "response_answers", "response_changes")
) -> bool:
    """Whether any row holds one of the words of these tests."""
    texts = [str(line) for table in tables for line in await scorer.rows(table)]
    return any(word in text for text in texts for word in ("Late again", "Call me", "Even later"))


async def test_words_older_than_the_days_go_and_numbers_choices_and_younger_words_stay(keeping: Writer) -> None:
    await keeping.take(answer("words-1", "words"), answer("words-2", "words", YOUNG))
    await forget(keeping)
    assert await written(keeping, "words") == [
        ("words-1", None, {"speed": 4, "why": "price", "more": None}),
        ("words-2", "Late again", {"speed": 4, "why": "price", "more": "Call me"}),
    ]


async def test_what_was_said_first_and_what_was_changed_since_goes_as_well(
    environment: Environment, reader: Reader
) -> None:
    async with writer(environment, reader.clock) as scorer:
        await scorer.take(answer("w1", "first"), amended("w1", {"comment": "Even later", "score": 2}, "first"))
        await scorer.take(amended("w1", {"comment": None, "answers": None}, "first"))
        assert await anything_said(scorer), "nobody sees it, and it is there"
        await forget(scorer)
        assert not await anything_said(scorer)
        [response] = await scorer.rows("responses")
        assert (response["score"], response["base"]["score"]) == (2, 9)
        before = await scorer.state()
        await forget(scorer)
        assert await scorer.state() == before, "there is nothing more to do"


async def counted(scorer: Writer, account_id: str) -> list[dict[str, Any]]:
    """The kept counts of an account, without its name."""
    found = [row | {"account_id": ""} for row in await scorer.rows("account_counts", account_id=account_id)]
    return sorted(found, key=str)


async def test_scores_stay_and_what_is_counted_of_comments_is_as_after_an_amendment(
    reader: Reader, rows: Writer
) -> None:
    for name in ("forgotten", "amended"):
        await rows.take(
            invited("sent", f"{name}-i", OLD - DAY, name), answer(f"{name}-r", name, invitation_id=f"{name}-i")
        )
    await rows.project()
    assert {count["commented"] for count in await counted(rows, "forgotten")} >= {1}
    scores = await reader.body("/v1/accounts/forgotten/score", window="all")
    await rows.take(amended("amended-r", {"comment": None}, "amended"))
    await forget(rows)
    forgotten, changed = [
        await reader.body(f"/v1/accounts/{name}/score", window="all") for name in ("forgotten", "amended")
    ]
    assert (scores["comment_rate"], forgotten["comment_rate"], changed["comment_rate"]) == (1, 0, 0)
    assert forgotten == scores | {"comment_rate": 0}
    found = await counted(rows, "forgotten")
    assert found == await counted(rows, "amended")
    assert {count["commented"] for count in found} <= {0, None}
    assert await rows.check.check_once() == 0


async def test_who_keeps_a_copy_is_told(reader: Reader, rows: Writer) -> None:
    await rows.take(answer("copied-1", "copied"))
    copy = await copy_from_now(reader, account_id="copied")
    await forget(rows)
    [item] = await copy.caught_up()
    assert (item["response_id"], item["comment"], item["score"]) == ("copied-1", None, 9)


async def test_the_same_answer_once_more_is_a_repeat_and_brings_no_words_back(keeping: Writer) -> None:
    first = answer("again-1", "again")
    await keeping.take(first)
    await forget(keeping)
    assert await keeping.outcomes(first) == ["repeat"]
    assert await keeping.outcomes(answer("again-1", "again", score=3)) == ["conflict"]
    assert await written(keeping, "again") == [("again-1", None, {"speed": 4, "why": "price", "more": None})]


async def test_a_file_that_comes_again_brings_no_words_back(keeping: Writer) -> None:
    fields: dict[str, Any] = {"answered_at": OLD, "recorded_at": OLD, "comment": "Late again"}
    await keeping.take(row(Origin(uuid4(), 2, "upsert", OLD), "filed-1", "filed", **fields))
    await forget(keeping)
    again = row(Origin(uuid4(), 2, "upsert", NOW), "filed-1", "filed", **fields)
    assert await keeping.outcomes(again) == ["repeat"]
    [response] = await keeping.rows("responses", account_id="filed")
    assert (response["comment"], response["revision"]) == (None, 1)


async def test_what_a_browser_changed_counts_on_although_nobody_can_compare_it_any_more(keeping: Writer) -> None:
    first = answer("bound-1", "bound")
    rated = [{"question_id": "speed", "type": "rating", "value": 1}]
    bound = amended("bound-1", {"answers": rated}, "bound", posted=posted(vars(first.data)))
    await keeping.take(first, bound)
    await forget(keeping)
    await keeping.take(amended("bound-1", {"touchpoint": "support"}, "bound", recorded_at=NOW + timedelta(minutes=9)))
    assert await written(keeping, "bound") == [("bound-1", None, {"speed": 1})]


async def test_pieces_follow_each_other_until_nothing_is_left(
    environment: Environment, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "AT_ONCE", 2)
    async with writer(environment, reader.clock) as scorer:
        await scorer.take(*(answer(f"w{number}", f"piece{number % 3}") for number in range(7)))
        await forget(scorer, KEPT_FOR_EVER)
        assert await anything_said(scorer), "without days nothing goes"
        await forget(scorer)
        assert not await anything_said(scorer)
