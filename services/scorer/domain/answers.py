"""One answer, the order of answers, and what the two methods pick of them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from services.scorer.domain.windows import Span

Method = Literal["latest", "all", "mean_of_accounts", "revenue_weighted"]
ACCOUNT_METHODS: Final[tuple[Method, ...]] = ("latest", "all")
PORTFOLIO_METHODS: Final[tuple[Method, ...]] = ("latest", "all", "mean_of_accounts", "revenue_weighted")


class Answer(NamedTuple):
    """One live answer of one account to one kind of survey. `question_id` is set where it is an entry of a
    submission's `answers`, else empty."""

    response_id: str
    stakeholder_id: str
    answered_at: datetime
    score: int
    question_id: str = ""

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Answers are ordered by when people answered, then by their ids; never by arrival."""
        return self.answered_at, self.response_id, self.question_id


class History:
    """The answers of one account in order. They must be of one survey type, live and already filtered."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.answers: Sequence[Answer] = sorted(answers, key=attrgetter("order"))
        self._moments = [answer.answered_at for answer in self.answers]

    def within(self, span: Span) -> Sequence[Answer]:
        """The answers of a span, in order."""
        return self.answers[self._position(span.after) : self._position(span.upto)]

    def first_after(self, moment: datetime) -> datetime | None:
        """When the next answer after the moment was, or will be, given."""
        position = self._position(moment)
        if position == len(self._moments):
            return None
        return self._moments[position]

    def _position(self, moment: datetime) -> int:
        return bisect_right(self._moments, moment)


def latest_of(answers: Sequence[Answer]) -> dict[str, Answer]:
    """The last answer of each stakeholder, of answers that are in order."""
    return {answer.stakeholder_id: answer for answer in answers}
