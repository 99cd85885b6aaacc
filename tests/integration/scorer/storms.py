"""Scorers as real processes that come, go and die while events pour in, and the check of what is left in the end."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx

from services.cli.embedded.process import free_port
from services.cli.reconcile import read_lines
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.erasure import subject_by
from shared.events.envelope import Event
from shared.events.responses import ResponseAmended
from shared.events.scores import StakeholderAnswered
from shared.topics import ACCOUNT_SCORES, SCORE_EVENTS
from tests.chaos.parts import Part, passing, service_part
from tests.integration.scorer.disturbances import STRANGER, disturbed
from tests.integration.scorer.pipeline import publish, published, read_until
from tests.integration.scorer.plain import Plain, Series, change_of, check_row, listen, pairs_of, responses_of, world_of
from tests.integration.scorer.writing import Writer, writer
from tests.support.environment import Environment
from tests.support.http import api_key, bearer
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import account_score

WINDOWS, METHODS, AGO = ("30d", "90d", "all"), ("latest", "all"), (0, 20, 150)
SETTINGS = {"TELLBACK_CONSUMER_SESSION_TIMEOUT_MS": "6000"}
"""The dead are missed after 6 s, the least that a broker takes."""
SETTLE_SECONDS = 90.0


class Scorers:
    """The scorers of one environment; ended in good order when the block ends."""

    def __init__(self, environment: Environment, logs: Path) -> None:
        self.running: list[Part] = []
        self.urls: dict[str, str] = {}
        self._variables = environment.variables() | SETTINGS
        self._logs = logs
        self._numbers = count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(self.stop(part) for part in list(self.running)))

    def start(self) -> Part:
        """One more; nobody waits for it."""
        name, port = f"scorer-{next(self._numbers)}", free_port()
        part = service_part("scorer", port, self._variables, self._logs, name)
        part.start()
        self.running.append(part)
        self.urls[name] = f"http://127.0.0.1:{port}"
        return part

    async def stop(self, part: Part) -> None:
        """SIGTERM, and wait until it has ended. It must not have ended by itself."""
        self.running.remove(part)
        assert part.running, part.log()[-3000:]
        await asyncio.to_thread(part.stop)

    def kill(self, part: Part) -> None:
        """SIGKILL."""
        self.running.remove(part)
        assert part.running, part.log()[-3000:]
        part.kill()

    async def come_and_go(self, seconds: float, every: float, seed: int, most: int = 3) -> int:
        """Start or stop one every so many seconds, also one that is still starting; returns how often. One that serves
        is left, as whoever replaces replicas sees to: on a busy machine the next takes longer to start than that."""
        dice, moves = random.Random(seed), 0
        until = asyncio.get_running_loop().time() + seconds
        leaving: list[asyncio.Task[None]] = []
        while asyncio.get_running_loop().time() < until:
            serving = [part for part in self.running if await part.serves()]
            may_leave = self.running if len(serving) > 1 else [part for part in self.running if part not in serving]
            if not may_leave or (len(self.running) < most and dice.random() < 0.5):
                self.start()
            else:
                leaving.append(asyncio.create_task(self.stop(dice.choice(may_leave))))
            moves += 1
            await passing(every)
        await asyncio.gather(*leaving)
        return moves


class Story:
    """A disturbed history of an environment, and what must stand when all of it was read."""

    def __init__(self, environment: Environment, accounts: int, seed: int) -> None:
        self.environment = environment
        self.moment = datetime.now(UTC).replace(microsecond=0)
        self.accounts = [f"account-{number}" for number in range(accounts)]
        subject = subject_by(environment.common.secret_key.get_secret_value())
        self.events = disturbed(self.moment, self.accounts, subject, seed)
        self.poured = 0

    async def pour(self, seconds: float, events: Sequence[Event] | None = None) -> None:
        """Publish the events, all by default, evenly over so many seconds."""
        events = self.events if events is None else events
        size = max(1, round(len(events) / (seconds * 4)))
        for start in range(0, len(events), size):
            await publish(self.environment, events[start : start + size])
            self.poured += len(events[start : start + size])
            await passing(0.25)

    async def check(self, database: Database, url: str) -> None:
        """Everything that was poured has been read, and rows, figures, pairs, events and counts are those that a plain
        recomputation of the whole history has; `url` is a running scorer's."""
        await self.check_state(database, url)
        expected = responses_of(self.events)
        async with writer(self.environment, SystemClock()) as rows:
            await _check_told(self.environment, rows, expected, self._may_return())

    async def check_state(self, database: Database, url: str) -> None:
        """The state without the events that went out."""
        await read_until(database, self.poured, SETTLE_SECONDS)
        expected = responses_of(self.events)
        async with writer(self.environment, SystemClock()) as rows:
            stored = await _check_rows(rows, expected)
            await _check_pairs(rows, expected)
            assert await rows.check.check_once() == 0
        await self._check_figures(url, expected)
        lines = await check_books(self.environment)
        assert sum(line.read for line in lines) == self.poured
        assert sum(line.outcomes["new"] for line in lines) == stored

    def _may_return(self) -> set[str]:
        """The answers that were called tests after they had been told: told again once they are none after all."""
        amended = [event.data for event in self.events if isinstance(event.data, ResponseAmended)]
        return {amendment.response_id for amendment in amended if amendment.changes.get("test")}

    async def _check_figures(self, url: str, expected: Mapping[str, Plain]) -> None:
        world = world_of(dict(expected))
        headers = bearer(await api_key(self.environment, ["read"]))
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as api:
            for account_id in self.accounts[:5]:
                for ago in AGO:
                    as_of = self.moment - timedelta(days=ago)
                    for window in WINDOWS:
                        for method in METHODS:
                            asked = {"window": window, "method": method, "as_of": as_of.isoformat()}
                            answer = await api.get(f"/v1/accounts/{account_id}/score", params=asked)
                            figures = account_score(world, account_id, window, method, as_of)
                            known, invited = figures.pop("people")
                            actual = answer.raise_for_status().json()
                            assert (actual["coverage"]["known"], actual["coverage"]["asked"]) == (known, invited)
                            assert_same(actual, _as_json(figures), f"{account_id} {asked} ")
            assert (await api.get(f"/v1/accounts/{STRANGER}/score")).status_code == 404


