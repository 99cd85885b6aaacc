"""`tellback webhook-listen`: a real receiver on this machine that prints and verifies every webhook.

It shows what a CRM has to do: read the raw bytes, verify them with the secret, answer 2xx, and recognise repeats by
`webhook-id`. It can also be slow or fail, to show Tellback's retries.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.connection import asking, service_url
from services.cli.console import Busy, DataOption, Exit, JsonOption, width
from shared.errors import Invalid, TellbackError, TooLarge

if TYPE_CHECKING:
    from shared.http.client import Api

DEFAULT_PORT = 8010
MAX_BODY = 1024 * 1024
ENDPOINTS = "/v1/webhook-endpoints"
SECONDS = 15.0
DESCRIPTION = "tellback webhook-listen"
NOT_ALLOWED = (
    "alerting does not deliver to this machine: start `tellback up --demo`, or set"
    " TELLBACK_ALERTING_ALLOW_NETWORKS=127.0.0.1/32 for it"
)


def webhook_listen(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = DEFAULT_PORT,
    secret: Annotated[
        str | None, typer.Option(help="The endpoint's secret, whsec_…; with --register it becomes the secret.")
    ] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Register at the running alerting, and unregister at the end.")
    ] = False,
    event: Annotated[
        list[str] | None, typer.Option(help="With --register: a type to subscribe to; repeatable.")
    ] = None,
    fail: Annotated[int, typer.Option(min=0, help="Answer the first N requests with --status.")] = 0,
    status: Annotated[int, typer.Option(min=200, max=599, help="What failing requests are answered with.")] = 500,
    delay: Annotated[float, typer.Option(min=0, help="Seconds before every answer.")] = 0.0,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after N webhooks were taken.")] = None,
    brief: Annotated[bool, typer.Option("--brief", help="A few lines a webhook, without its JSON.")] = False,
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Listen for webhooks, verify and print them until Ctrl-C.

    Exit code 1 when a webhook did not verify.
    """
    listener = Listener(Behaviour(fail, status, delay, count), _printer(as_json=json, brief=brief), secret)
    registration = None
    if register:
        registration = Registration(data, event or None)
    asyncio.run(_listen(listener, port, registration))
    if listener.unverified:
        raise typer.Exit(Exit.FAILED)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the receiver answers: the first `fail` requests with `status`, all after `delay`; it ends after
    `count`."""

    fail: int = 0
    status: int = 500
    delay: float = 0.0
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One request: the webhook, whether its signature holds (None without a secret), and the status answered."""

    at: datetime
    id: str
    type: str
    attempt: str
    repeat: bool
    verified: bool | None
    reason: str
    answered: int
    body: Any


