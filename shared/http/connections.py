"""Time limits of connections, and how many there may be: the limits of one server.

One sweep a second over all connections takes the place of a timer for each request.
"""

import asyncio
import heapq
import ipaddress
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST_CONNECTIONS = 8_000
FILES_OF_OUR_OWN = 256
"""Open files that are reserved for Kafka, PostgreSQL, logs and the like."""
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
ANYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_IPV6_CLIENT = 64
"""The prefix length of one IPv6 client: a subscriber uses any address below this many leading bits."""

log = get_logger(__name__)


class Phase(StrEnum):
    """What a connection waits for. In all but WORK it waits for the client."""

    SILENT = "silent"  # for the first byte
    HEAD = "head"  # for the end of a head that has begun
    BODY = "body"  # for the end of a body whose head has come
    WORK = "work"  # for the server: a complete request, a stream
    ANSWER = "answer"  # for the client to take what we wrote
    IDLE = "idle"  # for the next request
    LEAVING = "leaving"  # for the client to close, after an answer in the middle of its request


class Connection(Protocol):
    """What `Connections` needs of a connection."""

    group: str | None
    """The client of the connection, as `client_of` returns it."""
    received: int
    """Bytes received of the present body."""

    def waits(self) -> tuple[Phase, float]:
        """What the connection waits for, and since when, by the clock of the event loop."""

    def abort(self) -> None:
        """Close the connection at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds a connection may stay in a phase, and how many requests and connections there may be."""

    keep_alive: float = 125.0
    head: float = 10.0
    body: float = 20.0
    answer: float = 60.0
    bytes_per_second: float = 8_000.0
    """The lowest rate at which a body may arrive, after the seconds of `body`."""
    requests: int = 1_000
    connections: int = MOST_CONNECTIONS
    per_client: int = 256
    uncounted: tuple[Network, ...] = LOOPBACK
    """Addresses without a limit of connections: a proxy stands for many clients."""
    sweep: float = 1.0

    def seconds(self, phase: Phase, received: int) -> float:
        """How long a phase may last, given the bytes received of the body."""
        match phase:
            case Phase.WORK:
                return math.inf
            case Phase.IDLE:
                return self.keep_alive
            case Phase.BODY:
                return self.body + received / self.bytes_per_second
            case Phase.ANSWER:
                return self.answer
            case Phase.SILENT | Phase.HEAD | Phase.LEAVING:
                return self.head


def connections_for(open_files: int) -> int:
    """How many connections fit into a limit of open files."""
    return min(MOST_CONNECTIONS, max(open_files - FILES_OF_OUR_OWN, open_files // 2))


def networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks in the form of `TELLBACK_TRUSTED_PROXIES`; `*` means every address, other names none."""
    known: list[Network] = []
    for name in names:
        if name == "*":
            return ANYWHERE
        try:
            known.append(ipaddress.ip_network(name, strict=False))
        except ValueError:
            log.warning("not_a_network", setting="TELLBACK_TRUSTED_PROXIES")
    return tuple(known)


def client_of(address: str | None, uncounted: Collection[Network]) -> str | None:
    """The client behind an address: the IPv4 address or the /64 of the IPv6 one; None for addresses that are not
    counted."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if any(ip in network for network in uncounted):
        return None
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((ip, _IPV6_CLIENT), strict=False))


class Connections:
    """The connections of one server."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: set[Connection] = set()
        self._closing: set[Connection] = set()
        self._of_client: dict[str, set[Connection]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._refused = 0

    def add(self, connection: Connection, total: int) -> None:
        """Take a new connection, the last of `total`; over a limit, the connections that have waited longest are
        closed."""
        self._open.add(connection)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.limits.sweep, self._sweep, loop)
        if connection.group is not None:
            theirs = self._of_client.setdefault(connection.group, set())
            theirs.add(connection)
            if len(theirs) > self.limits.per_client and _waiting(theirs) > self.limits.per_client:
                self._make_room(theirs, "client")
        if total - len(self._closing) > self.limits.connections:
            self._make_room(self._open, "full")

    def remove(self, connection: Connection) -> None:
        """Stop tracking a connection that is closed, or is no longer an HTTP connection."""
        self._closing.discard(connection)
        self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection.group is not None and (theirs := self._of_client.get(connection.group)):
            theirs.discard(connection)
            if not theirs:
                del self._of_client[connection.group]

    def busy(self, tasks: int) -> bool:
        """Whether, with this many running requests, a further one is refused; counts the refusal."""
        if tasks < self.limits.requests:
            return False
        self._refused += 1
        return True

    def _make_room(self, among: Collection[Connection], reason: str) -> None:
        """Close the connections that have been idle longest, else those that have waited longest for a head: a
        hundredth of all, so that one pass makes room for many."""
        between_requests, before_head = (Phase.LEAVING, Phase.IDLE), (Phase.SILENT, Phase.HEAD)
        ranked = []
        for connection in among:
            phase, since = connection.waits()
            if phase in between_requests or phase in before_head:
                ranked.append((phase in before_head, since, id(connection), connection))
        for *_, connection in heapq.nsmallest(max(1, len(among) // 100), ranked):
            self._close(connection, reason)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._open:
            self._timer = loop.call_later(self.limits.sweep, self._sweep, loop)
        if self._refused:
            log.warning("requests_refused", code="busy", requests=self._refused)
            self._refused = 0
        now = loop.time()
        for connection in list(self._open):
            phase, since = connection.waits()
            if now - since > self.limits.seconds(phase, connection.received):
                self._close(connection, phase.value)

    def _close(self, connection: Connection, reason: str) -> None:
        self._forget(connection)  # it closes in a later turn of the loop, and must not be chosen twice
        self._closing.add(connection)
        metrics.http_connections_closed_total.labels(reason).inc()
        connection.abort()


def _waiting(connections: Iterable[Connection]) -> int:
    return sum(connection.waits()[0] is not Phase.WORK for connection in connections)