async def check_books(environment: Environment) -> list[Any]:
    """In every partition records read = the sum of their outcomes, and new = rows stored, as `tellback reconcile`
    says it: the cursor is never ahead of the data. Returns the lines of `responses`."""
    lines = await read_lines(environment.common, ["scorer"])
    assert [line for line in lines if line.faults] == []
    return [line for line in lines if line.topic == "responses"]


async def _check_rows(rows: Writer, expected: Mapping[str, Plain]) -> int:
    stored = {row["response_id"]: row for row in await rows.rows("responses")}
    assert {name for name, response in expected.items() if not response.erased} <= stored.keys() <= expected.keys()
    for name, row in stored.items():
        check_row(row, expected[name])
    return len(stored)


async def _check_pairs(rows: Writer, expected: Mapping[str, Plain]) -> None:
    pairs = pairs_of(dict(expected))
    none = (None, None, None)
    assert await _stored_pairs(rows) == {
        key: (pair[0].reference(), pair[1].reference() if len(pair) > 1 else none) for key, pair in pairs.items()
    }


async def _stored_pairs(rows: Writer) -> dict[Series, tuple[Any, Any]]:
    """Series -> the latest answer and the one before, as they were told."""
    return {
        (row["account_id"], row["stakeholder_id"], row["survey_type"], row["nps_kind"]): (
            (row["response_id"], row["answered_at"], row["score"]),
            (row["previous_response_id"], row["previous_answered_at"], row["previous_score"]),
        )
        for row in await rows.rows("latest_pairs")
    }


async def _check_told(
    environment: Environment, rows: Writer, expected: Mapping[str, Plain], may_return: Set[str]
) -> None:
    """Everything was told once, and who has listened knows all that is fresh."""
    pairs = pairs_of(dict(expected))
    stored = await _stored_pairs(rows)
    # The relay may publish an event twice, under the same id.
    once = {
        event.id: event for topic in (SCORE_EVENTS, ACCOUNT_SCORES) for event in await published(environment, topic)
    }
    outgoing = sorted(once.values(), key=lambda event: event.data.sequence)  # type: ignore[attr-defined]
    heard = listen(outgoing, gaps=True)
    for key, pair in pairs.items():
        if pair[0].fresh:
            assert heard[key] == (*stored[key], change_of(pair))
    answers = Counter(event.data.response_id for event in outgoing if isinstance(event.data, StakeholderAnswered))
    twice = {name for name, times in answers.items() if times > 1}
    assert twice <= may_return


def _as_json(value: Any) -> Any:
    """Figures as the API writes them: times as text."""
    if isinstance(value, Mapping):
        return {name: _as_json(part) for name, part in value.items()}
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
