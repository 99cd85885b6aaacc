"""The live connection of a page belongs to the session that opened the page. NiceGUI's private names stand here alone.

NiceGUI finds the page of a message by an identifier in the message, and accepts it from any connection. So its handlers
are wrapped: a socket can join, and send to, pages of its own session only, and is closed when the session has ended.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any
from urllib.parse import parse_qs

from nicegui import Client, core
from socketio.exceptions import ConnectionRefusedError as Refused
from starlette.datastructures import Headers

from services.dashboard.handlers.signing_in import SigningIn
from services.dashboard.web.forms import session_of
from shared.background import Periodic
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
MESSAGES = ("handshake", "event", "javascript_response", "ack", "log")
"""Messages of a browser; each names its page by `client_id`."""
LOAD_ANEW = "Implicit handshake failed"
"""With this error NiceGUI's script reloads the page, and so comes to the login."""
SECONDS = 1.0
"""Interval of the sweep for sessions that were ended elsewhere."""
MOST_WAITING = 20
"""Pages of one session that may wait for their live connection. NiceGUI keeps each for a minute, at about 1 MB, so that
who only asks for pages, as a script does, would fill the memory. A browser that comes too late loads its page anew."""
Handler = Callable[..., Any]


class LiveSockets:
    """The session of each socket."""

    def __init__(self, signing_in: SigningIn) -> None:
        self._signing_in = signing_in
        self._sockets: dict[str, str] = {}

    def join(self, socket_id: str, environ: dict[str, Any]) -> bool:
        """Whether the socket may join the page that it names; if so, it belongs to that session from now on."""
        scope = environ["asgi.scope"]
        query = parse_qs(scope["query_string"].decode("latin-1"))
        token = session_of(Headers(scope=scope))
        if token is None or token != _opener(query.get("client_id", [None])[0]):
            return False
        self._sockets[socket_id] = token
        return True

    def owns(self, socket_id: str, message: object) -> bool:
        """Whether the message is for a page of the socket's session."""
        token = self._sockets.get(socket_id)
        named = None
        if isinstance(message, dict):
            named = message.get("client_id")
        return token is not None and token == _opener(named)

    def leave(self, socket_id: str) -> None:
        """Forget a closed socket."""
        self._sockets.pop(socket_id, None)

    def periodic(self) -> Periodic:
        """The sweep as periodic work."""
        return Periodic("live-connections", SECONDS, self.sweep)

    async def sweep(self) -> None:
        """Close the pages and sockets of sessions that have ended, and of other sessions the oldest pages that nobody
        has connected to, if there are many. Raises `Unavailable`."""
        pages = {client: _opener(client.id) for client in list(Client.instances.values())}
        tokens = {token for token in (*pages.values(), *self._sockets.values()) if token is not None}
        living = await self._signing_in.living(tokens)
        for client, token in pages.items():
            if token not in living and client.id in Client.instances:
                await core.sio.emit("open", {"path": "/login", "new_tab": False}, room=client.id)
                client.delete()
        _delete_unconnected()
        for socket_id, token in list(self._sockets.items()):
            if token not in living:
                self.leave(socket_id)
                await core.sio.disconnect(socket_id)


def _delete_unconnected() -> None:
    """Nothing is awaited here, so that no page connects or goes between the look and the end of it."""
    waiting: dict[str | None, list[Client]] = defaultdict(list)
    for client in Client.instances.values():
        if not client.has_socket_connection:
            waiting[_opener(client.id)].append(client)
    for clients in waiting.values():
        for client in sorted(clients, key=attrgetter("created"))[:-MOST_WAITING]:
            client.delete()


def _opener(client_id: object) -> str | None:
    """The token of the session that opened a page; None where the page does not exist."""
    client = None
    if isinstance(client_id, str):
        client = Client.instances.get(client_id)
    if client is not None:
        return session_of(client.request.headers)
    return None


def bind_messages(live: Callable[[], LiveSockets]) -> None:
    """Wrap NiceGUI's handlers; called once a process."""
    handlers = core.sio.handlers["/"]
    core.sio.on("connect", _joining(handlers["connect"], live))
    core.sio.on("disconnect", _leaving(handlers["disconnect"], live))
    for name in MESSAGES:
        core.sio.on(name, _sending(handlers[name], live))


def _joining(handler: Handler, live: Callable[[], LiveSockets]) -> Handler:
    async def connect(socket_id: str, environ: dict[str, Any], _auth: object = None) -> None:
        if not live().join(socket_id, environ):
            raise Refused(LOAD_ANEW)
        try:
            await handler(socket_id, environ)
        except Refused:
            live().leave(socket_id)
            raise

    return connect


def _leaving(handler: Handler, live: Callable[[], LiveSockets]) -> Handler:
    def disconnect(socket_id: str, _reason: object = None) -> None:
        live().leave(socket_id)
        handler(socket_id)

    return disconnect


def _sending(handler: Handler, live: Callable[[], LiveSockets]) -> Handler:
    async def message(socket_id: str, content: object = None) -> object:
        """No pause before the handler: messages of a page keep their order."""
        if not live().owns(socket_id, content):
            log.warning("message_for_a_page_of_another_session")
            return False
        answer = handler(socket_id, content)
        if isinstance(answer, Awaitable):
            return await answer
        return answer

    return message
