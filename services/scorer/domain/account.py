"""The figures of one account: what the API answers and what the projector writes down, by the same functions.

For the projector: read the account's live NPS answers (test and withdrawn ones left out), its invitations and
the ids of its known people, then

    snapshot = account_snapshot(answers, as_of, invitations=invitations, known=len(known))
    snapshot["90d"]["latest"]["nps"]

Everything in it is a JSON value, so two snapshots compare with `==` also after a trip through jsonb.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.scorer.domain.answers import ACCOUNT_METHODS, Answer, History, Method, latest_of
from services.scorer.domain.categories import SurveyType
from services.scorer.domain.figures import Tally, figures_from_counts, pairs_of, tally_of
from services.scorer.domain.reach import Invitation, coverage_of, reach_figures, reach_of
from services.scorer.domain.windows import STANDARD_WINDOWS, Window


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
    known people."""

    history: History
    invitations: Sequence[Invitation] = ()
    known: Known = Known()


def account_snapshot(
    answers: Iterable[Answer],
    as_of: datetime,
    *,
    invitations: Sequence[Invitation] = (),
    known: int = 0,
    windows: Sequence[Window] = STANDARD_WINDOWS,
) -> dict[str, dict[str, dict[str, Any]]]:
    """`{window: {method: figures}}` for the windows given and both methods, as of the moment.

    `answers` are the live NPS answers of the account, in any order, as far back as there are any; those after
    as_of do not count. `known` is the number of its people in the directory or ever heard.
    """
    facts = AccountFacts(History(answers), invitations, Known(known))
    return {
        window.name: {method: account_figures(facts, window, method, as_of) for method in ACCOUNT_METHODS}
        for window in windows
    }


def account_figures(
    facts: AccountFacts, window: Window, method: Method, as_of: datetime, survey_type: SurveyType = "nps"
) -> dict[str, Any]:
    """The flat figures of one window and method (`latest` or `all`), without the keys that name them."""
    span, span_before = window.span(as_of), window.before(as_of)
    now = facts.history.within(span)
    before = facts.history.within(span_before) if span_before else ()
    latest_now, latest_before = latest_of(now), latest_of(before)
    pairs = pairs_of(
        (latest_before[person].score, answer.score) for person, answer in latest_now.items() if person in latest_before
    )
    if method == "latest":
        now, before = list(latest_now.values()), list(latest_before.values())
    tally_before = _tally(before, len(latest_before)) if span_before else None
    figures = figures_from_counts(_tally(now, len(latest_now)), tally_before, pairs, survey_type)
    reach = reach_of(facts.invitations, span)
    coverage = coverage_of(facts.known.count(as_of), reach.asked, len(latest_now))
    return figures | {"coverage": coverage} | reach_figures(reach)


def next_border(
    history: History,
    as_of: datetime,
    invitations: Sequence[Invitation] = (),
    windows: Sequence[Window] = STANDARD_WINDOWS,
) -> datetime | None:
    """The next moment at which time alone changes a figure of these windows: an answer or invitation enters,
    leaves a window, or leaves the window before. None when nothing ever will."""
    sent = sorted(invitation.sent_at for invitation in invitations)
    spans = {timedelta()} | {
        factor * timedelta(days=window.days) for window in windows if window.days for factor in (1, 2)
    }
    borders = []
    for span in spans:
        answered = history.first_after(as_of - span)
        asked = next((moment for moment in sent if moment > as_of - span), None)
        borders += [moment + span for moment in (answered, asked) if moment is not None]
    return min(borders, default=None)


def _tally(answers: Sequence[Answer], voices: int) -> Tally:
    last = max((answer.answered_at for answer in answers), default=None)
    return tally_of((answer.score for answer in answers), voices, last)
