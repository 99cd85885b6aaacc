"""A real Kafka of three nodes, each broker and controller, that can be killed and started one by one."""

import asyncio
import base64
import contextlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import Kafka
from services.cli.embedded.process import LOOPBACK, free_port
from tests.support.polling import eventually
from tests.support.processes import end, parts_folder

BROKERS = (1, 2, 3)
START_SECONDS = 90.0
REPLICATED = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
}


class Node(Kafka):
    """A node of the cluster; `voters` names the controllers of all nodes."""

    def __init__(self, folder: Path, jars: Jars, number: int, cluster_id: str, ports: tuple[int, int]) -> None:
        super().__init__(folder, jars, *ports, heap="256m")
        self.number = number
        self.voters = ""
        folder.mkdir(parents=True)
        (folder / "cluster_id").write_text(cluster_id)

    def _settings(self) -> dict[str, str]:
        own = {"node.id": str(self.number), "controller.quorum.voters": self.voters}
        return super()._settings() | REPLICATED | own


class Cluster:
    """Three nodes and their processes."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = {node.number: node for node in nodes}
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def bootstrap_servers(self) -> str:
        """The addresses of all brokers."""
        return ",".join(node.bootstrap_servers for node in self._nodes.values())

    def launch(self, *numbers: int) -> None:
        """Start brokers, by default all; `ready` waits until they answer."""
        for number in numbers or BROKERS:
            program = self._nodes[number].program()
            with program.log.open("ab") as log:
                self._running[number] = subprocess.Popen(
                    program.argv, stdout=log, stderr=subprocess.STDOUT, **program.options()
                )

    async def ready(self, *numbers: int) -> None:
        """Wait until brokers answer, by default all."""
        for number in numbers or BROKERS:
            await eventually(lambda number=number: self._is_ready(number), START_SECONDS)  # type: ignore[misc]

    async def _is_ready(self, number: int) -> bool:
        node, child = self._nodes[number], self._running[number]
        if child.poll() is not None:
            raise RuntimeError(node.program().log.read_text(errors="replace")[-2000:])
        return await asyncio.to_thread(node.ready)

    def kill(self, *numbers: int) -> None:
        """SIGKILL brokers, by default all."""
        for number in numbers or BROKERS:
            self._running[number].kill()
            self._running[number].wait()

    def stop(self) -> None:
        """Stop the running brokers."""
        for child in self._running.values():
            end(child)


@contextlib.asynccontextmanager
async def kafka_cluster() -> AsyncIterator[Cluster]:
    """Three running brokers for the block."""
    jars = Jars()
    jars.fetch(jars.wrong())
    cluster_id = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    with parts_folder() as folder:
        nodes = [
            Node(folder / f"kafka-{number}", jars, number, cluster_id, (free_port(), free_port())) for number in BROKERS
        ]
        voters = ",".join(f"{node.number}@{LOOPBACK}:{node.controller_port}" for node in nodes)
        for node in nodes:
            node.voters = voters
            node.prepare()
        cluster = Cluster(nodes)
        try:
            cluster.launch()
            await cluster.ready()
            yield cluster
        finally:
            cluster.stop()
