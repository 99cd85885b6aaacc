"""The one HTTP client for webhooks: guarded addresses, one deadline and one byte cap over the whole attempt.

A proxy is used where the settings name one. Nothing of the environment plays in: no proxies, no redirects, no cookies,
no decompression. An attempt never raises for what the network or the receiver does; it always ends in an `Outcome`.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import certifi
import httpcore

from services.alerting.outbound.domain.addresses import (
    AddressPolicy,
    Refused,
    Target,
    is_web_port,
    literal_address,
    target_of,
)
from services.alerting.outbound.domain.outcomes import Failure, Outcome, failure_of_status, retry_after_seconds
from services.alerting.outbound.gateways.connections import Connections
from services.alerting.outbound.gateways.guard import BlockedAddress, Guard, NameNotFound, Resolver, SystemResolver
from services.alerting.outbound.gateways.proxy import Proxy, ProxyGuard, ProxyRefuses
from shared.clock import Clock
from shared.errors import Invalid

USER_AGENT = "Tellback-Webhooks/1.0"
NOT_ALLOWED = "leads to an address or port that is not allowed"


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits of one attempt: seconds to connect, seconds in all, bytes of the response that are read and
    kept."""

    connect: float = 5.0
    attempt: float = 20.0
    response_bytes: int = 16 * 1024
    look_up: float = 3.0


class Egress:
    """Sends webhooks, and says whether a URL may be used at all."""

    def __init__(
        self,
        policy: AddressPolicy,
        clock: Clock,
        budgets: Budgets = Budgets(),
        *,
        resolver: Resolver | None = None,
        proxy: Proxy | None = None,
        most_idle: int = 100,
    ) -> None:
        self._clock = clock
        self._budgets = budgets
        self._own_resolver = SystemResolver()
        self._guard = Guard(policy, resolver or self._own_resolver)
        if proxy is not None:
            self._guard = ProxyGuard(policy, resolver or self._own_resolver, proxy)
        self._connections = Connections(self._guard, _ssl_context(), most_idle)

    async def check(self, url: str) -> None:
        """Raise `Refused` unless a webhook may go to this URL as things stand now.

        A name without an address now is taken, for it is checked again at every attempt.
        """
        target = target_of(url, self._guard.policy)
        try:
            async with asyncio.timeout(self._budgets.look_up):
                await self._guard.resolve(target.host, target.port)
        except BlockedAddress:
            raise Refused(NOT_ALLOWED) from None
        except (NameNotFound, TimeoutError):
            if not is_web_port(target.port):
                raise Refused(NOT_ALLOWED) from None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """POST the body; how it ended, with the first bytes of the answer as text."""
        started = time.perf_counter()
        received = _Received()
        try:
            async with asyncio.timeout(self._budgets.attempt):
                await self._exchange(url, headers, body, received)
            failure = failure_of_status(received.status)
        except (BlockedAddress, Refused):
            return Outcome(Failure.BLOCKED)
        except NameNotFound:
            failure = Failure.DNS
        except ProxyRefuses:
            failure = Failure.PROXY
        except (TimeoutError, httpcore.TimeoutException):
            failure = Failure.TIMEOUT
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            failure = _failure_of(error)
        return Outcome(
            failure,
            received.status or None,
            round((time.perf_counter() - started) * 1000),
            bytes(received.body).decode("utf-8", "replace").replace("\x00", "\ufffd"),
            received.truncated,
            retry_after_seconds(received.retry_after, self._clock.now()) if failure else None,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connections.aclose()
        self._own_resolver.close()

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes, received: "_Received") -> None:
        target = target_of(url, self._guard.policy)
        # Checked for every attempt, also when a connection kept alive is used: the name may lead elsewhere by
        # now.
        self._guard.expect(await self._guard.resolve(target.host, target.port))
        request = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=_path_of(url))
        async with (
            self._connections.to(target.scheme, target.host, target.port) as connection,
            connection.stream(
                "POST",
                request,
                headers=_request_headers(target, headers, body),
                content=body,
                extensions={"timeout": {"connect": self._budgets.connect}},
            ) as response,
        ):
            received.status = response.status
            received.retry_after = _header(response, b"retry-after")
            async for chunk in response.aiter_stream():
                room = self._budgets.response_bytes - len(received.body)
                received.body += chunk[:room]
                if len(chunk) > room:
                    received.truncated = True
                    break


async def require_allowed(egress: Egress, url: str) -> None:
    """Raise `Invalid` unless a request may go to the URL that somebody gave in a field of this name."""
    try:
        await egress.check(url)
    except Refused as refusal:
        problem = {"field": "url", "code": "url_not_allowed", "detail": str(refusal)}
        raise Invalid("invalid_request", "the request breaks the rules of its fields", errors=[problem]) from None


@dataclass(slots=True)
class _Received:
    """What has come of the response so far; `status` is 0 before its head."""

    status: int = 0
    retry_after: str | None = None
    body: bytearray = field(default_factory=bytearray)
    truncated: bool = False


def _request_headers(target: Target, headers: Mapping[str, str], body: bytes) -> list[tuple[bytes, bytes]]:
    """The complete list; httpcore adds none. The receiver is named as in the URL."""
    literal = literal_address(target.host)
    host = f"[{target.host}]" if literal is not None and literal.version == 6 else target.host
    if target.port != {"http": 80, "https": 443}[target.scheme]:
        host = f"{host}:{target.port}"
    own = {
        "Host": host,
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in (own | dict(headers)).items()]


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _header(response: httpcore.Response, name: bytes) -> str | None:
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None


def _failure_of(error: BaseException) -> Failure:
    """The class of an error by its deepest known cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return Failure.TLS
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.ConnectError):
        return Failure.CONNECT
    if isinstance(error, httpcore.RemoteProtocolError) and "disconnected" not in str(error).lower():
        return Failure.PROTOCOL
    return Failure.RESET


def _ssl_context() -> ssl.SSLContext:
    """The system's authorities and those of certifi; `SSL_CERT_FILE` adds a company's own."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
