"""The figures of one account: what the API answers and what the projector writes down, by the same functions.

For the projector: read the account's live NPS answers (test and withdrawn ones left out), its invitations and
the ids of its known people, then

    counted = counted_snapshot(answers, as_of, invitations=invitations, known=len(known))
    figures_of_snapshot(counted)["90d"]["latest"]["nps"]

Everything in it is a JSON value. Whether two snapshots differ, `digest_of` their counts tells.
"""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any

from services.scorer.domain.answers import Answer, History, Method, latest_of
from services.scorer.domain.categories import SurveyType
from services.scorer.domain.figures import NOTHING, Pairs, Tally, figures_from_counts, pairs_of, tally_of
from services.scorer.domain.reach import Invitation, Reach, coverage_of, reach_figures, reach_of
from services.scorer.domain.windows import STANDARD_WINDOWS, Window

_FIGURES = b"figures 1"
"""Another number where the same counts make other figures than before: they are told anew then."""
_reach_of = attrgetter(*(one.name for one in fields(Reach)))
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Known:
    """The known people of an account: how many are in the directory, and when each of the others was first heard
    (in order)."""

    in_directory: int = 0
    first_heard: Sequence[datetime] = ()

    def count(self, as_of: datetime) -> int:
        """Known people at the moment; the directory is the one of today for every moment."""
        return self.in_directory + bisect_right(self.first_heard, as_of)


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the figures of one account are made of: its live answers to one kind of survey, its invitations, and its
    known people; and since when nothing that follows from its answers could be worked out, None when all is well."""

    history: History
    invitations: Sequence[Invitation] = ()
    known: Known = Known()
    stale_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """What the figures of one account, window and method are made of: answers now and in the window before (None before
    all time), the people who answered in both, the invitations of the window, and the known people."""

    now: Tally
    before: Tally | None
    pairs: Pairs
    reach: Reach
    known: int


CountedSnapshot = Mapping[str, Mapping[Method, AccountCounts]]
"""window → method → counts."""


def counted_snapshot(
    answers: Iterable[Answer],
    as_of: datetime,
    *,
    invitations: Sequence[Invitation] = (),
    known: int = 0,
    windows: Sequence[Window] = STANDARD_WINDOWS,
) -> CountedSnapshot:
    """`{window: {method: counts}}` for the windows given and both methods, as of the moment: integers, so those of many
    accounts add up.

    `answers` are the live NPS answers of the account, in any order, as far back as there are any; those after
    as_of do not count. `known` is the number of its people in the directory or ever heard.
    """
    facts = AccountFacts(History(answers), invitations, Known(known))
    return {window.name: counts_by_method(facts, window, as_of) for window in windows}


def figures_of_snapshot(counted: CountedSnapshot) -> dict[str, dict[str, dict[str, Any]]]:
    """`{window: {method: figures}}` of the counts."""
    return {window: _figures_by_method(by_method) for window, by_method in counted.items()}


def digest_of(counted: CountedSnapshot) -> bytes:
    """16 bytes that stand for the figures of the counts: equal where these are."""
    digest = blake2b(_FIGURES, digest_size=16)
    for window, by_method in counted.items():
        for method, counts in by_method.items():
            digest.update(f"{window} {method}".encode())
            digest.update(array("q", _integers(counts)).tobytes())
    return digest.digest()


def _integers(counts: AccountCounts) -> list[int]:
    """Everything that was counted; a moment as microseconds."""
    found = [counts.known, counts.pairs.people, counts.pairs.total, counts.pairs.squares, *_reach_of(counts.reach)]
    for tally in (counts.now, counts.before or NOTHING):
        last = tally.last_answered_at
        found += (*tally.scores, tally.voices, -1 if last is None else (last - _EPOCH) // _MICROSECOND)
    return found


def _figures_by_method(by_method: Mapping[Method, AccountCounts]) -> dict[str, dict[str, Any]]:
    """Where both methods pick the same answers, as in most short windows, the figures are worked out once."""
    figures: dict[int, dict[str, Any]] = {}
    found: dict[str, dict[str, Any]] = {}
    for method, counts in by_method.items():
        known = figures.get(id(counts))
        if known is None:
            figures[id(counts)] = found[method] = figures_of_counts(counts)
        else:
            found[method] = known.copy()
    return found


def account_figures(
    facts: AccountFacts, window: Window, method: Method, as_of: datetime, survey_type: SurveyType = "nps"
) -> dict[str, Any]:
    """The flat figures of one window and method (`latest` or `all`), without the keys that name them."""
    return figures_of_counts(account_counts(facts, window, method, as_of), survey_type)


def figures_of_counts(counts: AccountCounts, survey_type: SurveyType = "nps") -> dict[str, Any]:
    """The flat figures of the counts of one account."""
    figures = figures_from_counts(counts.now, counts.before, counts.pairs, survey_type)
    coverage = coverage_of(counts.known, counts.reach.asked, counts.now.voices)
    return figures | {"coverage": coverage} | reach_figures(counts.reach)


def account_counts(facts: AccountFacts, window: Window, method: Method, as_of: datetime) -> AccountCounts:
    """What is counted of one account in one window by one method."""
    return counts_by_method(facts, window, as_of)[method]


def counts_by_method(facts: AccountFacts, window: Window, as_of: datetime) -> dict[Method, AccountCounts]:
    """What is counted of one account in one window by each method; only the answers they pick differ."""
    span, span_before = window.span(as_of), window.before(as_of)
    now = facts.history.within(span)
    before = facts.history.within(span_before) if span_before else ()
    latest_now, latest_before = latest_of(now), latest_of(before)
    pairs = pairs_of(
        (latest_before[person].score, answer.score) for person, answer in latest_now.items() if person in latest_before
    )
    reach, known = reach_of(facts.invitations, span), facts.known.count(as_of)

    def counts(now: Collection[Answer], before: Collection[Answer]) -> AccountCounts:
        return AccountCounts(
            _tally(now, len(latest_now)),
            _tally(before, len(latest_before)) if span_before else None,
            pairs,
            reach,
            known,
        )

    by_latest = counts(latest_now.values(), latest_before.values())
    once_each = len(latest_now) == len(now) and len(latest_before) == len(before)
    return {"latest": by_latest, "all": by_latest if once_each else counts(now, before)}


def next_border(
    history: History,
    as_of: datetime,
    invitations: Sequence[Invitation] = (),
    windows: Sequence[Window] = STANDARD_WINDOWS,
) -> datetime | None:
    """The next moment at which time alone changes a figure of these windows: an answer or invitation enters,
    leaves a window, or leaves the window before. None when nothing ever will."""
    sent = sorted(invitation.sent_at for invitation in invitations)
    steps = (
        moment
        for one in invitations
        for moment in (one.delivered_at, one.opened_at, one.bounced_at)
        if moment is not None
    )
    borders = [moment for moment in steps if moment > as_of]  # what was told ahead of its time
    for span in _spans_of(tuple(windows)):
        answered = history.first_after(as_of - span)
        asked = next((moment for moment in sent if moment > as_of - span), None)
        borders += [moment + span for moment in (answered, asked) if moment is not None]
    return min(borders, default=None)


@cache
def _spans_of(windows: tuple[Window, ...]) -> frozenset[timedelta]:
    """How long after an answer the windows, and those before them, change by it."""
    lengths = (timedelta(days=window.days) for window in windows if window.days)
    return frozenset((timedelta(), *(factor * length for length in lengths for factor in (1, 2))))


def _tally(answers: Collection[Answer], voices: int) -> Tally:
    if not answers:
        return NOTHING
    last = max([answer.answered_at for answer in answers])
    return tally_of([answer.score for answer in answers], voices, last)
