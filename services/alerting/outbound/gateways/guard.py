"""The guard of outgoing connections: resolves a name, checks every address, and connects only to a checked one.

It sits below the HTTP client, where the socket is opened, so that no spelling of an address, no second DNS
answer and no redirect leads past it. TLS still sees the name from the URL.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial

import httpcore

from services.alerting.outbound.domain.addresses import Address, AddressPolicy, all_permitted, literal_address
from services.alerting.outbound.gateways.socket_stream import opened_stream

LOOK_UPS_AT_ONCE = 64
Resolver = Callable[[str, int], Awaitable[list[Address]]]
"""A host name and a port to its addresses, in order of preference. Raises OSError when there are none."""


class BlockedAddress(Exception):
    """The name leads, in part at least, to an address or port that is not allowed. Names no address."""


class NameNotFound(Exception):
    """The name has no address now."""


@dataclass(frozen=True, slots=True)
class ResolvedHost:
    """The addresses of one host and port, all of them permitted."""

    host: str
    port: int
    addresses: tuple[Address, ...]


_resolved: ContextVar[ResolvedHost | None] = ContextVar("vetted", default=None)


class SystemResolver:
    """Asks the operating system, for stream sockets of both families.

    It has threads of its own, since names that lead nowhere keep one busy for seconds.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOK_UPS_AT_ONCE, thread_name_prefix="look-up")

    async def __call__(self, host: str, port: int) -> list[Address]:
        """The addresses in order of preference. Raises OSError when there are none."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        answers = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return list(dict.fromkeys(ipaddress.ip_address(answer[4][0]) for answer in answers))

    def close(self) -> None:
        """Wait for no look-up that is still under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Guard(httpcore.AsyncNetworkBackend):
    """A network backend of httpcore that opens sockets only to addresses which the policy permits."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver) -> None:
        self.policy = policy
        self._resolver = resolver

    async def resolve(self, host: str, port: int) -> ResolvedHost:
        """Resolve a host, all of whose addresses must be permitted; raises `BlockedAddress` or `NameNotFound`."""
        literal = literal_address(host)
        try:
            addresses = [literal] if literal is not None else await self._resolver(host, port)
        except (OSError, UnicodeError, ValueError):
            raise NameNotFound from None
        if not addresses:
            raise NameNotFound
        if not all_permitted(addresses, port, self.policy):
            raise BlockedAddress
        return ResolvedHost(host, port, tuple(addresses))

    def expect(self, resolved: ResolvedHost) -> None:
        """Let this task's next connections to that host use the addresses just checked, rather than resolve again."""
        _resolved.set(resolved)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection to a checked address, the next one when the first does not answer.

        Raises `BlockedAddress`, `NameNotFound`, `httpcore.ConnectError` or `httpcore.ConnectTimeout`.
        """
        resolved = _resolved.get()
        if resolved is None or (resolved.host, resolved.port) != (host, port):
            resolved = await self.resolve(host, port)
        share = None if timeout is None else timeout / len(resolved.addresses)
        failure: Exception = httpcore.ConnectError()
        for address in resolved.addresses:
            if not self.policy.permits(address, port):
                raise BlockedAddress
            try:
                return await opened_stream(str(address), port, share, socket_options or ())
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: a webhook has no business with a socket of this machine."""
        raise BlockedAddress

    async def sleep(self, seconds: float) -> None:
        """Wait; httpcore asks for it between retries of a connection, of which there are none."""
        await asyncio.sleep(seconds)
