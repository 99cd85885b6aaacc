"""One real Kafka and one real PostgreSQL a run, and environments that do not see each other.

`TELLBACK_TEST_KAFKA_BOOTSTRAP_SERVERS` and `TELLBACK_TEST_DATABASE_URL` (a superuser's) name running ones, with
`TELLBACK_TEST_KAFKA_SASL_PASSWORD` where Kafka asks for one, as the embedded one does. Several
workers (`-n 3`) share those of the process that started them.
"""

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings
from pydantic import SecretStr

from services.cli.embedded.kafka import USER
from shared.access import keystore
from shared.kafka.connection import KafkaConnection
from tests.support.databases import Databases
from tests.support.environment import Environment, environment_on
from tests.support.examples import examples
from tests.support.processes import THROWN_AWAY, embedded_kafka, embedded_postgres

# A slow machine is no failure: how long an example takes is for the benchmarks to say.
HYPOTHESIS = settings.get_profile("ci" if os.environ.get("CI") else "default")
settings.register_profile("tellback", HYPOTHESIS, deadline=None, max_examples=examples(HYPOTHESIS.max_examples))
settings.load_profile("tellback")
# Nor is a hiccup of PostgreSQL: services under a frozen clock would take it for an outage that never ends.
keystore.LOOKUP_DEADLINE_S = 15.0


KAFKA = "TELLBACK_TEST_KAFKA_BOOTSTRAP_SERVERS"
KAFKA_PASSWORD = "TELLBACK_TEST_KAFKA_SASL_PASSWORD"
DATABASE = "TELLBACK_TEST_DATABASE_URL"


def pytest_configure(config: pytest.Config) -> None:
    """Start what the workers share, before there are any; they find it in their environment."""
    # In the background (`make test &`) Ctrl-C is ignored, and would be by every program that a test starts and ends so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        return
    shared = contextlib.ExitStack()
    config.add_cleanup(shared.close)
    if KAFKA not in os.environ:
        started = shared.enter_context(embedded_kafka())
        os.environ[KAFKA] = started.bootstrap_servers
        os.environ[KAFKA_PASSWORD] = started.password.get_secret_value()
    if DATABASE not in os.environ:
        os.environ[DATABASE] = shared.enter_context(embedded_postgres(THROWN_AWAY))


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaConnection]:
    """How clients connect to the run's Kafka."""
    if named := os.environ.get(KAFKA):
        connection = KafkaConnection(named)
        if password := os.environ.get(KAFKA_PASSWORD):
            connection = KafkaConnection(named, "SASL_PLAINTEXT", username=USER, password=SecretStr(password))
        yield connection
        return
    with embedded_kafka() as connection:
        yield connection


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of the maintenance database of the run's PostgreSQL."""
    if named := os.environ.get(DATABASE):
        yield named
        return
    with embedded_postgres(THROWN_AWAY) as url:
        yield url


@pytest.fixture(scope="session")
async def databases(postgres_url: str) -> AsyncIterator[Databases]:
    """The databases that environments are given, one after the other."""
    found = Databases(postgres_url)
    try:
        yield found
    finally:
        await found.close()


@pytest.fixture
async def environment(kafka: KafkaConnection, databases: Databases) -> AsyncIterator[Environment]:
    """An empty database and topics for one test."""
    async with databases.lent() as url, environment_on(url, kafka) as found:
        yield found


@pytest.fixture(scope="module")
async def module_environment(kafka: KafkaConnection, databases: Databases) -> AsyncIterator[Environment]:
    """An empty database and topics that the tests of one module share."""
    async with databases.lent() as url, environment_on(url, kafka) as found:
        yield found


@pytest.fixture
async def database_only(databases: Databases) -> AsyncIterator[Environment]:
    """An empty database for one test that needs no Kafka."""
    async with databases.lent() as url, environment_on(url, topics=False) as found:
        yield found


@pytest.fixture(scope="module")
async def module_database_only(databases: Databases) -> AsyncIterator[Environment]:
    """An empty database for the tests of one module, which need no Kafka."""
    async with databases.lent() as url, environment_on(url, topics=False) as found:
        yield found
