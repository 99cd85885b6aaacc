"""Routes that check a request in this order: the caller, the content type, the size, the JSON, the fields."""

from collections.abc import Callable, Coroutine, Iterator
from email.message import Message
from typing import Any

from fastapi import APIRouter, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import FormData, Headers
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import Invalid, UnsupportedMedia
from shared.http import strict_json
from shared.http.auth import Requires
from shared.http.problem import printable_name

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
CALLS = "/v1/"
"""Prefix of the API's paths. Pages and probes beside them are opened by links, to which other programs add
parameters."""
MAX_UNKNOWN = 50
_TELLING = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose body says what is asked for; for the others the query says all."""
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class _StrictRequest(Request):
    """A request whose JSON is read strictly, once."""

    async def json(self) -> Any:
        if not hasattr(self, "_value"):
            self._value = strict_json.loads(await self.body())
        return self._value


class EdgeRoute(APIRoute):
    """A route behind the edge. Bodies declared as models are JSON; forms are forms; other routes read the body
    themselves. A parameter that the call does not know is refused rather than ignored, where the query says what is
    asked for."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler, which would read the body before it knows the caller."""
        handle = super().get_route_handler()
        requirements = list(dict.fromkeys(_requirements(self.dependant)))
        form = self.body_field is not None and isinstance(self.body_field.field_info, params.Form)
        json = self.body_field is not None and not form
        asking = self.path.startswith(CALLS) and _TELLING.isdisjoint(self.methods or ())
        parameters = None
        if asking:
            parameters = frozenset(_query_names(self.dependant))

        async def guarded(request: Request) -> Response:
            for requirement in requirements:
                await requirement(request)
            if parameters is not None:
                _require_known(request, parameters)
            strict = _StrictRequest(request.scope, request.receive)
            try:
                if form:
                    require_media_type(request.headers, *_FORMS)
                    _check_texts(await strict.form())
                elif json and has_body(request.headers):
                    require_media_type(request.headers, "application/json")
                    if await strict.body():
                        await strict.json()
                return await handle(strict)
            finally:
                await strict.close()

        return guarded


class Router(APIRouter):
    """An `APIRouter` of routes behind the edge; `create_app` takes no other."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=EdgeRoute, **options)


def _requirements(dependant: Dependant) -> Iterator[Requires]:
    if isinstance(dependant.call, Requires):
        yield dependant.call
    for needed in dependant.dependencies:
        yield from _requirements(needed)


def _query_names(dependant: Dependant) -> Iterator[str]:
    """The names of a route's query parameters, including those of its dependencies."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, model_field in kind.model_fields.items():
                yield model_field.alias or name
        else:
            yield field.alias
    for needed in dependant.dependencies:
        yield from _query_names(needed)


def _require_known(request: Request, parameters: frozenset[str]) -> None:
    """Raises `Invalid` for an unknown parameter: ignoring it would change the meaning of the answer."""
    unknown = dict.fromkeys(name for name in request.query_params if name not in parameters)
    if unknown:
        errors = [
            {"field": printable_name(name), "code": "unknown_field", "detail": "is not a parameter of this call"}
            for name in list(unknown)[:MAX_UNKNOWN]
        ]
        raise Invalid("invalid_request", "the request breaks the rules of its fields", errors=errors)


def _check_texts(form: FormData) -> None:
    """Raises `Invalid` for a field whose text cannot be stored. The content of a file is checked by its reader."""
    for name, value in form.multi_items():
        strict_json.check_text(name)
        text = value
        if not isinstance(text, str):
            text = text.filename or ""
        try:
            strict_json.check_text(text)
        except Invalid as error:
            field = {"field": printable_name(name), "code": error.code, "detail": error.detail}
            raise Invalid("invalid_request", "the request breaks the rules of its fields", errors=[field]) from None


def has_body(headers: Headers) -> bool:
    """Whether the request announces a body."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def require_media_type(headers: Headers, *allowed: str) -> str:
    """The content type of the body. Raises `UnsupportedMedia` when it is not allowed or not UTF-8."""
    shown = headers.get("content-type", "")
    if shown in allowed:
        return shown
    message = Message()
    message["content-type"] = shown
    kind = message.get_content_type()
    if not shown or kind not in allowed:
        raise UnsupportedMedia("unsupported_media_type", f"the body must be {' or '.join(allowed)}")
    charset = message.get_content_charset("utf-8")
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMedia("unsupported_charset", "the body must be UTF-8")
    return kind
