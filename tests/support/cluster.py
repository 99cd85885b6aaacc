"""A real Kafka of three nodes, each broker and controller, that can be killed and started one by one."""

import asyncio
import base64
import contextlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import USER, Kafka
from services.cli.embedded.process import LOOPBACK, free_port
from shared.kafka.connection import KafkaConnection
from tests.support.authorities import Authority
from tests.support.polling import eventually
from tests.support.processes import end, parts_folder

BROKERS = (1, 2, 3)
START_SECONDS = 180.0
PASSWORD = "one for all nodes"
STRANGER = "stranger"
"""A user of a secured cluster who has no rights."""
SESSION_MS = 3_000
"""After how long a secured cluster ends sessions."""
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
        self.password_file.write_text(PASSWORD)

    def _settings(self) -> dict[str, str]:
        own = {"node.id": str(self.number), "controller.quorum.voters": self.voters}
        return super()._settings() | REPLICATED | own


class SecuredNode(Node):
    """A node as managed services have them: TLS, SCRAM, tokens, rights. Clients may show a certificate."""

    def __init__(self, folder: Path, jars: Jars, number: int, cluster_id: str, ports: tuple[int, int]) -> None:
        super().__init__(folder, jars, number, cluster_id, ports)
        self.authority = folder.parent / "authority.pem"

    def secure(self, authority: Authority) -> None:
        """Have a certificate of this authority; before `prepare`."""
        certificate, key = authority.issue(f"broker-{self.number}")
        (self.folder / "broker.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
        self.authority = authority.file

    def connection(self) -> KafkaConnection:
        return replace(
            super().connection(),
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            ca_file=self.authority,
        )

    def _format_options(self) -> list[str]:
        return [
            argument
            for user in (USER, STRANGER)
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for argument in ("--add-scram", f'{mechanism}=[name="{user}",password="{PASSWORD}"]')
        ]

    def _settings(self) -> dict[str, str]:
        login = f'username="{USER}" password="{PASSWORD}"'
        scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
        modules = "org.apache.kafka.common.security"
        return super()._settings() | {
            "listener.security.protocol.map": "CLIENTS:SASL_SSL,CONTROLLER:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.clients.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.clients.oauthbearer.sasl.jaas.config": (
                f'{modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="{USER}";'
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "broker.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority),
            "listener.name.clients.ssl.client.auth": "requested",
            "connections.max.reauth.ms": str(SESSION_MS),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{USER}",
        }


class Cluster:
    """Three nodes and their processes."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = {node.number: node for node in nodes}
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def connection(self) -> KafkaConnection:
        """How clients connect, with the addresses of all brokers."""
        servers = ",".join(node.bootstrap_servers for node in self._nodes.values())
        return replace(self._nodes[BROKERS[0]].connection(), bootstrap_servers=servers)

    @property
    def first(self) -> Node:
        """The first node."""
        return self._nodes[BROKERS[0]]

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
async def kafka_cluster(kind: type[Node] = Node) -> AsyncIterator[Cluster]:
    """Three running brokers of a kind for the block."""
    jars = Jars()
    jars.fetch(jars.wrong())
    cluster_id = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    with parts_folder() as folder:
        nodes = [
            kind(folder / f"kafka-{number}", jars, number, cluster_id, (free_port(), free_port())) for number in BROKERS
        ]
        authority = Authority(folder)
        voters = ",".join(f"{node.number}@{LOOPBACK}:{node.controller_port}" for node in nodes)
        for node in nodes:
            node.voters = voters
            if isinstance(node, SecuredNode):
                node.secure(authority)
            node.prepare()
        cluster = Cluster(nodes)
        try:
            cluster.launch()
            await cluster.ready()
            yield cluster
        finally:
            cluster.stop()
