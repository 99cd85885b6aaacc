"""Files, calls and undoings, cut into batches anyhow, end where plain rules say, in scorer and alerting."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from random import Random
from typing import Any

import pytest

from services.alerting.consumer import handlers
from services.scorer.store.import_rows import counts_of
from shared.events.envelope import Event
from shared.verdicts import Received
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.integration.scorer.writing import Writer, person, writer
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.events import NOW
from tests.support.examples import examples
from tests.support.files import ANNS_OTHER_ID, FIELDS, Model, history

KEPT = ("score", "comment", "touchpoint", "follow_up_requested")
"""What alerting keeps of the fields that the files change."""


@pytest.fixture(scope="module")
async def module_alerting(module_environment: Environment) -> AsyncIterator[RunningAlerting]:
    async with running_alerting(module_environment) as running:
        yield running


@pytest.fixture(scope="module")
async def scorer(module_environment: Environment) -> AsyncIterator[Writer]:
    async with writer(module_environment, FrozenClock(NOW)) as opened:
        yield opened


def batches(events: Sequence[Event], random: Random) -> list[list[Event]]:
    cut: list[list[Event]] = [[]]
    for event in events:
        if random.random() < 0.3:
            cut.append([])
        cut[-1].append(event)
    return [batch for batch in cut if batch]


async def read(alerting: RunningAlerting, batch: Sequence[Event]) -> None:
    table = handlers(alerting.app.state.service.resources)
    async with alerting.plumbing.database.write() as tx:
        for handler, group in groupby(batch, key=lambda event: table[event.name]):
            await handler(tx, [Received(event, "responses", 0, 0) for event in group])


async def in_scorer(scorer: Writer, account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in await scorer.rows("responses", account_id=account_id):
        found[row["response_id"]] = None if row["withdrawn"] else {name: row[name] for name in FIELDS}
    return found


async def in_alerting(alerting: RunningAlerting, account_id: str) -> dict[str, Any]:
    async with alerting.plumbing.database.read() as tx:
        rows = await tx.all("select * from responses where account_id = :id", id=account_id)
    found: dict[str, Any] = {}
    for row in rows:
        found[row["response_id"]] = None if row["withdrawn"] else {name: row[name] for name in KEPT}
    return found


@pytest.mark.parametrize("seed", range(examples(60)))
async def test_files_calls_and_undoings_end_where_plain_rules_say(
    scorer: Writer, module_alerting: RunningAlerting, seed: int
) -> None:
    account_id = f"files-{seed}"
    log = history(seed, account_id)
    model = Model()
    for event, origin in log:
        model.read(event, origin)
    known = person("ann", account_id, aliases=(ANNS_OTHER_ID,))
    await scorer.take(known)
    await read(module_alerting, [known])
    events = [event for event, _ in log]
    offset = 0
    for batch in batches(events, Random(seed)):
        await scorer.take(*batch, first_offset=offset)
        offset += len(batch)
    for batch in batches(events, Random(seed + 1)):
        await read(module_alerting, batch)
    expected = model.state()
    assert await in_scorer(scorer, account_id) == expected
    kept = {name: values and {field: values[field] for field in KEPT} for name, values in expected.items()}
    assert await in_alerting(module_alerting, account_id) == kept
    async with scorer.database.read() as tx:
        for import_id, outcomes in model.outcomes.items():
            counted = Counter(await counts_of(tx, import_id))
            assert counted == outcomes, "each row of a file is counted once"
    await scorer.project()
    assert await scorer.check.check_once() == 0
