"""A fresh environment for a test: a database of its own from a migrated template, and topics of its own."""

import contextlib
import hashlib
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr
from sqlalchemy import make_url

from shared.db.migrate import migrate
from shared.kafka.admin import Admin
from shared.settings import CommonSettings

ROOT = Path(__file__).parents[2]
MIGRATIONS = (
    "shared/db/*.py",
    "shared/access/*.py",
    "shared/access/migrations/*.py",
    "services/*/migrations/*.py",
)
PARTITIONS = 3
TEMPLATE_LOCK = 0x7E57


@dataclass(frozen=True, slots=True)
class Environment:
    """One isolated environment on the shared Kafka and PostgreSQL of the run."""

    common: CommonSettings

    @property
    def database_url(self) -> str:
        """The URL of this environment's database."""
        return self.common.database_url

    @property
    def topic_prefix(self) -> str:
        """What the names of its topics begin with."""
        return self.common.topic_prefix

    @property
    def kafka(self) -> str:
        """The bootstrap servers."""
        return self.common.kafka_bootstrap_servers

    def variables(self) -> dict[str, str]:
        """The same as environment variables, for real processes."""
        return {
            "TELLBACK_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "TELLBACK_DATABASE_URL": self.database_url,
            "TELLBACK_TOPIC_PREFIX": self.topic_prefix,
            "TELLBACK_PARTITIONS": str(self.common.partitions),
            "TELLBACK_REPLICATION_FACTOR": str(self.common.replication_factor),
            "TELLBACK_SECRET_KEY": self.common.secret_key.get_secret_value(),
            "TELLBACK_DATA_DIR": str(self.common.data_dir),
        }


@contextlib.asynccontextmanager
async def fresh_environment(
    kafka: str, postgres: str, *, topics: bool = True, partitions: int = PARTITIONS, template: str | None = None
) -> AsyncIterator[Environment]:
    """A new database, a copy of the template or of a migrated one, and (unless told otherwise) new topics; both are
    gone afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    template = template or await migrated(postgres)
    with tempfile.TemporaryDirectory(prefix="tellback-test-") as folder:
        common = CommonSettings(
            kafka_bootstrap_servers=kafka,
            database_url=database(postgres, name),
            topic_prefix=f"{name}.",
            partitions=partitions,
            replication_factor=1,
            data_dir=Path(folder),
            secret_key=SecretStr(secrets.token_urlsafe(48)),
        )
        await _execute(postgres, f"create database {name} template {template}")
        try:
            if topics:
                async with Admin.connected(kafka, common.topic_prefix) as admin:
                    await admin.apply(partitions, 1)
            yield Environment(common)
        finally:
            await _execute(postgres, f"drop database if exists {name} with (force)")
            if topics:
                async with Admin.connected(kafka, common.topic_prefix) as admin:
                    await admin.delete()


async def migrated(postgres: str) -> str:
    """The migrated database that all are copied from, made once for each content of the migrations."""
    digest = hashlib.sha256()
    for pattern in MIGRATIONS:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    name = f"template_{digest.hexdigest()[:16]}"
    connection = await asyncpg.connect(postgres)
    try:
        # Another run may be making it just now. It gets its name last, so that the name says it is whole.
        await connection.execute("select pg_advisory_lock($1)", TEMPLATE_LOCK)
        if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
            draft = f"draft_{secrets.token_hex(6)}"
            await connection.execute(f"create database {draft}")
            await migrate(database(postgres, draft))
            await connection.execute(f"alter database {draft} rename to {name}")
    finally:
        await connection.close()
    return name


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)