@dataclass
class Listener:
    """The receiver; it calls `show` with each request."""

    behaviour: Behaviour
    show: Callable[[Heard], None]
    secret: str | None = field(default=None, repr=False)
    requests: int = 0
    taken: int = 0
    unverified: int = 0
    seen: set[str] = field(default_factory=set)
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, headers: dict[str, str], raw: bytes) -> int:
        """Handle one request; returns the status to answer."""
        self.requests += 1
        await asyncio.sleep(self.behaviour.delay)
        verified, reason = verify(self.secret, headers, raw)
        answered = 200
        if verified is False:
            answered = 401
        if self.requests <= self.behaviour.fail:
            answered = self.behaviour.status
        message_id = headers.get("webhook-id", "")
        body = _parsed(raw)
        kind = None
        if isinstance(body, dict):
            kind = body.get("type")
        self.show(
            Heard(
                at=datetime.now(UTC),
                id=message_id,
                type=str(kind or headers.get("tellback-event-type", "?")),
                attempt=headers.get("webhook-attempt", "?"),
                repeat=message_id in self.seen,
                verified=verified,
                reason=reason,
                answered=answered,
                body=body,
            )
        )
        self.unverified += verified is False
        if answered < 300:
            self.seen.add(message_id)
            self.taken += 1
            if self.behaviour.count is not None and self.taken >= self.behaviour.count:
                self.enough.set()
        return answered

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        """The ASGI application."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            status = 405
            if scope["method"] == "POST":
                status = await self.receive(headers, await _raw_body(receive))
        except TooLarge as error:
            status = error.status
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def verify(secret: str | None, headers: dict[str, str], raw: bytes) -> tuple[bool | None, str]:
    """Whether the signature holds over the raw bytes, and why not. None without a secret."""
    from standardwebhooks import Webhook, WebhookVerificationError

    if secret is None:
        return None, "no secret to verify with"
    try:
        Webhook(secret).verify(raw, headers, json_parse=False)
    except WebhookVerificationError as error:
        return False, str(error).lower()
    except ValueError:  # a malformed signature, or a body that is not UTF-8
        return False, "malformed signature"
    return True, ""


@dataclass(frozen=True)
class Registration:
    """The registration of the receiver as an endpoint of alerting."""

    data: Path | None
    event_types: list[str] | None

    async def add(self, url: str, secret: str | None) -> tuple[str, str]:
        """Register; returns the endpoint's id and secret. An endpoint that an earlier run left for this address is
        removed."""
        async with self._api() as api:
            for endpoint in (await api.get("alerting", ENDPOINTS, limit=200))["items"]:
                if endpoint["url"] == url and endpoint["description"] == DESCRIPTION:
                    await api.delete("alerting", f"{ENDPOINTS}/{endpoint['id']}")
            wanted = {"url": url, "description": DESCRIPTION, "event_types": self.event_types, "secret": secret}
            made = await api.post("alerting", ENDPOINTS, {name: value for name, value in wanted.items() if value})
        return made["id"], made["secret"]

    async def remove(self, endpoint_id: str) -> None:
        """Unregister."""
        async with self._api() as api:
            await api.delete("alerting", f"{ENDPOINTS}/{endpoint_id}")

    @contextlib.asynccontextmanager
    async def _api(self) -> "AsyncIterator[Api]":
        try:
            async with asking({"alerting": service_url("alerting", self.data)}, self.data, SECONDS) as api:
                yield api
        except Invalid as invalid:
            if any(fault.get("code") == "url_not_allowed" for fault in invalid.errors or []):
                raise TellbackError(invalid.code, NOT_ALLOWED, errors=invalid.errors) from None
            raise


async def _listen(listener: Listener, port: int, registration: Registration | None) -> None:
    with _bound(port) as listening:
        await _serve(listener, listening, registration)


async def _serve(listener: Listener, listening: socket.socket, registration: Registration | None) -> None:
    server = _server(listener)
    serving = asyncio.create_task(server.serve([listening]))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, listener.enough.set)
    endpoint_id = None
    try:
        if registration is not None:
            endpoint_id, listener.secret = await registration.add(url, listener.secret)
        _tell_how(listener, url, endpoint_id)
        await listener.enough.wait()
    finally:
        if registration is not None and endpoint_id is not None:
            with contextlib.suppress(TellbackError):
                await registration.remove(endpoint_id)
        server.should_exit = True
        await serving


def _server(app: Listener) -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Leaves the signals to us, so that Ctrl-C can unregister first."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server(uvicorn.Config(app, log_config=None, lifespan="off", server_header=False))


def _bound(port: int) -> socket.socket:
    """A socket on this machine's loopback. Raises `Busy` when the port is taken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        raise Busy("port_taken", f"port {port} is taken: choose another with --port") from None
    listening.listen()
    return listening


def _tell_how(listener: Listener, url: str, endpoint_id: str | None) -> None:
    note = f"listening at {url}"
    if endpoint_id is not None:
        note += f", registered as {endpoint_id}; Ctrl-C unregisters"
    elif listener.secret is None:
        note += "; without --secret nothing is verified, --register does it all"
    typer.echo(note, err=True)


async def _raw_body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    """The body's bytes as they came: the signature is over these, not over parsed JSON."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise TooLarge("body_too_large", "more than a webhook has")
        if not message.get("more_body"):
            return bytes(body)


def _parsed(raw: bytes) -> Any:
    import json

    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _printer(*, as_json: bool, brief: bool) -> Callable[[Heard], None]:
    from services.cli.webhook_print import print_for_people, print_json_line

    if as_json:
        return print_json_line
    return lambda heard: print_for_people(heard, brief=brief, width=width())
