"""JSON without surprises: UTF-8 only, each key once, bounded depth, numbers and texts that can be stored."""

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import BadRequest, Invalid
from shared.http.problem import printable_name

MAX_DEPTH = 32
MAX_INTEGER = 2**63 - 1
_MAX_INTEGER_DIGITS = len(str(MAX_INTEGER)) + 1
_SUSPICIOUS_ESCAPE = re.compile(rb"\\u(?:d[89a-f]|0000)", re.IGNORECASE)
"""A surrogate or NUL can only come as an escape: raw ones are neither UTF-8 nor JSON."""


def loads(body: bytes) -> Any:
    """Parse JSON. Raises `BadRequest` for a body that is not UTF-8 JSON (`not_utf8`, `malformed_json`), and `Invalid`
    for `duplicate_key`, `number_out_of_range` (beyond 64 bits, infinite, NaN), `too_deep`, `lone_surrogate` and
    `nul_character`."""
    text = _text(body)
    value = _decoded(_DECODER, text)
    _check_depth(value, text)
    if _SUSPICIOUS_ESCAPE.search(body):
        _check_texts(value)
    return value


def loads_items(body: bytes) -> Any:
    """Parse a JSON object of arrays whose items are checked one by one: an item that `loads` would refuse becomes its
    `Invalid`, and costs no other item. For faults outside of the items it raises as `loads` does."""
    try:
        return loads(body)
    except Invalid as refused:
        value = _decoded(_FORGIVING, _text(body))
        if not isinstance(value, dict) or not all(isinstance(array, list) for array in value.values()):
            raise refused from None
    _check_texts(list(value))
    return {name: [_item(item) for item in array] for name, array in value.items()}


def _decoded(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError:
        raise BadRequest("malformed_json", "the body is not valid JSON") from None
    except RecursionError:
        raise _too_deep() from None


def _item(item: Any) -> Any:
    """The item, or the error that refuses it."""
    level = [item]
    for _ in range(MAX_DEPTH - 2):  # the object and the array around it are levels, too
        for value in level:
            if isinstance(value, Invalid):
                return value
        level = _level_below(level)
    try:
        _check_texts(item)
    except Invalid as fault:
        return fault
    if any(isinstance(value, dict | list | Invalid) for value in level):
        return _too_deep()
    return item


def _text(body: bytes) -> str:
    if body.startswith(b"\xef\xbb\xbf"):
        raise BadRequest("not_utf8", "the body must be UTF-8 without a byte order mark")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("not_utf8", "the body must be UTF-8") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            name = printable_name(key)
            raise Invalid(
                "duplicate_key",
                "a key stands twice in one object",
                errors=[{"field": name, "code": "duplicate_key", "detail": "stands twice"}],
            )
        seen.add(key)
    return value


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_INTEGER_DIGITS and abs(value := int(digits)) <= MAX_INTEGER:
        return value
    raise _out_of_range()


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _out_of_range()
    return value


def _constant(_name: str) -> Any:
    raise _out_of_range()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)


def _kept(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`read`, which returns its error as the value instead of raising it."""

    def reading(raw: Any) -> Any:
        try:
            return read(raw)
        except Invalid as fault:
            return fault

    return reading


_FORGIVING = json.JSONDecoder(
    object_pairs_hook=_kept(_object),
    parse_int=_kept(_integer),
    parse_float=_kept(_number),
    parse_constant=_kept(_constant),
)


def _out_of_range() -> Invalid:
    return Invalid("number_out_of_range", "a number is not finite or beyond 64 bits")


def _too_deep() -> Invalid:
    return Invalid("too_deep", f"the body nests deeper than {MAX_DEPTH} levels")


def _check_depth(value: Any, text: str) -> None:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for child in _level_below(level) if isinstance(child, dict | list)]
        if not level:
            return
    raise _too_deep()


def _level_below(level: Sequence[Any]) -> list[Any]:
    """The values of all objects and arrays of one level."""
    below: list[Any] = []
    for value in level:
        if isinstance(value, dict):
            below += value.values()
        elif isinstance(value, list):
            below += value
    return below


def _check_texts(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            check_text(item)
        elif isinstance(item, dict):
            waiting += item.keys()
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def check_text(text: str) -> None:
    """Raises `Invalid` for a text that PostgreSQL cannot store: `nul_character` and `lone_surrogate`."""
    if "\0" in text:
        raise Invalid("nul_character", "a text holds the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("lone_surrogate", "a text is not valid Unicode") from None
