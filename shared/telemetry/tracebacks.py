"""Exceptions in logs: place and type, without the data that messages may contain."""

import traceback
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

MAX_CHAIN = 5
BECAUSE = "\nbecause of "


def rendered(error: BaseException) -> str:
    """The exception and its causes as text, the outermost first: type, safe message, and one line a frame."""
    return BECAUSE.join(_with_message(link) for link in _chain(error))


def without_data(error: BaseException) -> str:
    """The exception and its causes without any text that a record may contain: types, SQLSTATE, constraint, frames."""
    return BECAUSE.join(_without_message(link) for link in _chain(error))


def kind_of(error: BaseException) -> str:
    """The full name of the type; `KeyError`, `asyncpg.exceptions.DataError`."""
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def safe_message(error: BaseException) -> str:
    """The message, unless its type repeats the input. A validation error of pydantic holds the values, an error of the
    database driver the statement's parameters and the row; of these only types, fields and SQLSTATE are returned."""
    if isinstance(error, ValidationError):
        kinds = sorted({item["type"] for item in error.errors(include_input=False, include_url=False)})
        return f"{error.error_count()} error(s) in {error.title}: {', '.join(kinds)}"
    state: Any = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None)
    if state is not None:
        return f"SQLSTATE {state}"
    if type(error).__module__.startswith(("sqlalchemy", "asyncpg")):
        return ""
    return str(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(MAX_CHAIN):
        if link is None:
            return
        yield link
        cause = link.__cause__
        if cause is None and not link.__suppress_context__:
            cause = link.__context__
        link = cause


def _with_message(error: BaseException) -> str:
    text = kind_of(error)
    message = safe_message(error)
    if message:
        text += f": {message}"
    return text + _frames(error)


def _without_message(error: BaseException) -> str:
    text = kind_of(error)
    state = getattr(error, "sqlstate", None)
    if state:
        text += f", SQLSTATE {state}"
    constraint = getattr(error, "constraint_name", None)
    if constraint:
        text += f", constraint {constraint}"
    return text + _frames(error)


def _frames(error: BaseException) -> str:
    """Where the exception passed, one line a frame, each after a line break."""
    text = ""
    for frame in traceback.extract_tb(error.__traceback__):
        text += f'\n  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
    return text
