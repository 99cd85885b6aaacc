"""Exceptions in logs: place and type, without the data that messages may contain."""

import traceback
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

MAX_CHAIN = 5


def rendered(error: BaseException) -> str:
    """The exception and its causes as text, the outermost first: type, safe message, and one line a frame."""
    return "\nbecause of ".join(_one(link) for link in _chain(error))


def without_data(error: BaseException) -> str:
    """The exception and its causes without any text that a record may contain: types, SQLSTATE, constraint, frames."""
    return "\nbecause of ".join("\n".join([_facts(link), *_frames(link)]) for link in _chain(error))


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
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _one(error: BaseException) -> str:
    message = safe_message(error)
    return "\n".join([f"{kind_of(error)}: {message}" if message else kind_of(error), *_frames(error)])


def _facts(error: BaseException) -> str:
    state, constraint = (getattr(error, name, None) for name in ("sqlstate", "constraint_name"))
    known = [f"SQLSTATE {state}"] * bool(state) + [f"constraint {constraint}"] * bool(constraint)
    return ", ".join([kind_of(error), *known])


def _frames(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
