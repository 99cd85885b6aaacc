"""How a command finds Kafka, PostgreSQL and the services: from the environment, else from the data folder of an
`up`."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.folder import DataFolder
from services.cli.settings import CliSettings
from shared.errors import Unavailable
from shared.settings import CommonSettings, InvalidSettings

if TYPE_CHECKING:
    from shared.http.client import Api, ServiceName

PORTS = {"dashboard": 0, "collector": 1, "scorer": 2, "alerting": 3, "benchmark": 4, "outreach": 5}
"""Service -> its port, as an offset from the port base."""
PORT_BASE = 8000
_SAME = {
    "TELLBACK_DATABASE_URL": ("DATABASE_URL",),
    "TELLBACK_SECRET_KEY": ("TELLBACK_SECRET_KEYS", "TELLBACK_SECRET_KEYS_FILE"),
}


def named_elsewhere(variable: str) -> bool:
    """Whether the environment sets this variable itself, by its name, its `_FILE`, or another name of it."""
    base = variable.removesuffix("_FILE")
    return any(os.environ.get(name) for name in (base, f"{base}_FILE", *_SAME.get(base, ())))


def lacking(variables: Mapping[str, str]) -> dict[str, str]:
    """Those of the variables that the environment does not set itself. Where it names other brokers, nothing is added
    to what it says of Kafka."""
    other_brokers = named_elsewhere("TELLBACK_KAFKA_BOOTSTRAP_SERVERS")
    found = {}
    for name, value in variables.items():
        of_kafka = name.startswith("TELLBACK_KAFKA_")
        if not named_elsewhere(name) and not (of_kafka and other_brokers):
            found[name] = value
    return found


def fill_environment(folder: DataFolder) -> None:
    """Set the variables of Kafka, PostgreSQL and the secret that the environment lacks from the data folder."""
    os.environ.update(lacking(folder.variables()))


def common_settings(data: Path | None = None) -> CommonSettings:
    """The common settings of all services. Raises InvalidSettings."""
    fill_environment(DataFolder(data))
    try:
        return CommonSettings.load()
    except InvalidSettings as error:
        hint = "set the variables, or name the data folder of an embedded installation with --data"
        raise InvalidSettings(error.code, f"{error.detail}; {hint}", errors=error.errors) from None


def own_ports(folder: DataFolder, port_base: int) -> list[int]:
    """Every port of an installation on this machine: those of the services, Kafka, its controller and PostgreSQL."""
    return sorted({port_base + offset for offset in PORTS.values()} | set(folder.ports().values()))


def service_url(service: str, data: Path | None = None) -> str:
    """The address of a running service: `TELLBACK_<SERVICE>_URL`, else that of the running `up`. Raises Unavailable."""
    if named := getattr(CliSettings.load(), f"{service}_url", None):
        return str(named).rstrip("/")
    holder = DataFolder(data).holder()
    if holder is None or not holder.serves:
        raise Unavailable("not_running", "no Tellback runs on this data folder: start `tellback up`")
    return f"http://127.0.0.1:{holder.port_base + PORTS[service]}"


@asynccontextmanager
async def asking(
    urls: "Mapping[ServiceName, str]", data: Path | None = None, seconds: float = 30.0
) -> "AsyncIterator[Api]":
    """A client of the services at these addresses, with the key of the commands. A service that is away raises
    Unavailable with its address."""
    from shared.http.client import Api, Away, Services

    services = Services(urls, timeout=seconds)
    try:
        yield Api(services, api_key(data))
    except Away as away:
        reason = ""
        if away.reason:
            reason = f": {away.reason}"
        raise Unavailable(away.code, f"{away.detail} at {urls[away.service]}{reason}") from None
    finally:
        await services.close()


def api_key(data: Path | None = None) -> str:
    """The key that commands use: `TELLBACK_API_KEY`, else the first key of the data folder. Raises InvalidSettings."""
    if named := CliSettings.load().api_key:
        return named.get_secret_value()
    first = DataFolder(data).first_key
    if not first.exists():
        raise InvalidSettings("no_key", "set TELLBACK_API_KEY, or name the data folder of an `up` with --data")
    return first.read_text(encoding="utf-8").strip()
