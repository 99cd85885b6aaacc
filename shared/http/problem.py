"""Errors on the wire: RFC 9457 problem+json with a stable `code`, and no text of the input."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core.core_schema import ErrorType
from starlette.responses import Response

from shared.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    TellbackError,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tellback:problem:"
MAX_FIELD_ERRORS = 50
_PRINTABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_UNNAMED = "(unnamed)"


class MethodNotAllowed(TellbackError):
    """The resource does not know this method."""

    status, title = 405, "Method not allowed"


class HeadersTooLarge(TellbackError):
    """The headers are larger than the server reads."""

    status, title = 431, "Request header fields too large"


class FieldError(BaseModel):
    """What is wrong with one field of the request."""

    field: str = Field(description="Where, dots between levels; `(unnamed)` stands for a name we do not repeat.")
    code: str = Field(description="Stable and machine-readable.")
    detail: str = Field(description="For people.")


class Problem(BaseModel):
    """An error as RFC 9457 has it."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="A URN made of the code.")
    title: str = Field(description="The kind of error, the same for every problem of this status.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="Stable and machine-readable; switch on this.")
    detail: str | None = Field(default=None, description="For people; never repeats the input.")
    errors: list[FieldError] | None = Field(default=None, description="The fields at fault.")
    request_id: str | None = Field(default=None, description="Also in `X-Request-ID` and in the logs.")


def problem_body(error: TellbackError, request_id: str | None = None) -> dict[str, Any]:
    """The problem as a JSON object, also for one item of a batch."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "code": error.code,
    }
    if error.detail:
        body["detail"] = error.detail
    if error.errors:
        body["errors"] = error.errors
    if request_id:
        body["request_id"] = request_id
    return body


def problem_headers(error: TellbackError) -> dict[str, str]:
    """Headers that belong to the error: when to retry, how to authenticate, that the connection closes."""
    headers = {"cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, TooLarge):
        headers["connection"] = "close"  # else the server would go on reading the body
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="tellback"'
    return headers


def problem_response(
    error: TellbackError, request_id: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The error as an answer."""
    content = json.dumps(problem_body(error, request_id), ensure_ascii=False).encode()
    return Response(content, error.status, headers=problem_headers(error) | dict(headers or {}), media_type=MEDIA_TYPE)


_BY_STATUS: dict[int, tuple[type[TellbackError], str, str]] = {
    400: (BadRequest, "malformed_request", "the request cannot be read"),
    401: (Unauthorized, "unauthorized", "a valid API key is needed"),
    403: (Forbidden, "forbidden", "the key does not allow this"),
    404: (NotFound, "not_found", "there is no such resource"),
    405: (MethodNotAllowed, "method_not_allowed", "the resource does not know this method"),
    409: (Conflict, "conflict", "the state does not allow this"),
    410: (Gone, "gone", "it is no longer there"),
    413: (TooLarge, "body_too_large", "the body is larger than this call takes"),
    415: (UnsupportedMedia, "unsupported_media_type", "the content type is not taken"),
    422: (Invalid, "invalid_request", "the request breaks a rule"),
    429: (TooMany, "too_many_requests", "over the rate limit"),
    431: (HeadersTooLarge, "headers_too_large", "the headers are larger than we read"),
    503: (Unavailable, "unavailable", "try again later"),
}


def of_status(status: int) -> TellbackError:
    """The error for a status of the framework, without the framework's text."""
    if status in _BY_STATUS:
        kind, code, detail = _BY_STATUS[status]
        return kind(code, detail)
    if 400 <= status < 500:
        error = TellbackError("refused", "the request was refused")
        error.status, error.title = status, "Refused"
        return error
    return internal_error()


def internal_error() -> TellbackError:
    """The error that callers get for an unexpected failure."""
    return TellbackError("internal_error", "an unexpected error; the log has it under the request id")


def invalid(errors: ValidationError | Iterable[Mapping[str, Any]], *, skip: int = 0) -> Invalid:
    """Validation errors of pydantic as `Invalid`, without any value of the input. `skip` leaves out the first parts of
    each location (1 for FastAPI's `body` or `query`)."""
    if isinstance(errors, ValidationError):
        errors = errors.errors(include_url=False)
    field_errors = [_field_error(item, skip) for item in errors]
    detail = "the request breaks the rules of its fields"
    if len(field_errors) > MAX_FIELD_ERRORS:
        detail += f"; the first {MAX_FIELD_ERRORS} of {len(field_errors)} are listed"
    return Invalid("invalid_request", detail, errors=field_errors[:MAX_FIELD_ERRORS])


def printable_name(name: object) -> str:
    """A field name that came from outside, if it is harmless to repeat."""
    text = str(name)
    if not _PRINTABLE_NAME.fullmatch(text):
        return _UNNAMED
    return text


def _field_error(item: Mapping[str, Any], skip: int) -> dict[str, str]:
    code, detail = _meaning(item)
    return {"field": _path(item["loc"][skip:]), "code": code, "detail": detail}


def _path(location: Sequence[object]) -> str:
    return ".".join(printable_name(part) for part in location) or "body"


_OF_PYDANTIC = frozenset(get_args(ErrorType))
_RENAMED = {
    "extra_forbidden": "unknown_field",
    "value_error": "invalid_value",
    "model_attributes_type": "object_type",
    "model_type": "object_type",
    "dict_type": "object_type",
    "tuple_type": "list_type",
    "set_type": "list_type",
    "frozen_set_type": "list_type",
}
_OWN_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this call",
    "int_parsing": "must be an integer",
    "int_parsing_size": "is out of range",
    "int_from_float": "must be an integer",
    "uuid_parsing": "must be a UUID",
    "union_tag_invalid": "is not one of the allowed kinds",
    "json_invalid": "must be JSON",
    "model_attributes_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be a JSON array",
    "tuple_type": "must be a JSON array",
    "set_type": "must be a JSON array",
    "frozen_set_type": "must be a JSON array",
}
# The messages of these errors consist of the rule alone. All others may repeat a piece of the input.
_MESSAGE_IS_SAFE = frozenset(
    {
        *("string_type", "string_too_short", "string_too_long", "literal_error", "enum", "none_required"),
        *("int_type", "float_type", "bool_type", "bool_parsing", "float_parsing", "finite_number"),
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of"),
        *("too_short", "too_long", "datetime_type", "date_type", "timezone_aware", "timezone_naive", "uuid_type"),
        *("decimal_type", "decimal_max_digits", "decimal_max_places", "decimal_whole_digits"),
    }
)


def _meaning(item: Mapping[str, Any]) -> tuple[str, str]:
    """The stable code of one validation error, and a text without the input."""
    kind = str(item["type"])
    code = _RENAMED.get(kind, kind)
    if kind in _OWN_WORDS:
        return code, _OWN_WORDS[kind]
    if kind == "value_error":
        error = (item.get("ctx") or {}).get("error")
        if type(error) is ValueError and not _repeats(error, item):
            return code, str(error)
        return code, "is not valid"
    if kind in _MESSAGE_IS_SAFE or kind not in _OF_PYDANTIC:
        return code, str(item["msg"]).replace("Input should be", "must be").replace("should", "must")
    return code, "is not valid"


def _repeats(error: ValueError, item: Mapping[str, Any]) -> bool:
    """Whether a validator's text contains the input, as those of int() and fromisoformat() do."""
    given = item.get("input")
    return isinstance(given, str) and (f"'{given}'" in str(error) or (len(given) > 3 and given in str(error)))
