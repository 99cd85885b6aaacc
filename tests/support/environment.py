"""Isolated environments: an empty database, and topics with a prefix of their own."""

import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared.kafka.admin import Admin
from shared.kafka.connection import KafkaConnection
from shared.settings import CommonSettings
from tests.support.databases import fresh_database

PARTITIONS = 3
NO_KAFKA = KafkaConnection("127.0.0.1:9")
"""An address where nothing listens, for tests that need no Kafka."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One isolated environment on the shared Kafka and PostgreSQL of the run."""

    common: CommonSettings

    @property
    def database_url(self) -> str:
        """The URL of this environment's database."""
        return self.common.database_url

    @property
    def database(self) -> str:
        """The name of its database."""
        return self.database_url.rpartition("/")[2]

    @property
    def topic_prefix(self) -> str:
        """The prefix of its topics."""
        return self.common.topic_prefix

    @property
    def kafka(self) -> KafkaConnection:
        """How clients connect to Kafka."""
        return self.common.kafka

    def variables(self) -> dict[str, str]:
        """The settings as environment variables, for real processes."""
        name = "TELLBACK_SECRET_KEY"
        if len(self.common.key_ring) > 1:
            name = "TELLBACK_SECRET_KEYS"
        return {
            **kafka_variables(self.kafka),
            "TELLBACK_DATABASE_URL": self.database_url,
            "TELLBACK_TOPIC_PREFIX": self.topic_prefix,
            "TELLBACK_PARTITIONS": str(self.common.partitions),
            "TELLBACK_REPLICATION_FACTOR": str(self.common.replication_factor),
            name: ",".join(self.common.key_ring),
            "TELLBACK_DATA_DIR": str(self.common.data_dir),
        }


def kafka_variables(kafka: KafkaConnection) -> dict[str, str]:
    """The settings of a connection as environment variables."""
    files = {"CA_FILE": kafka.ca_file, "CERT_FILE": kafka.cert_file, "KEY_FILE": kafka.key_file}
    named = {
        "BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "SECURITY_PROTOCOL": kafka.security_protocol,
        "SASL_MECHANISM": kafka.sasl_mechanism,
        "SASL_USERNAME": kafka.username,
        "SASL_PASSWORD": kafka.password.get_secret_value(),
        "TOKEN_FILE": str(kafka.token_file or ""),
        "TOKEN_COMMAND": kafka.token_command,
        **{name: str(file or "") for name, file in files.items()},
    }
    return {f"TELLBACK_KAFKA_{name}": value for name, value in named.items() if value}


def kafka_fields(kafka: KafkaConnection) -> dict[str, Any]:
    """The same as fields of the common settings."""
    return {name.removeprefix("TELLBACK_").lower(): value for name, value in kafka_variables(kafka).items()}


@contextlib.asynccontextmanager
async def fresh_environment(
    kafka: KafkaConnection,
    postgres: str,
    *,
    topics: bool = True,
    partitions: int = PARTITIONS,
    template: str | None = None,
) -> AsyncIterator[Environment]:
    """A new database, a copy of the template or of the migrated one, and (unless told otherwise) new topics; both are
    deleted afterwards."""
    async with (
        fresh_database(postgres, template) as url,
        environment_on(url, kafka, topics=topics, partitions=partitions) as environment,
    ):
        yield environment


@contextlib.asynccontextmanager
async def environment_on(
    database_url: str, kafka: KafkaConnection = NO_KAFKA, *, topics: bool = True, partitions: int = PARTITIONS
) -> AsyncIterator[Environment]:
    """An environment on this database with a folder, a secret and a topic prefix of its own, and (unless told
    otherwise) new topics, which are deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="tellback-test-") as folder:
        common = CommonSettings(
            **kafka_fields(kafka),
            database_url=database_url,
            topic_prefix=f"test_{secrets.token_hex(6)}.",
            partitions=partitions,
            replication_factor=1,
            data_dir=Path(folder),
            secret_keys=(SecretStr(secrets.token_urlsafe(48)),),
        )
        try:
            if topics:
                async with Admin.connected(kafka, common.topic_prefix) as admin:
                    await admin.apply(partitions, 1)
            yield Environment(common)
        finally:
            if topics:
                async with Admin.connected(kafka, common.topic_prefix) as admin:
                    await admin.delete()
