"""What score-events say about the answers of a person: which became the latest, and what was corrected.

One series is all live answers of one person to one survey type and nps_kind. Its pair is the latest answer and the one
before. The pair last published is stored; here it is compared with the pair that stands now.
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
    """One response of an account as the projector reads it, live or not. `quiet`: recorded by a quiet import;
    `changed_quietly`: its last change that is told to others was quiet. A tuple, as all that is made of each answer: a
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
    changed_quietly: bool = False

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

    @property
    def order(self) -> tuple[datetime, str]:
        """By when people answered, then by response_id."""
        return self.answered_at, self.response_id


class Pair(NamedTuple):
    """The latest answer and the one before; whether the latest was fresh and wished to be called."""

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
        if self.previous is None:
            return change_between_scores(None, self.latest.score)
        return change_between_scores(self.previous.score, self.latest.score)

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
    """The pair last published is another now; `cause_response` is the response that brought it about, `new` is None
    when nothing is left up to where the old latest stood."""

    series: Series
    old: Pair
    new: Pair | None
    cause: Cause
    cause_response: Entry

    @property
    def publishable(self) -> bool:
        """Whether the old pair was published, or a rule may act on the new one."""
        return self.old.fresh or (self.new is not None and self.new.fresh)

    @property
    def quiet(self) -> bool:
        """Whether nobody is to be told because of it: a quiet import or an undoing brought it about."""
        if self.cause == "late":
            return self.cause_response.quiet
        return self.cause != "erased" and self.cause_response.changed_quietly


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """What is to be published of one series, the correction first, then the answers, oldest first; and the pair that
    stands then."""

    corrected: Corrected | None
    answered: Sequence[Answered]
    pair: Pair | None


def compare(
    series: Series, stored: Pair | None, live: Sequence[Entry], everything: Mapping[str, Entry]
) -> SeriesChange:
    """What changed in a series since its stored pair was published. `live` are its live answers in order, `everything`
    all responses of the account by id, so that one that left can say why."""
    standing = pair_at(live, len(live))
    if standing == stored:
        return SeriesChange(None, (), standing)
    position = _known_until(stored, live)
    now = pair_at(live, position)
    corrected = None
    if stored is not None and (now is None or not stored.same_as(now)):
        corrected = _correction(series, stored, now, everything)
    answered = []
    for count, entry in enumerate(live[position:], position + 1):
        if not entry.fresh:
            continue
        pair = pair_at(live, count)
        if pair is not None:
            answered.append(Answered(entry, pair, latest=count == len(live)))
    return SeriesChange(corrected, answered, standing)


def pair_at(live: Sequence[Entry], count: int) -> Pair | None:
    """The pair as it stood when only the first `count` answers had been given."""
    if not count:
        return None
    latest = live[count - 1]
    if count == 1:
        return Pair(_ref(latest), None, latest.follow_up_requested, latest.fresh, 0)
    previous = live[count - 2]
    falls = 0
    if latest.score < previous.score:
        falls = falls_in_a_row([entry.score for entry in live[:count]])
    return Pair(_ref(latest), _ref(previous), latest.follow_up_requested, latest.fresh, falls)


def pair_told(live: Sequence[Entry], newest: Ref | None) -> Pair | None:
    """The pair of a series as it stands up to the newest answer that was told."""
    if newest is None:
        return None
    return pair_at(live, sum(entry.order <= newest.order for entry in live))


def _known_until(stored: Pair | None, live: Sequence[Entry]) -> int:
    """How many of the live answers do not order after the latest one that was published."""
    if stored is None:
        return 0
    return sum(entry.order <= stored.latest.order for entry in live)


def _correction(series: Series, old: Pair, new: Pair | None, everything: Mapping[str, Entry]) -> Corrected | None:
    """Which response altered the pair, and how: where both answers of it are others, the latest is the cause."""
    if new is None or new.latest.response_id != old.latest.response_id:
        cause = everything.get(old.latest.response_id)
    elif (new.latest, new.follow_up_requested) != (old.latest, old.follow_up_requested):
        cause = everything.get(new.latest.response_id)
    elif old.previous is not None and _left(everything.get(old.previous.response_id)):
        cause = everything.get(old.previous.response_id)
    elif new.previous is not None:
        cause = everything[new.previous.response_id]
    else:
        cause = None
    if cause is None:
        return None  # the row is gone altogether, which only a repair by hand does: no response to name
    return Corrected(series, old, new, _cause_of(cause, old), cause)


def _left(entry: Entry | None) -> bool:
    return entry is None or not entry.live


def _cause_of(response: Entry, old: Pair) -> Cause:
    if response.erased:
        return "erased"
    if response.withdrawn:
        return "withdrawn"
    known = [old.latest.response_id]
    if old.previous is not None:
        known.append(old.previous.response_id)
    if response.response_id in known or response.revision > 1:
        return "amended"
    return "late"


def _ref(entry: Entry) -> Ref:
    return Ref(entry.response_id, entry.answered_at, entry.score)
