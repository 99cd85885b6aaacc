"""What is asked of many accounts at once, and the values that its statements bind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from services.scorer.domain.questions import OF_ACCOUNT, Filters
from services.scorer.domain.windows import STANDARD_WINDOWS, Window
from services.scorer.store.reading.pool import parameters

POINTS_AT_ONCE: Final = 4
"""A statement may take 10 s; with a million answers this many points take a fraction of that."""
Group = tuple[int, tuple[str | None, ...]]
"""The number of the point, and the values of the attributes that split."""
_STANDARD: Final = frozenset(STANDARD_WINDOWS)
_KEPT_BY: Final = frozenset((*OF_ACCOUNT, "account_id"))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of many accounts. `split` names attributes (`account_id` or those of group_by), `moments`
    are the points, `classes` is needed when split by class, `account_ids` restricts to some accounts. Where the only
    moment is now, `stale` are the accounts whose kept counts are out of date; where all are ends of `months` that
    counts are kept of, those whose counts do not hold; else None."""

    window: Window
    filters: Filters
    moments: Sequence[datetime]
    split: tuple[str, ...] = ()
    owner_email: str | None = None
    currency: str | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    account_ids: Sequence[str] | None = None
    stale: Sequence[str] | None = None
    months: bool = False

    @property
    def kept(self) -> bool:
        """Whether kept counts can answer: a standard window as of now or the end of a month, NPS, nothing chosen or
        split but by accounts."""
        return (
            self.stale is not None
            and (self.months or len(self.moments) == 1)
            and self.window in _STANDARD
            and self.filters.survey_type == "nps"
            and _KEPT_BY.issuperset((*self.filters.given(), *self.split))
        )

    @property
    def counted_accounts(self) -> Sequence[str] | None:
        """The accounts that have to be counted from their answers; None = all."""
        if not self.kept or self.stale is None:
            return self.account_ids
        if self.account_ids is None:
            return self.stale
        return sorted(set(self.stale).intersection(self.account_ids))

    def only_counted(self, column: str = "account_id") -> str:
        """The condition that restricts to the accounts which have to be counted, beginning with ` and`; nothing where
        all have to."""
        if self.counted_accounts is None:
            return ""
        return f" and {column} = any(cast(:counted_ids as text[]))"

    def parts(self) -> Iterator[tuple[int, "Question"]]:
        """The question for some of its points at a time, with the number of the first of them; where nothing has to be
        counted from answers, for all of them."""
        at_once = POINTS_AT_ONCE
        if self.kept and not self.counted_accounts:
            at_once = len(self.moments)
        for first in range(0, len(self.moments), at_once):
            yield first, replace(self, moments=self.moments[first : first + at_once])

    def bound(self) -> dict[str, Any]:
        """The values that the statements bind."""
        afters, starts, uptos = [], [], []
        for moment in self.moments:
            span = self.window.span(moment)
            afters.append(self.window.earliest(moment))
            starts.append(span.after)
            uptos.append(span.upto)
        return {
            **parameters(self.filters, self.owner_email),
            "window": self.window.name,
            "points": list(range(len(uptos))),
            "afters": afters,
            "window_starts": starts,
            "uptos": uptos,
            "first": min(afters),
            "last": max(self.moments),
            "currency": self.currency,
            "class_accounts": list(self.classes),
            "class_names": list(self.classes.values()),
            "account_ids": list(self.account_ids or ()),
            "counted_ids": list(self.counted_accounts or ()),
            "stale": list(self.stale or ()),
        }


def group_of(row: Mapping[Any, Any], question: Question) -> Group:
    """The group of a row with the columns point, d0, d1 … ."""
    return row["point"], split_values(row, question)


def split_values(row: Mapping[Any, Any], question: Question) -> tuple[str | None, ...]:
    """The values of the attributes that split, of a row with the columns d0, d1 … ."""
    return tuple(row[f"d{number}"] for number in range(len(question.split)))


def none_last(values: Sequence[str | None]) -> tuple[tuple[bool, str], ...]:
    """A sort key: the values ascending, None last."""
    return tuple((value is None, value or "") for value in values)
