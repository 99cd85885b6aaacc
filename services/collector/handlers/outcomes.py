"""Matches answers with the items that they belong to."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from shared.errors import TellbackError

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_place(items: Sequence[Item | TellbackError], answers: Iterable[Answer]) -> list[Answer | TellbackError]:
    """The answers at the positions of their items; an item that was refused before keeps its error."""
    following = iter(answers)
    outcomes: list[Answer | TellbackError] = []
    for item in items:
        if isinstance(item, TellbackError):
            outcomes.append(item)
        else:
            outcomes.append(next(following))
    return outcomes
