"""The OpenAPI document: FastAPI's, with the problems that each call can answer."""

from collections.abc import Iterator
from typing import Any

from shared.errors import TellbackError
from shared.http.problem import MEDIA_TYPE, Problem, of_status, problem_body

_METHODS = ("get", "put", "post", "delete", "patch")
_ALWAYS = (400, 415, 422, 431, 500)
_WITH_KEY = (401, 403, 429, 503)
_WITH_BODY = (413,)
_WITH_PATH_ID = (404,)
_STOCK_SCHEMAS = ("HTTPValidationError", "ValidationError")
_EXAMPLE_ERRORS = [{"field": "score", "code": "less_than_equal", "detail": "must be less than or equal to 10"}]


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Add to each call the problems that it can answer, unless it describes them itself; changes `document`."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["Problem"].pop("$defs", {})
    used: set[int] = set()
    for operation in _operations(document):
        statuses = _statuses(operation)
        used |= set(statuses)
        for status in statuses:
            declared = operation["responses"].get(str(status))
            if declared is None or _is_stock(declared):
                operation["responses"][str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
        operation["responses"] = dict(sorted(operation["responses"].items()))
    components["responses"] = {f"Problem{status}": _response(status) for status in sorted(used)}
    for name in _STOCK_SCHEMAS:
        schemas.pop(name, None)
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for method in _METHODS:
            if method in item:
                yield item[method]


def _statuses(operation: dict[str, Any]) -> list[int]:
    statuses = list(_ALWAYS)
    if operation.get("security"):
        statuses += _WITH_KEY
    if "requestBody" in operation:
        statuses += _WITH_BODY
    if any(parameter.get("in") == "path" for parameter in operation.get("parameters", [])):
        statuses += _WITH_PATH_ID
    return statuses


def _is_stock(response: dict[str, Any]) -> bool:
    """Whether FastAPI added the response by itself: its validation error is not the one that we answer."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).endswith("/HTTPValidationError")


def _response(status: int) -> dict[str, Any]:
    error: TellbackError = of_status(status)
    if status == 422:
        error.errors = _EXAMPLE_ERRORS
    described: dict[str, Any] = {
        "description": error.title,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": problem_body(error, "01985b3c7d0e7b6a9f1e2d3c4b5a6978"),
            }
        },
    }
    if status in (429, 503):
        described["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return described
