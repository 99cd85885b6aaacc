"""Batches: the forms in which their items are sent (an array in an object, or NDJSON), and the answer for each item."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from services.collector.handlers.fast_parse import MAX_ITEMS
from services.collector.handlers.refusals import refused
from shared.errors import Invalid, TellbackError, Unavailable
from shared.http import strict_json
from shared.http.problem import invalid, problem_body
from shared.http.routing import require_media_type
from shared.ids import canonical_id

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
"""Media types of NDJSON; the first is the usual one."""
_MOST_CHARACTERS = 1_000

Schema = dict[str, Any]
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


async def read_arrays(request: Request, *names: str) -> dict[str, list[Any]] | list[Any]:
    """The arrays of a JSON object by their names, or the lines of NDJSON in one list; a line that is not JSON is its
    error. Raises `Invalid` for any other form, and for more than 1,000 items."""
    kind = require_media_type(request.headers, "application/json", *NDJSON)
    if kind in NDJSON:
        lines = [line for line in (await request.body()).split(b"\n") if line.strip()]
        _at_most(len(lines), "body")
        return [_line(line) for line in lines]
    body = strict_json.loads_items(await request.body())
    if not isinstance(body, dict):
        raise refused("body", "invalid_type", f"must be an object with {' or '.join(names)}")
    if unknown := [name for name in body if name not in names]:
        raise invalid([{"loc": (name,), "type": "extra_forbidden", "msg": ""} for name in unknown])
    arrays = {name: body[name] for name in names if name in body}
    if not arrays:
        raise invalid([{"loc": (names[0],), "type": "missing", "msg": ""}])
    for name, array in arrays.items():
        if not isinstance(array, list):
            raise refused(name, "invalid_type", "must be an array")
    _at_most(sum(map(len, arrays.values())), names[0])
    return arrays


async def read_items(request: Request, name: str) -> list[Any]:
    """The items of a batch of one kind: the array `name` of a JSON object, or the lines of NDJSON, with an error for a
    line that is not JSON. Raises `Invalid` for any other form, and for more than 1,000 items."""
    arrays = await read_arrays(request, name)
    if isinstance(arrays, list):
        return arrays
    return arrays[name]


def _line(line: bytes) -> Any:
    try:
        return strict_json.loads(line)
    except TellbackError as error:
        return error


def _at_most(count: int, field: str) -> None:
    if count > MAX_ITEMS:
        raise refused(field, "too_many_items", f"a batch has at most {MAX_ITEMS} items")


def each(model: type[M], items: Sequence[Any], use: Callable[[M, int], T]) -> list[T | TellbackError]:
    """Validate every item by the model and pass it to `use`; an item that is refused becomes its error, and costs no
    other item."""
    return [_one(model, item, index, use) for index, item in enumerate(items)]


def _one(model: type[M], item: Any, index: int, use: Callable[[M, int], T]) -> T | TellbackError:
    if isinstance(item, TellbackError):
        return item
    if not isinstance(item, dict):
        return refused("body", "invalid_type", "must be an object")
    try:
        return use(model.model_validate(item), index)
    except ValidationError as error:
        return invalid(error)
    except Invalid as error:
        return error


def sent_id(item: Any, name: str) -> str | None:
    """The id that a client sent with a refused item, to be repeated in the answer; None where it is malformed."""
    if not isinstance(item, dict):
        return None
    value = item.get(name)
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        return None
    try:
        return canonical_id(value)
    except ValueError:
        return None


def answer(outcomes: Sequence[object], facts: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """The answer to a batch: for each item its outcome and some facts; every outcome that is no error means accepted.
    Raises `Unavailable` when no item was taken because Kafka and PostgreSQL are away."""
    results = [{"index": index} | dict(fact) for index, fact in enumerate(facts)]
    counts = {"accepted": 0, "rejected": 0, "unavailable": 0}
    for result, outcome in zip(results, outcomes, strict=True):
        status = "accepted"
        if isinstance(outcome, TellbackError):
            status = "rejected"
            if isinstance(outcome, Unavailable):
                status = "unavailable"
            result["problem"] = problem_body(outcome)
        result["status"] = status
        counts[status] += 1
    if counts["unavailable"] and not counts["accepted"]:
        raise next(outcome for outcome in outcomes if isinstance(outcome, Unavailable))
    return JSONResponse({**counts, "results": results})


def body_of(example: Mapping[str, Any], *single: Schema, **arrays: Schema) -> dict[str, Any]:
    """OpenAPI's description of a body that `read_arrays` parses: array name -> schema of its items. `single` are
    schemas of single items that may be sent without an array."""
    schema: Schema = {
        "type": "object",
        "properties": {name: {"type": "array", "maxItems": MAX_ITEMS, "items": of} for name, of in arrays.items()},
        "additionalProperties": False,
        "minProperties": 1,
    }
    if single:
        schema = {"oneOf": [*single, schema]}
    line = {"type": "string", "description": "One item a line."}
    items = itertools.chain.from_iterable(example.values())
    lines = "\n".join(map(json.dumps, items))
    content = {
        "application/json": {"schema": schema, "example": example},
        NDJSON[0]: {"schema": line, "example": lines},
    }
    return {"requestBody": {"required": True, "content": content}}


def known(model: type[BaseModel]) -> Schema:
    """The schema of a model that another call declares as its body."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}
