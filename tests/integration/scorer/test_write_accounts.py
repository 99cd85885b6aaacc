"""What is told of an account: its whole snapshot, its class, a drop, a silence; also when only time has passed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.scorer.store import dirty_accounts
from shared.events.envelope import Event
from shared.events.responses import ResponseRecorded
from shared.events.scores import (
    AccountClassChanged,
    AccountScoreChanged,
    AccountScoreDropped,
    AccountScoreRecovered,
    StakeholderWentSilent,
)
from shared.topics import (
    ACCOUNT_CLASS_CHANGED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_SCORE_DROPPED,
    ACCOUNT_SCORE_RECOVERED,
    STAKEHOLDER_WENT_SILENT,
)
from tests.integration.scorer.writing import Writer, account, invited, person, withdrawn, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import account_score
from tests.support.reference.world import Submission, World

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
async def scorer(environment: Environment, clock: FrozenClock) -> AsyncIterator[Writer]:
    async with writer(environment, clock) as ready:
        yield ready


def voice(name: str, score: int, days: float, **fields: Any) -> Event:
    """An answer of the person `name` some days before `NOW`, recorded when it was given."""
    moment = NOW - timedelta(days=days)
    values: dict[str, Any] = {"response_id": f"{name}-{days:g}", "answered_at": moment, "recorded_at": moment} | fields
    return recorded(stakeholder_id=name, score=score, **values)


def submission(answer: Event) -> Submission:
    """The answer as the reference takes it."""
    data = answer.data
    assert isinstance(data, ResponseRecorded)
    kept = {"response_id", "account_id", "stakeholder_id", "survey_type", "score", "answered_at"}
    return Submission(**data.model_dump(include=kept))


async def scores(scorer: Writer) -> list[AccountScoreChanged]:
    found = [event.data for event in await scorer.published(ACCOUNT_SCORE_CHANGED)]
    return [data for data in found if isinstance(data, AccountScoreChanged)]


async def later(scorer: Writer, clock: FrozenClock, by: timedelta) -> int:
    """Let time pass; returns of how many accounts it changed something."""
    clock.advance(by)
    projected = await scorer.job.project_once()
    await scorer.project()
    return projected


async def test_the_snapshot_holds_every_window_and_method_and_equals_a_plain_count(scorer: Writer) -> None:
    answers = [voice("ann", 9, 1), voice("ann", 3, 40), voice("bob", 7, 100), voice("eve", 6, 0), voice("dan", 10, 400)]
    await scorer.take(*answers, voice("tom", 0, 2, test=True), voice("sue", 0, 3), withdrawn("sue-3"))
    await scorer.project()
    [told] = await scores(scorer)
    world = World(submissions=tuple(submission(answer) for answer in answers))
    assert list(told.figures) == ["7d", "30d", "90d", "180d", "365d", "all"]
    for window, methods in told.figures.items():
        assert list(methods) == ["latest", "all"]
        for method, figures in methods.items():
            expected = account_score(world, "acme", window, method, NOW)
            known, asked = expected.pop("people")
            assert_same(figures, expected)
            assert (figures["coverage"]["known"], figures["coverage"]["asked"]) == (known, asked)
    [row] = await scorer.rows("snapshots")
    assert (row["account_class"], row["sequence"]) == (told.account_class, told.sequence)


async def test_a_score_is_told_again_only_where_another_was_told(scorer: Writer) -> None:
    await scorer.take(voice("ann", 9, 1))
    await scorer.project()
    for spoil, events in (("digest = digest", 1), ("digest = ''", 2)):
        async with scorer.database.write() as tx:
            await tx.execute(f"update snapshots set {spoil}")  # noqa: S608 - from above
            await dirty_accounts.mark(tx, {"acme": False}, NOW)
        await scorer.project()
        assert len(await scores(scorer)) == events
        [row] = await scorer.rows("snapshots")
        assert len(row["digest"]) == 16


async def test_the_snapshot_carries_the_directory_and_changes_with_it(scorer: Writer) -> None:
    await scorer.take(voice("ann", 9, 1))
    await scorer.project()
    await scorer.take(account(industry="logistics", tier="key", annual_revenue={"amount": "120.50", "currency": "EUR"}))
    await scorer.project()
    first, second = await scores(scorer)
    assert (first.industry, second.industry, second.tier) == (None, "logistics", "key")
    assert second.annual_revenue is not None
    assert (str(second.annual_revenue.amount), second.annual_revenue.currency) == ("120.50", "EUR")
    assert second.figures == first.figures


async def test_an_answer_that_ages_out_changes_the_score_when_nothing_arrives(
    scorer: Writer, clock: FrozenClock
) -> None:
    await scorer.take(voice("ann", 9, 6))
    await scorer.project()
    [row] = await scorer.rows("snapshots")
    assert row["recompute_at"] == NOW + DAY
    assert await later(scorer, clock, DAY - timedelta(microseconds=1)) == 0
    assert await later(scorer, clock, timedelta(microseconds=1)) == 1
    before, after = await scores(scorer)
    assert (before.figures["7d"]["latest"]["nps"], after.figures["7d"]["latest"]["nps"]) == (100, None)
    assert after.figures["30d"]["latest"]["nps"] == 100
    assert await later(scorer, clock, timedelta()) == 0


async def test_an_answer_given_ahead_enters_when_its_time_comes(scorer: Writer, clock: FrozenClock) -> None:
    ahead = recorded("r", answered_at=NOW + timedelta(minutes=4), survey_type="csat", score=5)
    await scorer.take(ahead, voice("bob", 9, -1 / 1440))
    await scorer.project()
    assert (await scores(scorer))[-1].figures["all"]["all"]["response_count"] == 0
    assert await later(scorer, clock, timedelta(minutes=1)) == 1
    assert (await scores(scorer))[-1].figures["all"]["all"]["response_count"] == 1
    assert (await scores(scorer))[-1].figures["all"]["all"]["coverage"]["known"] == 1
    assert await later(scorer, clock, timedelta(minutes=3)) == 1
    assert (await scores(scorer))[-1].figures["all"]["all"]["coverage"]["known"] == 2


async def drops(scorer: Writer) -> list[AccountScoreDropped]:
    found = [event.data for event in await scorer.published(ACCOUNT_SCORE_DROPPED)]
    return [data for data in found if isinstance(data, AccountScoreDropped)]


def falling(people: int, score_before: int, score_now: int) -> list[Event]:
    """So many people who gave one score in the 90 days before and another one now."""
    names = [f"p{number}" for number in range(people)]
    return [voice(name, score_before, 120) for name in names] + [voice(name, score_now, 2) for name in names]


async def test_a_fall_of_twenty_points_is_told_once(scorer: Writer) -> None:
    await scorer.take(*falling(5, 9, 9), voice("p0", 8, 1))
    await scorer.project()
    [drop] = await drops(scorer)
    assert (drop.nps, drop.previous_nps, drop.change, drop.response_count) == (80, 100, -20, 5)
    await scorer.take(voice("p1", 8, 0.5))
    await scorer.project()
    assert len(await drops(scorer)) == 1


async def test_that_a_fall_is_over_is_told_also_when_a_quiet_import_ends_it(scorer: Writer) -> None:
    await scorer.take(*falling(5, 9, 9), voice("p0", 6, 1))
    await scorer.project()
    await scorer.take(voice("p0", 10, 0.5, quiet=True))
    await scorer.project()
    await scorer.project()
    [recovered] = await scorer.published(ACCOUNT_SCORE_RECOVERED)
    [dropped] = await drops(scorer)
    assert isinstance(recovered.data, AccountScoreRecovered)
    assert (recovered.data.nps, recovered.data.change) == (100, 0)
    assert recovered.data.sequence > dropped.sequence


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([*falling(4, 9, 0)], id="four voices"),
        pytest.param([*falling(6, 9, 9), voice("p0", 8, 1)], id="less than twenty points"),
        pytest.param([voice(f"p{n}", 0, 2) for n in range(9)], id="nothing before"),
    ],
)
async def test_less_than_that_is_no_drop(scorer: Writer, answers: list[Event]) -> None:
    await scorer.take(*answers)
    await scorer.project()
    assert await drops(scorer) == []


async def test_a_drop_is_told_again_only_after_a_day_without_it(scorer: Writer, clock: FrozenClock) -> None:
    await scorer.take(*falling(5, 9, 8))
    await scorer.project()
    assert len(await drops(scorer)) == 1
    for hours, expected in ((1, 1), (30, 2)):
        await scorer.take(*[recorded(f"up{hours}{n}", stakeholder_id=f"p{n}", score=10) for n in range(5)])
        await scorer.project()
        clock.advance(timedelta(hours=hours))
        await scorer.take(*[withdrawn(f"up{hours}{n}") for n in range(5)])
        await scorer.project()
        assert len(await drops(scorer)) == expected


async def test_promoters_that_age_out_are_a_drop_too(scorer: Writer, clock: FrozenClock) -> None:
    await scorer.take(*[voice(f"p{n}", 10, 89) for n in range(5)], *[voice(f"d{n}", 0, 10) for n in range(5)])
    await scorer.project()
    assert await drops(scorer) == []
    await later(scorer, clock, DAY)
    [drop] = await drops(scorer)
    assert (drop.previous_nps, drop.nps) == (100, -100)


async def test_a_quiet_import_tells_the_score_but_neither_drop_nor_class(scorer: Writer) -> None:
    await scorer.take(account(), person("p0"))
    await scorer.project()
    quiet = [
        recorded(f"q{n}{days}", stakeholder_id=f"p{n}", score=score, answered_at=NOW - days * DAY, quiet=True)
        for n in range(5)
        for days, score in ((120, 9), (2, 0))
    ]
    await scorer.take(*quiet)
    await scorer.project()
    assert (await scores(scorer))[-1].account_class == "at_risk"
    assert await drops(scorer) == []
    assert await scorer.published(ACCOUNT_CLASS_CHANGED) == []


async def test_a_class_that_changes_is_told_with_its_numbers(scorer: Writer) -> None:
    await scorer.take(account(), voice("ann", 9, 1), voice("bob", 9, 1))
    await scorer.project()
    assert await scorer.published(ACCOUNT_CLASS_CHANGED) == []
    await scorer.take(voice("ann", 6, 0))
    await scorer.project()
    await scorer.take(voice("bob", 6, 0))
    await scorer.project()
    found = [event.data for event in await scorer.published(ACCOUNT_CLASS_CHANGED)]
    told = [data for data in found if isinstance(data, AccountClassChanged)]
    assert [(data.old, data.new) for data in told] == [("ambassador", "divided"), ("divided", "at_risk")]
    assert told[-1].numbers["detractors"] == 2


async def test_a_new_role_changes_the_class_where_somebody_was_heard_lately(scorer: Writer) -> None:
    await scorer.take(*[voice(f"p{n}", 8, 1) for n in range(4)], voice("boss", 5, 1))
    await scorer.take(voice("old", 5, 1, account_id="quiet", quiet=True), voice("top", 9, 1, account_id="quiet"))
    await scorer.project()
    assert await scorer.published(ACCOUNT_CLASS_CHANGED) == []
    await scorer.take(person("boss", type="decision_maker"))
    await scorer.project()
    [event] = await scorer.published(ACCOUNT_CLASS_CHANGED)
    assert isinstance(event.data, AccountClassChanged)
    assert (event.data.old, event.data.new) == ("steady", "at_risk")


async def silences(scorer: Writer) -> list[StakeholderWentSilent]:
    found = [event.data for event in await scorer.published(STAKEHOLDER_WENT_SILENT)]
    return [data for data in found if isinstance(data, StakeholderWentSilent)]


async def test_who_was_asked_and_never_answers_goes_silent_once(scorer: Writer, clock: FrozenClock) -> None:
    await scorer.take(invited("sent", "i1", NOW), invited("opened", "i1", NOW + timedelta(hours=1)))
    await scorer.take(invited("sent", "i2", NOW, stakeholder_id="boss"), person("boss", type="decision_maker"))
    await scorer.take(invited("sent", "i3", NOW, stakeholder_id="bob"))
    await scorer.project()
    await later(scorer, clock, 14 * DAY)
    [first] = await silences(scorer)
    assert (first.stakeholder_id, first.days, first.furthest) == ("boss", 14, "sent")
    assert first.stakeholder_type == "decision_maker"
    answer = recorded("r", stakeholder_id="bob", answered_at=NOW + 15 * DAY, recorded_at=NOW + 15 * DAY)
    await scorer.take(answer)
    await later(scorer, clock, 7 * DAY)
    assert [(silence.stakeholder_id, silence.furthest) for silence in (await silences(scorer))[1:]] == [
        ("ann", "opened")
    ]
    await later(scorer, clock, 30 * DAY)
    assert len(await silences(scorer)) == 2


async def test_invitations_taken_in_long_after_they_were_sent_raise_nothing(scorer: Writer, clock: FrozenClock) -> None:
    await scorer.take(invited("sent", "i1", NOW - 60 * DAY, recorded_at=NOW))
    await scorer.project()
    assert await silences(scorer) == []
    assert (await scores(scorer))[-1].account_class == "silent"


async def test_invitation_facts_count_once_in_any_order(scorer: Writer) -> None:
    sent, opened = invited("sent", "i1", NOW - DAY), invited("opened", "i1", NOW)
    assert await scorer.outcomes(opened, sent, opened) == ["new", "new", "repeat"]
    assert await scorer.outcomes(sent, invited("opened", "i1", NOW + DAY)) == ["repeat", "repeat"]
    [row] = await scorer.rows("invitations")
    assert (row["sent_at"], row["opened_at"]) == (NOW - DAY, NOW)
    await scorer.take(recorded("r", invitation_id="i1", comment="fine"))
    await scorer.project()
    figures = (await scores(scorer))[-1].figures["30d"]["latest"]
    assert (figures["sent_count"], figures["response_rate"], figures["comment_rate"]) == (1, 1, 1)
