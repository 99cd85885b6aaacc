"""The way out through a company's proxy: a tunnel for each connection, by HTTP's CONNECT (RFC 9110, 9.3.6), also for
plain http.

The proxy resolves names, so that the address which a name leads to is not seen here. What is judged is the name itself,
and addresses that URLs give literally.
"""

import asyncio
import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import httpcore

from services.alerting.outbound.domain.addresses import AddressPolicy, is_public_name, is_web_port, literal_address
from services.alerting.outbound.gateways.guard import BlockedAddress, Guard, ResolvedHost, Resolver
from services.alerting.outbound.gateways.socket_stream import opened_stream
from shared.telemetry.logging import get_logger

UNKNOWN_TO_PROXY = 407
"""The status by which a proxy asks for another user or password; others concern the receiver."""
log = get_logger(__name__)


class ProxyRefuses(Exception):
    """The proxy is away, breaks off, speaks no HTTP, or does not take us for whom we say we are."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy listens. `credentials` are `user:password`, or nothing. `direct` are names that are reached
    without it, each with all names below it."""

    host: str
    port: int
    credentials: str = field(default="", repr=False)
    direct: tuple[str, ...] = ()

    def passes_by(self, host: str) -> bool:
        """Whether a name is reached without the proxy."""
        name = host.rstrip(".")
        return any(name == known or name.endswith(f".{known}") for known in self.direct)

    def headers(self, authority: str) -> list[tuple[bytes, bytes]]:
        """The headers of a request for a tunnel to `host:port`."""
        found = [(b"Host", authority.encode())]
        if self.credentials:
            basic = base64.b64encode(self.credentials.encode())
            found.append((b"Proxy-Authorization", b"Basic " + basic))
        return found


def proxy_of(url: str, direct: Sequence[str]) -> Proxy | None:
    """The proxy at a URL, in which user and password may stand percent-encoded; None for an empty one."""
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        return None
    credentials = ""
    if parts.username:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    names = tuple(name.strip(".").lower() for name in direct)
    return Proxy(parts.hostname, parts.port, credentials, names)


class ProxyGuard(Guard):
    """A guard whose connections go through a proxy, except those to in-house receivers."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver, proxy: Proxy) -> None:
        super().__init__(policy, resolver)
        self._proxy = proxy

    async def resolve(self, host: str, port: int) -> ResolvedHost:
        """Judge a host. A name that the proxy resolves has no addresses here; raises `BlockedAddress` where it, or its
        port, is not one of the public internet."""
        if literal_address(host) is not None or self._proxy.passes_by(host):
            return await super().resolve(host, port)
        if not is_public_name(host) or not is_web_port(port):
            raise BlockedAddress
        return ResolvedHost(host, port, ())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a tunnel, or a connection to an in-house receiver. Raises what `Guard.connect_tcp` does, and
        `ProxyRefuses`."""
        literal = literal_address(host)
        if self._proxy.passes_by(host) or (literal is not None and self.policy.in_house(literal)):
            return await super().connect_tcp(host, port, timeout, local_address, socket_options)
        await self.resolve(host, port)
        try:
            stream = await opened_stream(self._proxy.host, self._proxy.port, timeout, socket_options or ())
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            log.warning("proxy_away", proxy=f"{self._proxy.host}:{self._proxy.port}")
            raise ProxyRefuses from error
        try:
            async with asyncio.timeout(timeout):
                return await self._tunnel(stream, host, port)
        except TimeoutError as error:
            await stream.aclose()
            raise httpcore.ConnectTimeout from error
        except BaseException:
            await stream.aclose()
            raise

    async def _tunnel(self, stream: httpcore.AsyncNetworkStream, host: str, port: int) -> httpcore.AsyncNetworkStream:
        """The tunnel that the proxy opens over a connection to it: what breaks before it answers is its fault."""
        try:
            response = await self._asked(stream, host, port)
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            log.warning("proxy_breaks_off", proxy=f"{self._proxy.host}:{self._proxy.port}", error=str(error))
            raise ProxyRefuses from error
        if 200 <= response.status < 300:
            tunnel: httpcore.AsyncNetworkStream = response.extensions["network_stream"]
            return tunnel
        log.warning("proxy_refuses", status=response.status)
        if response.status == UNKNOWN_TO_PROXY:
            raise ProxyRefuses
        raise httpcore.ConnectError(f"the proxy answered {response.status}")

    async def _asked(self, stream: httpcore.AsyncNetworkStream, host: str, port: int) -> httpcore.Response:
        authority = f"{host}:{port}"
        if ":" in host:
            authority = f"[{host}]:{port}"
        origin = httpcore.Origin(b"http", self._proxy.host.encode(), self._proxy.port)
        url = httpcore.URL(scheme=b"http", host=origin.host, port=origin.port, target=authority.encode())
        request = httpcore.Request(b"CONNECT", url, headers=self._proxy.headers(authority))
        return await httpcore.AsyncHTTP11Connection(origin, stream).handle_async_request(request)
