"""Connections are made in one place each, so that all of them can be secured: to Kafka with the options of a
`KafkaConnection`, to PostgreSQL by `Connector`."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import CODE, modules, name, parsed

CLIENTS = ("AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient", "create_conn")
CONNECTOR = "shared/db/connector.py"
PROBE = "shared/kafka/probe.py"
"""Connects to one broker at a time, with the options for all."""


def test_every_client_of_kafka_has_the_options_of_the_one_connection() -> None:
    found, without = 0, []
    for path, call in _calls(*CODE, "tests", "bench"):
        if not ast.unparse(call.func).endswith(CLIENTS):
            continue
        found += 1
        spread = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg is None]
        if not any(value.endswith(".options()") for value in spread) and name(path) != PROBE:
            without.append(f"{name(path)}:{call.lineno}")
    assert found > len(CLIENTS)
    assert without == []


def test_every_connection_to_postgresql_is_made_by_the_one_connector() -> None:
    connecting = []
    for path, call in _calls(*CODE):
        made = ast.unparse(call.func)
        by_hand = made in ("asyncpg.connect", "asyncpg.create_pool") and name(path) != CONNECTOR
        if made == "create_async_engine":
            by_hand = "async_creator" not in {keyword.arg for keyword in call.keywords}
        if by_hand:
            connecting.append(f"{name(path)}:{call.lineno}")
    assert connecting == []


def _calls(*folders: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call in the modules of these folders, and where it stands."""
    for path in modules(*folders):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                yield path, node
