"""The latest pair of a person: which answers became the latest, and what was corrected about the pair told
before.

One series is all live answers of one person to one survey type and nps_kind. Score-events tell its latest
answer and the one before; this module compares what was told with what stands now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from services.scorer.domain.categories import category_or_none
from services.scorer.domain.changes import change_between_scores, falls_in_a_row

FRESH: Final = timedelta(days=30)
"""An answer recorded later than this after it was given is history: it raises no event."""
Cause = Literal["amended", "withdrawn", "erased", "late"]


class Series(NamedTuple):
    """What answers must share to follow each other."""

    stakeholder_id: str
    survey_type: str
    nps_kind: str


class Entry(NamedTuple):
    """One response of an account as the projector reads it, live or not. A tuple, as all that is made of each answer: a
    frozen dataclass costs several times as much."""

    response_id: str
    series: Series
    answered_at: datetime
    recorded_at: datetime
    score: int
    follow_up_requested: bool = False
    touchpoint: str | None = None
    product: str | None = None
    quiet: bool = False
    test: bool = False
    withdrawn: bool = False
    erased: bool = False
    revision: int = 1
    updated_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it counts at all."""
        return not (self.withdrawn or self.erased or self.test)

    @property
    def order(self) -> tuple[datetime, str]:
        """By when people answered, then by response_id."""
        return self.answered_at, self.response_id

    @property
    def fresh(self) -> bool:
        """Whether a rule may act on it."""
        return is_fresh(self.answered_at, self.recorded_at, self.quiet)


def is_fresh(answered_at: datetime, recorded_at: datetime, quiet: bool) -> bool:
    """Given at most 30 days before it was recorded, and not by a quiet import."""
    return not quiet and recorded_at - answered_at <= FRESH


class Ref(NamedTuple):
    """One answer of a pair."""

    response_id: str
    answered_at: datetime
    score: int


class Pair(NamedTuple):
    """The latest answer and the one before, as told; whether the latest was fresh and wished to be called."""

    latest: Ref
    previous: Ref | None = None
    follow_up_requested: bool = False
    fresh: bool = True
    falls_in_a_row: int = 0

    def change(self, survey_type: str) -> str | None:
        """The category change between the two; None where there is none or the survey type has no
        categories."""
        if category_or_none(survey_type, self.latest.score) is None:
            return None
        return change_between_scores(self.previous.score if self.previous else None, self.latest.score)

    def same_as(self, other: "Pair") -> bool:
        """Whether a reader of score-events would see no difference."""
        return (self.latest, self.previous, self.follow_up_requested) == (
            other.latest,
            other.previous,
            other.follow_up_requested,
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """A live answer became the latest of its series; `latest` is false where a later one is known by now."""

    entry: Entry
    pair: Pair
    latest: bool = True


@dataclass(frozen=True, slots=True)
class Corrected:
    """The told pair is another now; `culprit` is the response that brought it about, `new` is None when
    nothing is left up to where the old latest stood."""

    series: Series
    old: Pair
    new: Pair | None
    cause: Cause
    culprit: Entry

    @property
    def audible(self) -> bool:
        """Whether anybody was told of the old pair, or may act on the new one."""
        return self.old.fresh or (self.new is not None and self.new.fresh)


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of one series, corrections first, answers oldest first, and the pair that stands
    then."""

    corrected: Corrected | None
    answered: Sequence[Answered]
    pair: Pair | None


def compare(series: Series, told: Pair | None, live: Sequence[Entry], everything: Mapping[str, Entry]) -> Told:
    """What changed in a series since `told`. `live` are its live answers in order, `everything` all
    responses of the account by id, so that one that left can say why."""
    standing = pair_at(live, len(live))
    if standing == told:
        return Told(None, (), standing)
    position = _known_until(told, live)
    now = pair_at(live, position)
    corrected = None
    if told is not None and (now is None or not told.same_as(now)):
        corrected = _correction(series, told, now, everything)
    fresh = [
        Answered(entry, pair, latest=index == len(live))
        for index, entry in enumerate(live[position:], position + 1)
        if entry.fresh and (pair := pair_at(live, index)) is not None
    ]
    return Told(corrected, fresh, standing)


def pair_at(live: Sequence[Entry], count: int) -> Pair | None:
    """The pair as it stood when only the first `count` answers had been given."""
    if not count:
        return None
    latest = live[count - 1]
    if count == 1:
        return Pair(_ref(latest), None, latest.follow_up_requested, latest.fresh, 0)
    previous = live[count - 2]
    falls = falls_in_a_row([entry.score for entry in live[:count]]) if latest.score < previous.score else 0
    return Pair(_ref(latest), _ref(previous), latest.follow_up_requested, latest.fresh, falls)


def _known_until(told: Pair | None, live: Sequence[Entry]) -> int:
    """How many of the live answers do not order after the told latest one."""
    if told is None:
        return 0
    order = (told.latest.answered_at, told.latest.response_id)
    return sum(entry.order <= order for entry in live)


def _correction(series: Series, old: Pair, new: Pair | None, everything: Mapping[str, Entry]) -> Corrected | None:
    """Who altered the pair, and how: the latest answer speaks before the previous one."""
    if new is None or new.latest.response_id != old.latest.response_id:
        culprit = everything.get(old.latest.response_id)
    elif (new.latest, new.follow_up_requested) != (old.latest, old.follow_up_requested):
        culprit = everything.get(new.latest.response_id)
    elif old.previous is not None and _left(everything.get(old.previous.response_id)):
        culprit = everything.get(old.previous.response_id)
    else:
        culprit = everything[new.previous.response_id] if new.previous else None
    if culprit is None:
        return None  # the row is gone altogether, which only a repair by hand does: nothing to tell it by
    return Corrected(series, old, new, _cause(culprit, old), culprit)


def _left(entry: Entry | None) -> bool:
    return entry is None or not entry.live


def _cause(culprit: Entry, old: Pair) -> Cause:
    if culprit.erased:
        return "erased"
    if culprit.withdrawn:
        return "withdrawn"
    known = {old.latest.response_id} | ({old.previous.response_id} if old.previous else set())
    return "amended" if culprit.response_id in known or culprit.revision > 1 else "late"


def _ref(entry: Entry) -> Ref:
    return Ref(entry.response_id, entry.answered_at, entry.score)
