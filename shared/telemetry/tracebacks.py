"""Exceptions in logs: where it happened and what kind it was, without the data that messages may hold."""

import traceback
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

MAX_CHAIN = 5


def rendered(error: BaseException) -> str:
    """The exception and its causes as text, the outermost first: type, safe message, and one line a frame."""
    return "\nbecause of ".join(_one(link) for link in _chain(error))


def safe_message(error: BaseException) -> str:
    """The message, unless it is of a kind that repeats its input.

    A validation error of pydantic holds the values, an error of the database driver the statement's
    parameters and the row; of these only kinds, fields and SQLSTATE are told.
    """
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
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _one(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    message = safe_message(error)
    frames = [
        f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return "\n".join([f"{kind}: {message}" if message else kind, *frames])
