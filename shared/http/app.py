"""The FastAPI application of a service: everything an answer needs besides the service's own routes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.clock import Clock, SystemClock
from shared.errors import TellbackError
from shared.http import health, me
from shared.http.docs import serve_docs
from shared.http.edge import Edge, request_id_of
from shared.http.health import Check, Health, health_of
from shared.http.limits import BODY_BYTES, RateLimiter
from shared.http.openapi import with_problems
from shared.http.problem import invalid, of_status, problem_response
from shared.http.routing import EdgeRoute
from shared.telemetry import metrics
from shared.version import version

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class ServiceApp(FastAPI):
    """FastAPI whose OpenAPI document includes the problems too, with a small dispatcher in front for hot paths."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.hot: dict[tuple[str, str], ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: by the hot handler of its method and path, else by the routes."""
        hot = None
        if self.hot and scope["type"] == "http":
            hot = self.hot.get((scope["method"], scope["path"]))
        if hot is not None:
            await hot(scope, receive, send)
        else:
            await self.routed(scope, receive, send)

    async def routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by FastAPI's routes."""
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        is_made_now = self.openapi_schema is None
        document = super().openapi()
        if is_made_now:
            return with_problems(document)
        return document


def create_app(
    service: str,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    lifespan: Lifespan,
    *,
    clock: Clock | None = None,
) -> ServiceApp:
    """Put the HTTP side of a service that API keys open together: `create_bare_app` with `GET /v1/me`."""
    return create_bare_app(service, title, description, (me.router, *routers), lifespan, clock=clock)


def create_bare_app(
    service: str,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    lifespan: Lifespan,
    *,
    clock: Clock | None = None,
) -> ServiceApp:
    """Put a service's HTTP side together.

    `lifespan` opens the resources and sets `app.state.plumbing` and `app.state.service`. Readiness is that of the
    plumbing unless the lifespan adds checks of its own: `health_of(app).add("kafka", check)`. Routers are
    `shared.http.routing.Router`.
    """
    app = ServiceApp(
        title=title,
        description=description,
        version=version(),
        lifespan=_watched(lifespan),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"logs": False, "metrics": False, "tracing": False},
    )
    app.state.health = Health()
    app.state.limiter = RateLimiter(clock or SystemClock())
    app.add_middleware(Edge, health=app.state.health)
    for kind in (TellbackError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _on_error)
    for router in (health.router, *routers):
        _refuse_stock_routes(router)
        app.include_router(router, max_body_size=BODY_BYTES)
    serve_docs(app)
    metrics.announce(service)
    return app


def _watched(lifespan: Lifespan) -> Lifespan:
    """The lifespan, with its start and end recorded in the health of the service."""

    @asynccontextmanager
    async def watched(app: FastAPI) -> AsyncIterator[None]:
        health = health_of(app)
        async with lifespan(app):
            plumbing = getattr(app.state, "plumbing", None)
            if plumbing is not None and not health.has_checks:
                health.add("plumbing", _plumbing_check(plumbing.not_ready))
                health.remarks = plumbing.remarks
                health.shut = plumbing.shut
            health.started = True
            yield
            health.stopping = True

    return watched


def _plumbing_check(not_ready: Callable[[], Awaitable[list[str]]]) -> Check:
    """The readiness check of a service that adds none of its own: all of its plumbing."""

    async def check() -> str | None:
        return ", ".join(await not_ready()) or None

    return check


def _refuse_stock_routes(router: APIRouter) -> None:
    for route in router.routes:
        if isinstance(route, APIRoute) and not isinstance(route, EdgeRoute):
            raise TypeError(f"{route.path} must be declared on a shared.http.routing.Router")


async def _on_error(request: Request, error: Exception) -> Response:
    """The problem for an expected error, for broken rules of fields, and for an error of the framework, whose text is
    replaced."""
    request_id = request_id_of(request.scope)
    match error:
        case TellbackError():
            return problem_response(error, request_id)
        case RequestValidationError():
            return problem_response(_refusal(error), request_id)
        case HTTPException():
            return problem_response(of_status(error.status_code), request_id, error.headers)
        case _:
            raise error


def _refusal(error: RequestValidationError) -> TellbackError:
    """The error that names the broken rules. An id in the path that cannot be one of ours is `NotFound`, like any
    unknown id."""
    items = error.errors()
    if all(item["loc"][0] == "path" and item["type"] == "uuid_parsing" for item in items):
        return of_status(404)
    return invalid(items, skip=1)
