"""Scripts and styles compressed once a process, not once a request: a first visit loads megabytes of them."""

import asyncio
import gzip

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDERS = ("/_nicegui/", "/static/")
KINDS = ("text/css", "text/javascript", "application/javascript", "application/json", "image/svg+xml")
SMALLEST = 500
MOST_FILES = 200
Answer = tuple[Message, bytes]


class GzipCache:
    """Caches the compressed answers for files that a browser may cache as well; all other requests pass through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[str, Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_file(scope):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        answer = self._kept.get(path)
        if answer is None:
            answer = _packed(*await _whole(self._app, scope))
            if _may_be_kept(answer[0]) and len(self._kept) < MOST_FILES:
                self._kept[path] = answer
        start, body = answer
        await send({**start, "headers": list(start["headers"])})
        await send({"type": "http.response.body", "body": body})


def _is_file(scope: Scope) -> bool:
    """Whether the request is for a whole file and accepts compression."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(FOLDERS):
        return False
    headers = Headers(scope=scope)
    return "gzip" in headers.get("accept-encoding", "") and not {"range", "if-none-match"} & set(headers.keys())


async def _whole(app: ASGIApp, scope: Scope) -> Answer:
    """The complete answer: the client that asked first may disconnect meanwhile, and the cached answer is for all
    clients."""
    start: Message = {}
    pieces: list[bytes] = []
    asked = asyncio.Event()

    async def receive() -> Message:
        if asked.is_set():
            await asyncio.Event().wait()  # this client never disconnects
        asked.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    return start, b"".join(pieces)


def _packed(start: Message, body: bytes) -> Answer:
    headers = MutableHeaders(raw=list(start["headers"]))
    if len(body) < SMALLEST or "content-encoding" in headers or not headers.get("content-type", "").startswith(KINDS):
        return start, body
    packed = gzip.compress(body)
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(packed))
    headers.add_vary_header("Accept-Encoding")
    return {**start, "headers": headers.raw}, packed


def _may_be_kept(start: Message) -> bool:
    """Whether the answer may be cached: found, and public for a while."""
    return start["status"] == 200 and "max-age" in Headers(raw=start["headers"]).get("cache-control", "")
