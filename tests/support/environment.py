"""Isolated environments: an empty database, and topics with a prefix of their own."""

import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from shared.kafka.admin import Admin
from shared.settings import CommonSettings
from tests.support.databases import fresh_database

PARTITIONS = 3
NO_KAFKA = "127.0.0.1:9"
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
    def kafka(self) -> str:
        """The bootstrap servers."""
        return self.common.kafka_bootstrap_servers

    def variables(self) -> dict[str, str]:
        """The settings as environment variables, for real processes."""
        name = "TELLBACK_SECRET_KEY"
        if len(self.common.key_ring) > 1:
            name = "TELLBACK_SECRET_KEYS"
        return {
            "TELLBACK_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "TELLBACK_DATABASE_URL": self.database_url,
            "TELLBACK_TOPIC_PREFIX": self.topic_prefix,
            "TELLBACK_PARTITIONS": str(self.common.partitions),
            "TELLBACK_REPLICATION_FACTOR": str(self.common.replication_factor),
            name: ",".join(self.common.key_ring),
            "TELLBACK_DATA_DIR": str(self.common.data_dir),
        }


@contextlib.asynccontextmanager
async def fresh_environment(
    kafka: str, postgres: str, *, topics: bool = True, partitions: int = PARTITIONS, template: str | None = None
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
    database_url: str, kafka: str = NO_KAFKA, *, topics: bool = True, partitions: int = PARTITIONS
) -> AsyncIterator[Environment]:
    """An environment on this database with a folder, a secret and a topic prefix of its own, and (unless told
    otherwise) new topics, which are deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="tellback-test-") as folder:
        common = CommonSettings(
            kafka_bootstrap_servers=kafka,
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
