"""Authentication and scopes: `Authorization: Bearer tb_…`, one header, nowhere else.

`requires("read")` is the dependency of a route; the aliases at the end are the usual way to write it.
"""

import base64
import binascii
from collections.abc import Iterable
from functools import cache
from typing import Annotated

from fastapi import Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from shared.access.caller import Caller, Scope
from shared.access.keystore import KeyStore, unauthorized
from shared.errors import Forbidden

_CALLER = "tellback.caller"


async def authenticate(keys: KeyStore, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
    """The caller of a request with these ASGI headers. Raises `Unauthorized` or `Unavailable`."""
    shown = [value for name, value in headers if name == b"authorization"]
    if len(shown) != 1:
        raise unauthorized()
    return await keys.authenticate(_token(shown[0]))


def _token(authorization: bytes) -> str:
    """The key in the header: as a bearer, or as the user name of Basic, which is how older tools show theirs."""
    scheme, _, shown = authorization.partition(b" ")
    shown = shown.strip()
    if scheme.lower() == b"basic":
        try:
            shown = base64.b64decode(shown, validate=True).partition(b":")[0]
        except binascii.Error:
            raise unauthorized() from None
    elif scheme.lower() != b"bearer":
        raise unauthorized()
    return shown.decode("latin-1")


class Requires(SecurityBase):
    """A dependency that gives the caller, who must hold `scope` (None: any valid key)."""

    def __init__(self, scope: Scope | None, *, publishable: bool = False) -> None:
        self.scope = scope
        self.publishable = publishable
        self.scheme_name = "api_key"
        self.model = HTTPBearer(
            bearerFormat="tb_<id>_<secret>",
            description="An API key, made by `tellback keys` or `POST /v1/keys`.",
        )

    async def __call__(self, request: Request) -> Caller:
        """Raises `Unauthorized`, `Forbidden`, `TooMany` or `Unavailable`. The caller of a request is looked up once."""
        caller = request.scope.get(_CALLER)
        if not isinstance(caller, Caller):
            caller = await authenticate(request.app.state.plumbing.keys, request.scope["headers"])
            address = ""
            if request.client is not None:
                address = request.client.host
            request.app.state.limiter.take(caller, address)
            request.scope[_CALLER] = caller
        if caller.publishable:
            self._require_browser(caller, request)
        elif self.scope is not None:
            caller.require(self.scope)
        return caller

    def _require_browser(self, caller: Caller, request: Request) -> None:
        """A publishable key may only post responses, and only from its own origins."""
        if not self.publishable:
            raise Forbidden("publishable_key", "a publishable key may post responses and nothing else")
        if request.headers.get("origin") not in caller.origins:
            raise Forbidden("origin_not_allowed", "the key may not be used from this origin")


@cache
def requires(scope: Scope | None, *, publishable: bool = False) -> Requires:
    """The dependency for `scope`; the same object each time, so that the caller of a request is looked up once. With
    `publishable` a browser's key will do as well."""
    return Requires(scope, publishable=publishable)


AnyCaller = Annotated[Caller, Security(requires(None))]
Reader = Annotated[Caller, Security(requires("read"), scopes=["read"])]
Poster = Annotated[Caller, Security(requires("ingest", publishable=True), scopes=["ingest"])]
"""A caller who may post a response, also a browser with a publishable key."""
Ingester = Annotated[Caller, Security(requires("ingest"), scopes=["ingest"])]
Actor = Annotated[Caller, Security(requires("act"), scopes=["act"])]
Manager = Annotated[Caller, Security(requires("manage"), scopes=["manage"])]
Eraser = Annotated[Caller, Security(requires("erase"), scopes=["erase"])]
