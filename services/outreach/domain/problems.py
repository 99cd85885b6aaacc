"""What is wrong with a document or a form, field by field, in the form in which every API of ours says it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One fault or warning. `field`: where, dots between levels. `code`: stable. `detail`: for people; it never repeats
    the input."""

    field: str
    code: str
    detail: str

    def document(self) -> dict[str, str]:
        """As an entry of `errors` or `warnings`."""
        return {"field": self.field, "code": self.code, "detail": self.detail}


class Faulty(Exception):
    """A document or a form that is not taken; `problems` has at least one entry."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        super().__init__("a document or a form that is not taken")
        self.problems = tuple(problems)

    @property
    def errors(self) -> list[dict[str, str]]:
        """For the `errors` of `Invalid`."""
        return [problem.document() for problem in self.problems]
