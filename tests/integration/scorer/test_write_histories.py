"""Random histories through the handlers and the projector, held against a plain recomputation."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.scorer.store import known_accounts
from shared.events.envelope import Event
from shared.events.responses import ResponseAmended
from shared.topics import ACCOUNT_SCORE_CHANGED
from tests.integration.scorer.plain import Plain, change_of, check_row, listen, pairs_of, responses_of, world_of
from tests.integration.scorer.writing import TABLES, Writer, amended, erased, withdrawn, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW, recorded
from tests.support.examples import examples
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import account_class, account_score

MICROSECOND = timedelta(microseconds=1)
LATER = NOW + timedelta(hours=2)
IDS = [f"r{number}" for number in range(4)]
ACCOUNTS = ["acme", "other"]
PEOPLE = ["ann", "bob"]
WINDOWS = ("7d", "30d", "90d", "180d", "365d", "all")
SENT = ("account_id", "stakeholder_id", "survey_type", "score", "answered_at", "comment", "test")

given_ago = st.sampled_from([timedelta(0), *(timedelta(days=days) for days in (1, 8, 31, 200))])
recorded_after = st.integers(0, 4).map(lambda quarters: NOW + timedelta(minutes=15 * quarters))


@st.composite
def answers(draw: st.DrawFn) -> Event:
    survey_type = draw(st.sampled_from(["nps", "nps", "nps", "csat"]))
    return recorded(
        draw(st.sampled_from(IDS)),
        draw(st.sampled_from(ACCOUNTS)),
        stakeholder_id=draw(st.sampled_from(PEOPLE)),
        survey_type=survey_type,
        score=draw(st.integers(0, 10) if survey_type == "nps" else st.integers(1, 5)),
        answered_at=NOW - draw(given_ago),
        recorded_at=draw(recorded_after),
        nps_kind=draw(st.sampled_from(["relationship", "relationship", "transactional"])),
        comment=draw(st.sampled_from([None, "fine"])),
        test=draw(st.sampled_from([False, False, False, True])),
        quiet=draw(st.sampled_from([False, False, True])),
        sent=SENT,
    )


@st.composite
def amendments(draw: st.DrawFn) -> Event:
    response_id = draw(st.sampled_from(IDS))
    changes = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "score": st.integers(1, 10),
                "comment": st.sampled_from([None, "changed"]),
                "touchpoint": st.sampled_from([None, "support"]),
                "follow_up_requested": st.booleans(),
                "test": st.sampled_from([None, False, True]),
            },
        )
    )
    # An event id may come again with other content, as with an Idempotency-Key used twice. One that is refused in
    # itself would make the ids' fate depend on the order of arrival, so those that a csat cannot take stand alone.
    score = changes.get("score", 1)
    fits_everywhere = isinstance(score, int) and score <= 5
    number = draw(st.just(1) | st.integers(1, 3)) if fits_everywhere else draw(st.integers(1000, 10**9))
    return amended(
        response_id,
        changes,
        draw(st.sampled_from(ACCOUNTS)) if not fits_everywhere else "acme",
        event_id=UUID(int=number * 100 + IDS.index(response_id)),
        recorded_at=draw(recorded_after),
    )


withdrawals = st.builds(
    lambda response_id, account_id, at, number: withdrawn(
        response_id,
        account_id,
        recorded_at=at,
        # One id for one thing that is withdrawn, as the collector makes them.
        event_id=UUID(int=10**13 + number * 100 + 10 * ACCOUNTS.index(account_id) + IDS.index(response_id)),
    ),
    st.sampled_from(IDS),
    st.sampled_from(ACCOUNTS),
    recorded_after,
    st.integers(0, 10**9),
)
erasures = st.builds(
    lambda person, account_id, at: erased(person, account_id, erased_at=at),
    st.sampled_from(PEOPLE),
    st.sampled_from(ACCOUNTS),
    recorded_after,
)


def apart(events: Sequence[Event]) -> list[Event]:
    """No two amendments recorded at the very same moment: which of two equal event ids was first recorded must not
    depend on their content."""
    return [
        replace(
            event, data=event.data.model_copy(update={"recorded_at": event.data.recorded_at + number * MICROSECOND})
        )
        if isinstance(event.data, ResponseAmended)
        else event
        for number, event in enumerate(events)
    ]


histories = st.lists(
    st.one_of(
        answers(),
        answers(),
        answers(),
        amendments(),
        amendments(),
        withdrawals,
        st.one_of(erasures, answers(), amendments(), amendments()),
    ),
    min_size=16,
    max_size=40,
).map(apart)


@pytest.fixture(scope="module")
async def scorer(module_environment: Environment) -> AsyncIterator[Writer]:
    async with writer(module_environment, FrozenClock(LATER)) as ready:
        yield ready


async def play(scorer: Writer, events: Sequence[Event], seed: int) -> int:
    """Hand the events over in batches of random size, some twice, projecting now and then; returns how many were
    new."""
    async with scorer.database.write() as tx:
        await tx.execute(f"truncate {', '.join(TABLES)}, dirty_accounts, outbox, inbox, dropped_responses, parked")
    dice = random.Random(seed)
    position = new = 0
    while position < len(events):
        size = dice.randint(1, 6)
        batch = events[position : position + size]
        for _ in range(dice.choice((1, 1, 2))):
            new += (await scorer.outcomes(*batch)).count("new")
        if dice.random() < 0.5:
            await scorer.project()
        position += size
    await scorer.project()
    return new


@pytest.mark.slow
@pytest.mark.timeout(600)  # a failure takes its time to shrink
@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories, seed=st.integers(0, 10**6))
async def test_any_history_ends_as_a_plain_recomputation_says(scorer: Writer, events: list[Event], seed: int) -> None:
    new = await play(scorer, events, seed)
    expected = responses_of(events)
    rows = {row["response_id"]: row for row in await scorer.rows("responses")}
    assert new == len(rows)
    assert not rows.keys() & {row["response_id"] for row in await scorer.rows("pending_changes")}
    assert {name for name, response in expected.items() if not response.erased} <= rows.keys() <= expected.keys()
    for name, response in expected.items():
        if name in rows:
            check_row(rows[name], response)
    await check_figures(scorer, expected)
    await check_pairs(scorer, expected)
    assert await scorer.check.check_once() == 0
    await check_rebuild(scorer)


async def check_figures(scorer: Writer, expected: dict[str, Plain]) -> None:
    world = world_of(expected)
    told = {event.account_id: event.data.figures for event in await scorer.published(ACCOUNT_SCORE_CHANGED)}  # type: ignore[attr-defined]
    for row in await scorer.rows("snapshots"):
        for window in WINDOWS:
            for method in ("latest", "all"):
                figures = account_score(world, row["account_id"], window, method, LATER)
                known, asked = figures.pop("people")
                actual = told[row["account_id"]][window][method]
                assert_same(actual, figures)
                assert (actual["coverage"]["known"], actual["coverage"]["asked"]) == (known, asked)
        assert row["account_class"] == account_class(world, row["account_id"], LATER)
    assert {row["account_id"] for row in await scorer.rows("snapshots")} >= set(world.account_ids())


async def check_pairs(scorer: Writer, expected: dict[str, Plain]) -> None:
    """The stored pairs are right, and whoever has only followed the events knows the same of all that is fresh."""
    stored = {
        (row["account_id"], row["stakeholder_id"], row["survey_type"], row["nps_kind"]): (
            (row["response_id"], row["answered_at"], row["score"]),
            (row["previous_response_id"], row["previous_answered_at"], row["previous_score"]),
        )
        for row in await scorer.rows("latest_pairs")
    }
    pairs = pairs_of(expected)
    nothing: tuple[None, None, None] = (None, None, None)
    assert stored == {
        key: (pair[0].reference(), pair[1].reference() if len(pair) > 1 else nothing) for key, pair in pairs.items()
    }
    outgoing = await scorer.published()
    assert len({event.id for event in outgoing}) == len(outgoing)
    heard = listen(outgoing)
    for key, pair in pairs.items():
        if pair[0].fresh:
            assert heard[key] == (stored[key][0], stored[key][1], change_of(pair))


async def check_rebuild(scorer: Writer) -> None:
    """A rebuild finds nothing to do; after damage it brings everything back and tells the scores alone."""
    state, before = await scorer.state(), len(await scorer.published())
    assert await rebuild(scorer) == 0
    assert await scorer.state() == state
    async with scorer.database.write() as tx:
        await tx.execute("update responses set score = 0 where base ? 'score' and not erased")
        await tx.execute("update responses set withdrawn = not withdrawn where not erased")
        await tx.execute("""update snapshots set digest = '?', account_class = 'unknown'""")
        await tx.execute("delete from latest_pairs")
    assert await rebuild(scorer) == len(state["snapshots"])
    assert await scorer.state() == state
    assert {event.name for event in (await scorer.published())[before:]} <= {ACCOUNT_SCORE_CHANGED}


async def rebuild(scorer: Writer) -> int:
    async with scorer.database.read() as tx:
        accounts = await known_accounts.accounts_after(tx, "", 100)
    return await scorer.projector.rebuild(accounts)
