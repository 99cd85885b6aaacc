"""Who asks, and whether they may: `Authorization: Bearer tb_…`, one header, nowhere else.

`requires("read")` is the dependency of a route; the aliases at the end are the usual way to write it.
"""

from collections.abc import Iterable
from functools import cache
from typing import Annotated

from fastapi import Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from shared.access.caller import Caller, Scope
from shared.access.keystore import KeyStore, unauthorized

_CALLER = "tellback.caller"


async def authenticate(keys: KeyStore, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
    """The caller of a request with these ASGI headers. Raises `Unauthorized` or `Unavailable`."""
    shown = [value for name, value in headers if name == b"authorization"]
    if len(shown) != 1:
        raise unauthorized()
    scheme, _, token = shown[0].partition(b" ")
    if scheme.lower() != b"bearer":
        raise unauthorized()
    return await keys.authenticate(token.strip().decode("latin-1"))


class Requires(SecurityBase):
    """A dependency that gives the caller, who must hold `scope` (None: any valid key)."""

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope
        self.scheme_name = "api_key"
        self.model = HTTPBearer(
            bearerFormat="tb_<id>_<secret>",
            description="An API key, made by `tellback keys` or `POST /v1/keys`.",
        )

    async def __call__(self, request: Request) -> Caller:
        """Raises `Unauthorized`, `Forbidden`, `TooMany` or `Unavailable`. A request is looked at once."""
        caller = request.scope.get(_CALLER)
        if not isinstance(caller, Caller):
            caller = await authenticate(request.app.state.plumbing.keys, request.scope["headers"])
            request.app.state.limiter.take(caller)
            request.scope[_CALLER] = caller
        if self.scope is not None:
            caller.require(self.scope)
        return caller


@cache
def requires(scope: Scope | None) -> Requires:
    """The dependency for `scope`; the same object each time, so that one request is looked at once."""
    return Requires(scope)


AnyCaller = Annotated[Caller, Security(requires(None))]
Reader = Annotated[Caller, Security(requires("read"), scopes=["read"])]
Ingester = Annotated[Caller, Security(requires("ingest"), scopes=["ingest"])]
Actor = Annotated[Caller, Security(requires("act"), scopes=["act"])]
Manager = Annotated[Caller, Security(requires("manage"), scopes=["manage"])]
Eraser = Annotated[Caller, Security(requires("erase"), scopes=["erase"])]
