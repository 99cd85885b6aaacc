"""An unforeseen failure is isolated to its record: the others go on, and the record is tried again."""

import asyncio
import os
import pickle
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from shared.db.erasures import Journal
from shared.db.parked import drop_parked, put_back
from shared.db.transaction import WriteTx
from shared.erasure import subject_by
from shared.errors import Conflict
from shared.kafka import writer
from shared.kafka.headers import pack
from shared.topics import RESPONSE_WITHDRAWN
from shared.verdicts import NEW, Received, Verdict
from tests.support.consumer import Counter, Scene
from tests.support.environment import Environment
from tests.support.events import NOW, erased, record_of, recorded, withdrawn
from tests.support.polling import eventually
from tests.support.processes import SOURCES, start

Fault = Callable[[WriteTx], Any]


@dataclass
class Stumbling(Counter):
    """A handler that counts, and fails on the responses in `faults` with the error given there; `failures` counts how
    often."""

    faults: dict[str, Fault] = field(default_factory=dict)
    failures: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    async def __call__(self, tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        for record in records:
            fault = self.faults.get(getattr(record.event.data, "response_id", ""))
            if fault is not None:
                self.failures += 1
                await fault(tx)
        return await super().__call__(tx, records)


async def a_bug(_tx: WriteTx) -> None:
    raise KeyError("ann@acme.example")


async def no_such_file(_tx: WriteTx) -> None:
    os.stat("/no/such/file")


async def an_endless_recursion(tx: WriteTx) -> None:
    await an_endless_recursion(tx)


async def a_number_beyond_bigint(tx: WriteTx) -> None:
    await tx.scalar("select cast(:number as bigint)", number=2**70)


async def a_broken_rule_at_the_commit(tx: WriteTx) -> None:
    await tx.execute("create table once (n int unique deferrable initially deferred)")
    await tx.execute("insert into once values (1), (1)")


DYING = """
import asyncio, os, pickle, signal
from shared.db.engine import Database
from shared.kafka.runner import Runner
from shared.verdicts import NEW

async def handler(tx, records):
    if any(record.event.data.response_id == "{fatal}" for record in records):
        os.kill(os.getpid(), signal.SIGKILL)
    await tx.seen(*(record.event.id for record in records))
    return [NEW] * len(records)

config = pickle.loads({config})
asyncio.run(Runner(config, Database("{database}", "scorer"), dict.fromkeys(config.topics[0].events, handler)).run())
"""
FAULTS = [a_bug, no_such_file, an_endless_recursion, a_number_beyond_bigint, a_broken_rule_at_the_commit]


@pytest.fixture
async def scene(environment: Environment) -> AsyncIterator[Scene]:
    async with Scene.of(environment) as scene:
        scene.handler = Stumbling()
        yield scene


def handler_of(scene: Scene) -> Stumbling:
    assert isinstance(scene.handler, Stumbling)
    return scene.handler


async def parked(scene: Scene) -> list[dict[str, Any]]:
    async with scene.database.read() as tx:
        rows = await tx.all("select id, reason, detail, state, tries, traceback, must_apply from parked")
    return [dict(row) for row in rows]


async def make_due(scene: Scene) -> None:
    """Make all retries due, so that no test waits for the pauses between them."""
    async with scene.database.write() as tx:
        await tx.execute("update parked set next_try_at = now() where state = 'retrying'")


async def until_state(scene: Scene, state: str) -> None:
    async def reached() -> bool:
        await make_due(scene)
        assert [row["state"] for row in await parked(scene)] == [state]
        return True

    await eventually(reached, timeout=20)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_one_record_fails_and_the_other_999_are_applied(scene: Scene, fault: Fault) -> None:
    handler_of(scene).faults["r500"] = fault
    await scene.send(*(f"r{number}" for number in range(1_000)))
    async with scene.running():
        await scene.until(read=1_000, new=999, dead=1, stored=999)
        [row] = await parked(scene)
        assert (row["reason"], row["state"]) == ("handler_error", "retrying")
        assert "ann@acme.example" not in row["traceback"] + row["detail"]
        handler_of(scene).faults.clear()
        await make_due(scene)
        await scene.until(read=1_000, new=1_000, dead=0, stored=1_000)
        assert await parked(scene) == []


async def test_several_bad_records_of_one_batch_are_set_aside_each_by_itself(scene: Scene) -> None:
    bad = ["r0", "r7", "r8", "r50", "r99"]
    handler_of(scene).faults |= dict.fromkeys(bad, a_bug)
    await scene.send(*(f"r{number}" for number in range(100)))
    async with scene.running():
        await scene.until(read=100, new=95, dead=5, stored=95)


async def test_a_failure_that_is_gone_in_smaller_pieces_sets_nothing_aside(scene: Scene) -> None:
    handler = handler_of(scene)
    together: list[int] = []

    async def dislikes_many(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        if len(records) > 10:
            together.append(len(records))
            raise ValueError("too many at once")
        return await handler(tx, records)

    await scene.send(*(f"r{number}" for number in range(100)))
    async with scene.running(handler=dislikes_many):
        await scene.until(read=100, new=100, dead=0)
    assert together
    assert await parked(scene) == []


async def test_what_fails_again_and_again_becomes_a_dead_letter_and_is_shown_to_other_tools(scene: Scene) -> None:
    handler_of(scene).faults["r1"] = a_bug
    await scene.send("r1", "r2")
    async with scene.running():
        await until_state(scene, "dead")
        await scene.until(read=2, new=1, dead=1)
    async with scene.database.read() as tx:
        assert await tx.scalar("select count(*) from outbox where topic = 'dead-letters'") == 1


async def test_a_dead_letter_that_is_put_back_is_tried_by_the_consumer_and_nothing_is_published(scene: Scene) -> None:
    handler_of(scene).faults["r1"] = a_bug
    await scene.send("r1")
    async with scene.running():
        await until_state(scene, "dead")
        handler_of(scene).faults.clear()
        [row] = await parked(scene)
        async with scene.database.write() as tx:
            await put_back(tx, row["id"], NOW)
        await scene.until(read=1, new=1, dead=0)
    async with scene.database.read() as tx:
        assert await tx.scalar("select count(*) from outbox where topic = 'responses'") == 0


async def test_another_version_tries_once_what_the_one_before_gave_up(scene: Scene) -> None:
    handler_of(scene).faults["r1"] = a_bug
    await scene.send("r1")
    async with scene.running(version="1"):
        await until_state(scene, "dead")
    handler_of(scene).faults.clear()
    async with scene.running(version="2"):
        await scene.until(read=1, new=1, dead=0)


async def test_a_kill_between_setting_aside_and_the_retry_loses_nothing(scene: Scene) -> None:
    handler_of(scene).faults["r1"] = a_bug
    await scene.send("r1", "r2")
    async with scene.running():
        await scene.until(read=2, new=1, dead=1)
    handler_of(scene).faults.clear()
    await make_due(scene)
    async with scene.running(owner="another"):
        await scene.until(read=2, new=2, dead=0)


async def test_a_withdrawal_is_never_given_up_nor_dropped(scene: Scene) -> None:
    handler_of(scene).faults["r1"] = a_bug
    await scene.publisher.send_many([record_of(withdrawn("r1"))])
    async with scene.running():
        await scene.until(read=1, dead=1)

        async def tried_often() -> bool:
            await make_due(scene)
            [row] = await parked(scene)
            return bool(row["tries"] > 3 and row["state"] == "retrying")

        await eventually(tried_often, timeout=30)
        [row] = await parked(scene)
        assert row["must_apply"] == RESPONSE_WITHDRAWN
        async with scene.database.write() as tx:
            with pytest.raises(Conflict):
                await drop_parked(tx, "dead_letter", row["id"])
        handler_of(scene).faults.clear()
        await make_due(scene)
        await scene.until(read=1, new=1, dead=0)


async def test_where_every_record_fails_reading_halts_and_goes_on_by_itself(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most twenty records are set aside; nothing is read while reading is halted."""
    monkeypatch.setattr("shared.kafka.runner.HALT_SECONDS", 0.5)
    handler_of(scene).faults |= dict.fromkeys((f"r{number}" for number in range(200)), a_bug)
    await scene.send(*(f"r{number}" for number in range(200)))
    async with scene.running() as runner:
        await scene.halted(runner, "handler_fails")
        assert (await scene.totals())["dead"] == writer.JUDGED_AFTER
        handler_of(scene).faults.clear()
        await scene.until(read=200, new=200 - writer.JUDGED_AFTER)
        await make_due(scene)
        await scene.until(read=200, new=200, dead=0)
        await eventually(lambda: runner.remark is None)


async def test_a_flood_of_bad_records_halts_nothing_while_good_ones_are_among_them(scene: Scene) -> None:
    handler_of(scene).faults |= dict.fromkeys((f"r{number}" for number in range(50)), a_bug)
    await scene.send(*(f"r{number}" for number in range(50)), *(f"good{number}" for number in range(10)))
    async with scene.running():
        await scene.until(read=60, new=10, dead=50, stored=10)


async def test_a_primary_that_became_a_standby_is_waited_for_and_nothing_is_set_aside(scene: Scene) -> None:
    async def read_only(tx: WriteTx) -> None:
        await tx.execute("set transaction read only")
        await tx.execute("insert into inbox (event_id) values (gen_random_uuid())")

    handler_of(scene).faults["r1"] = read_only
    await scene.send("r1")
    async with scene.running():
        await eventually(lambda: handler_of(scene).failures > 2, timeout=20)
        assert await parked(scene) == []
        handler_of(scene).faults.clear()
        await scene.until(read=1, new=1, dead=0)


async def test_a_statement_that_always_takes_too_long_is_the_records_own_fault(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TIMEOUTS_OF_ONE", 2)

    async def slow(tx: WriteTx) -> None:
        await tx.execute("set local statement_timeout = '20ms'")
        await tx.scalar("select pg_sleep(10)")

    handler_of(scene).faults["r1"] = slow
    await scene.send("r1", "r2")
    async with scene.running():
        await scene.until(read=2, new=1, dead=1)


async def test_a_handler_that_hangs_counts_as_failed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BATCH_SECONDS", 0.3)

    async def hangs(_tx: WriteTx) -> None:
        await asyncio.Event().wait()

    handler_of(scene).faults["r1"] = hangs
    await scene.send("r1", "r2")
    async with scene.running():
        await scene.until(read=2, new=1, dead=1)


async def test_a_record_on_which_processes_die_is_found_and_set_aside_untried(scene: Scene, tmp_path: Path) -> None:
    """The third process reads record by record, and notes each before it is tried; the fourth sets the noted one
    aside."""
    await scene.send(*(f"r{number}" for number in range(20)))
    for number in range(3):
        config = scene.runner(owner=f"process-{number}")._config
        script = DYING.format(config=pickle.dumps(config), database=scene.environment.database_url, fatal="r13")
        child = start((sys.executable, "-P", "-c", script), tmp_path / "log", SOURCES)
        assert await asyncio.to_thread(child.wait, 40) == -signal.SIGKILL, (tmp_path / "log").read_text()
    assert (await scene.totals())["read"] == 13
    async with scene.running(owner="process-3"):
        await scene.until(read=20, new=19, dead=1)
    [row] = await parked(scene)
    assert (row["reason"], row["state"]) == ("killed_the_process", "dead")


async def test_a_halt_that_lasts_sets_nothing_more_aside(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The consumer is rebuilt again and again, which must not count as the death of a process."""
    monkeypatch.setattr("shared.kafka.runner.HALT_SECONDS", 0.1)
    handler_of(scene).faults |= dict.fromkeys((f"r{number}" for number in range(100)), a_bug)
    await scene.send(*(f"r{number}" for number in range(100)))
    async with scene.running() as runner:
        await scene.halted(runner, "handler_fails")

        async def claimed_often() -> bool:
            return bool((await scene.totals())["epoch"] > 6)

        await eventually(claimed_often, timeout=60)
        assert (await scene.totals())["dead"] == writer.JUDGED_AFTER


async def test_a_record_that_kills_when_it_is_tried_again_is_tried_once(scene: Scene, tmp_path: Path) -> None:
    handler_of(scene).faults["r13"] = a_bug
    await scene.send("r13")
    async with scene.running():
        await scene.until(read=1, dead=1)
    async with scene.database.write() as tx:
        await tx.execute("update parked set reason = 'killed_the_process', next_try_at = now(), tries = 2")
    config = scene.runner(owner="another")._config
    script = DYING.format(config=pickle.dumps(config), database=scene.environment.database_url, fatal="r13")
    child = start((sys.executable, "-P", "-c", script), tmp_path / "log", SOURCES)
    assert await asyncio.to_thread(child.wait, 40) == -signal.SIGKILL, (tmp_path / "log").read_text()
    [row] = await parked(scene)
    assert (row["state"], row["tries"]) == ("dead", 3)
    await scene.send("r14")
    async with scene.running(owner="the next"):
        await scene.until(read=2, new=1, dead=1)


async def test_what_times_out_again_when_it_is_tried_again_is_given_up(scene: Scene) -> None:
    async def slow(tx: WriteTx) -> None:
        await tx.execute("set local statement_timeout = '20ms'")
        await tx.scalar("select pg_sleep(10)")

    handler_of(scene).faults["r1"] = a_bug
    await scene.send("r1")
    async with scene.running():
        await scene.until(read=1, dead=1)
        handler_of(scene).faults["r1"] = slow
        await until_state(scene, "dead")


async def test_a_header_that_holds_nul_is_kept_and_put_aside_like_any_other(scene: Scene) -> None:
    event = recorded("r1")
    record = replace(record_of(event), headers=pack([*event.headers(), ("x-odd", b"a\x00b\xff")]))
    handler_of(scene).faults["r1"] = a_bug
    await scene.publisher.send_many([record])
    async with scene.running():
        await scene.until(read=1, dead=1)
        await until_state(scene, "dead")
    async with scene.database.read() as tx:
        assert await tx.scalar("select count(*) from outbox where topic = 'dead-letters'") == 1


async def test_a_person_is_hidden_as_soon_as_their_erasure_is_set_aside(scene: Scene) -> None:
    journal = Journal(subject_by("a key"))
    event = erased("acme", "ann")
    handler_of(scene).faults["erasure"] = a_bug

    async def fails_on_erasures(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        if "erasure" in handler_of(scene).faults and any(record.event.id == event.id for record in records):
            raise KeyError
        return [NEW] * len(records)

    await scene.publisher.send_many([record_of(event)])
    async with scene.running(handler=fails_on_erasures, journal=journal):
        await scene.until(read=1, dead=1)
        async with scene.database.read() as tx:
            row = await tx.one("select stakeholder_id, applied_at from erasures")
        assert row is not None
        assert dict(row) == {"stakeholder_id": "ann", "applied_at": None}
        handler_of(scene).faults.clear()
        await make_due(scene)
        await scene.until(read=1, new=1, dead=0)
