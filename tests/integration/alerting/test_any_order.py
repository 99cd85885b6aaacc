"""For the same facts, read in any interleaving of topics, lag and batching, the same follow-ups are open in the end."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from random import Random

import pytest

from services.alerting.consumer import handlers
from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.default_rules import DEFAULT_RULES
from services.alerting.domain.people import Answer
from services.alerting.domain.series import series_by_key
from services.alerting.handlers.evaluation import EvaluationRequest, evaluate
from services.scorer.domain.answer_changes import pair_at
from shared.erasure import subject_by
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.ids import uuid7
from shared.topics import INVITATION_BOUNCED
from shared.verdicts import Received
from tests.integration.alerting.cases import MONDAY, TOPIC_OF, Case
from tests.integration.alerting.histories import History
from tests.integration.alerting.reference import Open, expected
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment

IN_ORDER = ("score-events", "account-scores")
TOPICS = ("responses", "directory", "invitations", "context-events", "account-scores", "score-events")
NOT_OF_ONE_ACCOUNT = {"segment_drop"}


def first_seeds() -> dict[str, int]:
    """Of each kind the first seed whose history ends with it open."""
    first: dict[str, int] = {}
    for seed in range(100):
        for found in expected(History.of(Case("kinds"), seed, lambda *_: "nobody")):
            first.setdefault(found.kind, seed)
    return first


FIRST_SEEDS = first_seeds()


@pytest.fixture(scope="module")
async def module_alerting(module_environment: Environment) -> AsyncIterator[RunningAlerting]:
    async with running_alerting(module_environment) as running:
        yield running


def orders(events: Sequence[Event], seed: int) -> Iterator[tuple[str, list[list[Event]]]]:
    """As it happened; in one batch; at random; and each topic held back in turn. Each as batches of random sizes."""
    yield "one by one", [[event] for event in events]
    yield "in one batch", [list(events)]
    yield "at random", batches(shuffled(events, Random(seed)), Random(seed))
    yield "at random again", batches(shuffled(events, Random(seed + 1)), Random(seed + 1))
    for topic in TOPICS:
        early = [event for event in events if TOPIC_OF[event.name].name != topic]
        late = [event for event in events if TOPIC_OF[event.name].name == topic]
        yield f"{topic} held back", batches([*shuffled(early, Random(seed)), *late], Random(seed))


def shuffled(events: Sequence[Event], random: Random) -> list[Event]:
    """In any order, but what the scorer tells in order stays so."""
    places = {id(event): random.random() for event in events}
    for topic in IN_ORDER:
        ordered = [event for event in events if TOPIC_OF[event.name].name == topic]
        for event, place in zip(ordered, sorted(places[id(event)] for event in ordered), strict=True):
            places[id(event)] = place
    return sorted(events, key=lambda event: places[id(event)])


def batches(events: Sequence[Event], random: Random) -> list[list[Event]]:
    cut: list[list[Event]] = [[]]
    for event in events:
        if random.random() < 0.2:
            cut.append([])
        cut[-1].append(event)
    return [batch for batch in cut if batch]


async def read(alerting: RunningAlerting, case: Case, batch: Sequence[Event]) -> None:
    """Hand a batch over as the consumer does: one transaction, records that follow each other to one handler."""
    table = handlers(alerting.app.state.service.resources)
    async with alerting.plumbing.database.write() as tx:
        for handler, group in groupby(batch, key=lambda event: table[event.name]):
            records = [Received(event, TOPIC_OF[event.name].name, 0, 0) for event in group]
            await handler(tx, records)


async def opened(alerting: RunningAlerting, case: Case) -> set[Open]:
    """What is open after the daily watch."""
    resources = alerting.app.state.service.resources
    async with alerting.plumbing.database.write() as tx:
        await evaluate(tx, resources, EvaluationRequest(renewing={case.account_id}))
    items = await alerting.items(case, state="open", limit=200)
    async with alerting.plumbing.database.read() as tx:
        rows = await tx.all("select follow_up_id, score from tasks where account_id = :a", a=case.account_id)
    scores = {str(row["follow_up_id"]): row["score"] for row in rows}
    return {
        Open(
            item["kind"],
            item["stakeholder_id"],
            item["severity"],
            item["occurrences"],
            tuple(item["reasons"]),
            scores[item["follow_up_id"]],
        )
        for item in items
    }


def bounced(case: Case) -> Event:
    """An invitation to Jane came back the day before."""
    at, event_id = MONDAY - timedelta(days=1), uuid7()
    fact = InvitationFact(
        event_id=event_id,
        account_id=case.account_id,
        stakeholder_id="jane",
        invitation_id="i1",
        kind="bounced",
        at=at,
        recorded_at=at,
    )
    return Event(event_id, INVITATION_BOUNCED, "/tests", at, case.account_id, fact)


async def test_what_one_topic_of_a_poll_begins_and_another_ends_is_never_there(
    module_alerting: RunningAlerting,
) -> None:
    """Rules are evaluated once a poll. Read in two polls, the same opens a follow-up and closes it."""
    together, apart = Case("one-poll"), Case("two-polls")
    await read(module_alerting, together, [bounced(together), together.response("r1", 8)])
    await read(module_alerting, apart, [bounced(apart)])
    await read(module_alerting, apart, [apart.response("r1", 8)])
    assert await module_alerting.items(together) == []
    assert [item["state"] for item in await module_alerting.items(apart)] == ["closed"]


@pytest.mark.parametrize("seed", sorted(set(FIRST_SEEDS.values())))
async def test_the_same_facts_in_any_order_end_in_the_same_open_follow_ups(
    module_alerting: RunningAlerting, seed: int
) -> None:
    subject = subject_by(module_alerting.environment.common.secret_key.get_secret_value())
    plan = History.of(Case("plan"), seed, subject)
    for number, (name, _) in enumerate(orders(plan.events, seed)):
        case = Case(f"any-{seed}-{number}")
        history = History.of(case, seed, subject)
        for batch in dict(orders(history.events, seed))[name]:
            await read(module_alerting, case, batch)
        assert await opened(module_alerting, case) == expected(history), name


def test_the_histories_together_open_every_kind_that_one_account_can_have() -> None:
    assert FIRST_SEEDS.keys() == {rule.kind for rule in DEFAULT_RULES} - NOT_OF_ONE_ACCOUNT


@pytest.mark.parametrize("seed", range(60))
def test_both_folds_of_answers_agree(seed: int) -> None:
    """Change and falls of each answer are the same to the scorer, which tells them, and here."""
    history = History.of(Case("folds"), seed, lambda *_: "nobody")
    for series in {entry.series for entry in history.answers.values()}:
        theirs = sorted(
            (entry for entry in history.answers.values() if entry.series == series), key=lambda entry: entry.order
        )
        live = [entry for entry in theirs if entry.live]
        answers = [
            StoredAnswer(answer, answer, entry.recorded_at)
            for entry in theirs
            for answer in [
                Answer(
                    account_id="folds",
                    response_id=entry.response_id,
                    stakeholder_id=series.stakeholder_id,
                    survey_type=series.survey_type,
                    score=entry.score,
                    answered_at=entry.answered_at,
                    nps_kind=series.nps_kind,
                    withdrawn=entry.withdrawn or entry.erased,
                )
            ]
        ]
        (in_series,) = series_by_key(answers).values() if live else ([],)
        for number, answer in enumerate(in_series, start=1):
            pair = pair_at(live, number)
            assert pair is not None
            assert (answer.change, answer.falls_in_a_row) == (pair.change(series.survey_type), pair.falls_in_a_row)
            assert answer.previous_score == (pair.previous.score if pair.previous else None)
