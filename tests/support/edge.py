"""A small service behind the real edge, for tests of the edge itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from shared.access.caller import Caller
from shared.clock import Clock
from shared.errors import Conflict, Unavailable
from shared.http.app import create_app
from shared.http.auth import AnyCaller, Ingester, Manager, Reader
from shared.http.health import health_of
from shared.http.paging import DEFAULT_LIMIT, Limit
from shared.http.params import Instant, PathId
from shared.http.routing import Router

SECRET_WORDS = "my boss is a fool"
"""A text that tests send and that no error may repeat."""
BIG_BODY = 200_000


class Answer(BaseModel):
    """A body with the kinds of fields that services use."""

    model_config = ConfigDict(extra="forbid")

    score: Annotated[int, Field(strict=True, ge=0, le=10)]
    comment: str | None = Field(default=None, max_length=100)
    at: Instant | None = None
    attributes: dict[str, str | int | float | None] = Field(default_factory=dict)


class Keys:
    """A fake key store with the tokens that the test gives it."""

    def __init__(self, callers: dict[str, Caller] | None = None) -> None:
        self.callers = callers or {}
        self.away = False

    async def authenticate(self, token: str) -> Caller:
        """The caller of a token; errors as in the real key store."""
        from shared.access.keystore import unauthorized

        if self.away:
            raise Unavailable("keys_unavailable", "the key cannot be looked up now", retry_after=5)
        if token not in self.callers:
            raise unauthorized()
        return self.callers[token]


router = Router()


@router.post("/v1/answers")
async def post_answer(answer: Answer, caller: Ingester) -> Answer:
    """Returns the parsed body."""
    return answer


@router.post("/v1/open-answers")
async def post_open_answer(answer: Answer) -> Answer:
    """A call without a key."""
    return answer


@router.post("/v1/big-answers", max_body_size=BIG_BODY)
async def post_big_answer(answer: Answer) -> dict[str, bool]:
    """A route with a larger limit than the default."""
    return {"ok": True}


@router.post("/v1/files")
async def post_file(file: UploadFile) -> dict[str, int]:
    """A route with a form."""
    return {"size": len(await file.read())}


@router.post("/v1/acknowledge")
async def acknowledge(answer: Answer | None = None) -> dict[str, bool]:
    """A route with an optional body."""
    return {"with_body": answer is not None}


@router.get("/v1/accounts/{account_id}")
async def show_account(account_id: PathId, caller: Reader) -> dict[str, str]:
    """A route with an id in the path."""
    return {"account_id": account_id}


@router.get("/v1/receipts/{receipt_id}")
async def show_receipt(receipt_id: UUID, caller: Reader) -> dict[str, str]:
    """A route with a UUID in the path."""
    return {"receipt_id": str(receipt_id)}


@router.get("/v1/list")
async def list_items(caller: AnyCaller, limit: Limit = DEFAULT_LIMIT, since: Instant | None = None) -> dict[str, Any]:
    """A route with query parameters."""
    return {"limit": limit, "since": since}


@router.delete("/v1/accounts/{account_id}", status_code=204, response_class=Response)
async def remove_account(account_id: PathId, caller: Manager) -> None:
    """A route that needs another scope."""


@router.get("/v1/broken")
async def broken() -> None:
    """Raises an unexpected error."""
    raise RuntimeError(SECRET_WORDS)


@router.get("/v1/conflict")
async def conflicting() -> None:
    """Raises an expected error."""
    raise Conflict("stale_version", "somebody was quicker")


@router.get("/v1/stream")
async def stream() -> StreamingResponse:
    """Fails in the middle of a streamed answer."""

    async def content() -> AsyncIterator[bytes]:
        yield b"first part"
        raise RuntimeError(SECRET_WORDS)

    return StreamingResponse(content(), media_type="text/csv")


@router.post("/v1/raw")
async def raw(request: Request) -> dict[str, int]:
    """Reads the raw body."""
    return {"size": len(await request.body())}


def edge_app(keys: Keys | None = None, clock: Clock | None = None) -> FastAPI:
    """The service; its readiness check `switch` fails while `app.state.switch_reason` is set."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.plumbing = SimpleNamespace(keys=keys or Keys())
        app.state.switch_reason = None
        health_of(app).add("switch", switch)
        yield

    async def switch() -> str | None:
        reason: str | None = app.state.switch_reason
        return reason

    app = create_app("test", "Test", "A service for tests.", [router], lifespan, clock=clock)
    return app
