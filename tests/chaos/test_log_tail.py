"""A power cut takes the end of Kafka's log, which PostgreSQL has read already: it is said and mended, and nothing is
counted twice. Another log in its place still halts."""

import contextlib
import struct
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import Kafka
from services.cli.embedded.process import free_port
from shared.kafka.admin import Admin
from shared.kafka.partition import partition_of
from tests.support.consumer import Scene
from tests.support.databases import Databases
from tests.support.environment import PARTITIONS, Environment, environment_on
from tests.support.polling import eventually
from tests.support.processes import parts_folder, running, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
BATCH_HEAD = struct.Struct(">qi")
"""Of a batch of records: its first offset, and its length without this head."""


@contextlib.contextmanager
def until_the_power_is_cut(broker: Kafka) -> Iterator[None]:
    """The broker runs for the block, and is killed at its end, so that it recovers its log at the next start."""
    program = broker.program()
    with running(program) as child:
        wait_until(broker.ready, child, program.log)
        yield
        child.kill()


async def make_topics(environment: Environment) -> None:
    async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
        await admin.apply(PARTITIONS, 1)


async def age(scene: Scene) -> None:
    async with scene.database.write() as tx:
        await tx.execute("update cursors set anchored_at = now() - interval '3 minutes' where last_offset is not null")


async def truncated(scene: Scene) -> int:
    async with scene.database.read() as tx:
        return int(await tx.scalar("select sum(truncated_count) from cursors"))


def log_of(broker: Kafka, environment: Environment) -> Path:
    number = partition_of("acme", PARTITIONS)
    [log] = (broker.log_dir / f"{environment.topic_prefix}responses-{number}").glob("*.log")
    return log


def cut(log: Path, first_lost: int) -> None:
    """Delete the tail of a log, from this offset on."""
    content, position = log.read_bytes(), 0
    while position < len(content):
        offset, length = BATCH_HEAD.unpack_from(content, position)
        if offset >= first_lost:
            break
        position += BATCH_HEAD.size + length
    assert position < len(content)
    log.write_bytes(content[:position])


@pytest.fixture(scope="module")
async def after_the_cut(databases: Databases) -> AsyncIterator[dict[str, Environment]]:
    """A broker after a power cut, and environments by what became of their logs, in each of which five answers had been
    read, the first two of them longer ago: the last two lost, all lost, and none."""
    jars = Jars()
    jars.fetch(jars.wrong())
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(parts_folder())
        broker = Kafka(folder / "kafka", jars, free_port(), free_port())
        broker.prepare()
        found = {}
        for name in ("tail", "refilled", "all", "anew"):
            url = await stack.enter_async_context(databases.lent())
            found[name] = await stack.enter_async_context(environment_on(url, broker.connection(), topics=False))
        with until_the_power_is_cut(broker):
            for environment in found.values():
                await read_five(environment)
        for name, first_lost in (("tail", 3), ("refilled", 3), ("all", 0)):
            cut(log_of(broker, found[name]), first_lost)
        with until_the_power_is_cut(broker):
            yield found


async def read_five(environment: Environment) -> None:
    await make_topics(environment)
    async with Scene.of(environment) as scene, scene.running():
        await scene.send("r1", "r2")
        await scene.until(new=2)
        await age(scene)
        for number, name in enumerate(("r3", "r4", "r5"), start=3):
            await scene.send(name)
            await scene.until(new=number)


async def test_a_tail_that_was_read_and_lost_is_said_and_reading_goes_on(after_the_cut: dict[str, Environment]) -> None:
    async with Scene.of(after_the_cut["tail"]) as scene, scene.running() as runner:
        await scene.until(new=5, stored=5, repeat=1)
        await scene.send("r6")
        await scene.until(new=6, stored=6, repeat=1)
        assert runner.remark is None
        assert await truncated(scene) == 2


async def test_new_answers_in_place_of_the_lost_ones_are_counted(after_the_cut: dict[str, Environment]) -> None:
    async with Scene.of(after_the_cut["refilled"]) as scene:
        await scene.send("r6", "r7", "r8")
        async with scene.running():
            await scene.until(new=8, stored=8, repeat=1)
        assert await truncated(scene) == 1


async def test_a_log_that_has_not_even_the_anchor_halts(after_the_cut: dict[str, Environment]) -> None:
    async with Scene.of(after_the_cut["all"]) as scene, scene.running() as runner:
        await scene.halted(runner, "kafka_replaced")


async def test_a_topic_that_was_made_anew_halts(after_the_cut: dict[str, Environment]) -> None:
    environment = after_the_cut["anew"]
    async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
        await admin.delete()
    await eventually(partial(no_topics, environment), timeout=60)
    await make_topics(environment)
    async with Scene.of(environment) as scene:
        await scene.send("s1", "s2", "s3", "s4")
        async with scene.running() as runner:
            await scene.halted(runner, "kafka_replaced")
        assert (await scene.totals())["new"] == 5


async def no_topics(environment: Environment) -> bool:
    async with Admin.connected(environment.kafka, environment.topic_prefix) as admin:
        return not any(state.exists for state in await admin.inspect(1))
