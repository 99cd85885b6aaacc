"""What is counted of an account in one window at one moment: the integers that every figure is made of.

There are two makers. `count_account` counts in Python, for whoever holds the account's answers; `rows_from_answers`
(store/reading) does the same in SQL, for many accounts. Counts add up: those of a group are the sums of its accounts',
and its last moments the latest of theirs.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from operator import attrgetter
from typing import Final

from services.scorer.domain.answers import Answer, History, Method, latest_of
from services.scorer.domain.categories import HIGHEST_SCORE
from services.scorer.domain.figures import NO_PAIRS, Pairs, Tally, pairs_of
from services.scorer.domain.invitations import NONE_SENT, Invitation, InvitationCounts, count_invitations
from services.scorer.domain.windows import Window

Scores = tuple[int, ...]
"""How many answers of each score from 0 to 10."""
NO_SCORES: Final[Scores] = (0,) * (HIGHEST_SCORE + 1)


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers by score, as each method picks them, in the window and in the window before (nothing before all time);
    the distinct people who gave them and when the last one did; how the people who answered in both changed; the known
    people; and the invitations of the window."""

    latest: Scores = NO_SCORES
    latest_before: Scores = NO_SCORES
    all: Scores = NO_SCORES
    all_before: Scores = NO_SCORES
    respondents: int = 0
    respondents_before: int = 0
    last_at: datetime | None = None
    last_before: datetime | None = None
    pairs: Pairs = NO_PAIRS
    known: int = 0
    invitations: InvitationCounts = NONE_SENT

    def tally(self, method: Method) -> Tally:
        """The answers of the window; the means over accounts stand on what `latest` picks."""
        if method == "all":
            return Tally(self.all, self.respondents, self.last_at)
        return Tally(self.latest, self.respondents, self.last_at)

    def tally_before(self, method: Method) -> Tally:
        """The answers of the window before, likewise."""
        if method == "all":
            return Tally(self.all_before, self.respondents_before, self.last_before)
        return Tally(self.latest_before, self.respondents_before, self.last_before)


NOTHING_COUNTED: Final = Counts()


@dataclass(frozen=True, slots=True)
class Known:
    """The known people of an account: how many are in the directory, and when each of the others first answered
    (in order)."""

    in_directory: int = 0
    first_answered: Sequence[datetime] = ()

    def count(self, as_of: datetime) -> int:
        """Known people at the moment; the directory is the one of today for every moment."""
        return self.in_directory + bisect_right(self.first_answered, as_of)


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the figures of one account are made of: its live answers to one kind of survey, its invitations, and its
    known people; and since when nothing that follows from its answers could be worked out, None when all is well."""

    history: History
    invitations: Sequence[Invitation] = ()
    known: Known = Known()
    stale_since: datetime | None = None


def count_account(facts: AccountFacts, window: Window, as_of: datetime) -> Counts:
    """What is counted of one account; answers and invitations after the moment do not count."""
    span, span_before = window.span(as_of), window.before(as_of)
    now = facts.history.within(span)
    before: Sequence[Answer] = ()
    if span_before is not None:
        before = facts.history.within(span_before)
    latest_now, latest_before = latest_of(now), latest_of(before)
    last_at = last_before = None
    if now:
        last_at = now[-1].answered_at
    if before:
        last_before = before[-1].answered_at
    return Counts(
        latest=_scores(latest_now.values()),
        latest_before=_scores(latest_before.values()),
        all=_scores(now),
        all_before=_scores(before),
        respondents=len(latest_now),
        respondents_before=len(latest_before),
        last_at=last_at,
        last_before=last_before,
        pairs=pairs_of(
            (latest_before[person].score, answer.score)
            for person, answer in latest_now.items()
            if person in latest_before
        ),
        known=facts.known.count(as_of),
        invitations=count_invitations(facts.invitations, span),
    )


def _scores(answers: Iterable[Answer]) -> Scores:
    counts = [0] * (HIGHEST_SCORE + 1)
    for answer in answers:
        counts[answer.score] += 1
    return tuple(counts)


_DIGEST_OF: Final = b"figures 1"
"""Another number where the same counts make other figures than before: they are published anew then."""
_PUBLISHED_OF_INVITATIONS: Final = attrgetter(
    *(field.name for field in fields(InvitationCounts) if field.name not in ("started", "withdrawn"))
)
"""No figure of an account says how many invitations were started or withdrawn."""
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def digest_of(by_window: Mapping[str, Counts]) -> bytes:
    """16 bytes that stand for the figures of an account's counts (window → counts): equal where these are."""
    digest = blake2b(_DIGEST_OF, digest_size=16)
    for window, counts in by_window.items():
        digest.update(window.encode())
        digest.update(array("q", _integers(counts)).tobytes())
    return digest.digest()


def _integers(counts: Counts) -> list[int]:
    return [
        *counts.latest,
        *counts.latest_before,
        *counts.all,
        *counts.all_before,
        counts.respondents,
        counts.respondents_before,
        _microseconds(counts.last_at),
        _microseconds(counts.last_before),
        counts.pairs.people,
        counts.pairs.total,
        counts.pairs.squares,
        counts.known,
        *_PUBLISHED_OF_INVITATIONS(counts.invitations),
    ]


def _microseconds(moment: datetime | None) -> int:
    if moment is None:
        return -1
    return (moment - _EPOCH) // _MICROSECOND
