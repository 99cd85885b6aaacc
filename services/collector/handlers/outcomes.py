"""Answers of several items in the places of the items."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from shared.errors import TellbackError

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_place(items: Sequence[Item | TellbackError], answers: Iterable[Answer]) -> list[Answer | TellbackError]:
    """Each answer in the place of the item that it is of; what was refused before keeps its error."""
    following = iter(answers)
    outcomes: list[Answer | TellbackError] = []
    for item in items:
        if isinstance(item, TellbackError):
            outcomes.append(item)
        else:
            outcomes.append(next(following))
    return outcomes
