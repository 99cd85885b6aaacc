"""The figures of one account, made of its counts: what the API answers and what the projector publishes.

`account_figures` makes those of `AccountScore` (shared/api/figures.py), `figures_of` those of `Comparison`.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from services.scorer.domain.answers import ACCOUNT_METHODS, History, Method
from services.scorer.domain.categories import SurveyType
from services.scorer.domain.counts import AccountFacts, Counts, count_account
from services.scorer.domain.figures import figures_from_counts
from services.scorer.domain.invitations import Invitation, coverage_of, invitation_figures
from services.scorer.domain.windows import STANDARD_WINDOWS, Window


def standard_counts(facts: AccountFacts, as_of: datetime) -> dict[str, Counts]:
    """Window → counts, of the standard windows."""
    return {window.name: count_account(facts, window, as_of) for window in STANDARD_WINDOWS}


def snapshot_figures(by_window: Mapping[str, Counts]) -> dict[str, dict[str, dict[str, Any]]]:
    """`{window: {method: figures}}` of the counts of standard windows (window → counts), by both methods."""
    return {window.name: _by_method(by_window[window.name], window) for window in STANDARD_WINDOWS}


def _by_method(counts: Counts, window: Window) -> dict[str, dict[str, Any]]:
    """Where both methods pick the same answers, as in most short windows, the figures are worked out once."""
    if (counts.latest, counts.latest_before) == (counts.all, counts.all_before):
        figures = figures_of(counts, window, "latest")
        return {"latest": figures, "all": figures.copy()}
    return {method: figures_of(counts, window, method) for method in ACCOUNT_METHODS}


def account_figures(
    facts: AccountFacts, window: Window, method: Method, as_of: datetime, survey_type: SurveyType = "nps"
) -> dict[str, Any]:
    """The flat figures of one window and method (`latest` or `all`), without the keys that name them."""
    return figures_of(count_account(facts, window, as_of), window, method, survey_type)


def figures_of(counts: Counts, window: Window, method: Method, survey_type: SurveyType = "nps") -> dict[str, Any]:
    """The flat figures of the counts of one account."""
    coverage = coverage_of(counts.known, counts.invitations.asked, counts.respondents)
    return (
        compared_figures(counts, window, method, survey_type)
        | {"coverage": coverage}
        | invitation_figures(counts.invitations)
    )


def compared_figures(counts: Counts, window: Window, method: Method, survey_type: SurveyType) -> dict[str, Any]:
    """The figures of the answers, with their comparison to the window before."""
    before = None
    if window.days is not None:
        before = counts.tally_before(method)
    return figures_from_counts(counts.tally(method), before, counts.pairs, survey_type)


def _steps_of(invitation: Invitation) -> tuple[datetime | None, ...]:
    return (
        invitation.delivered_at,
        invitation.opened_at,
        invitation.started_at,
        invitation.bounced_at,
        invitation.withdrawn_at,
    )


def recompute_at(
    history: History,
    as_of: datetime,
    invitations: Sequence[Invitation] = (),
    windows: Sequence[Window] = STANDARD_WINDOWS,
) -> datetime | None:
    """The next moment at which time alone changes a count of these windows: an answer or invitation enters,
    leaves a window, or leaves the window before. None when nothing ever will."""
    sent, changes = [], []
    for invitation in invitations:
        sent.append(invitation.sent_at)
        for moment in _steps_of(invitation):
            if moment is not None and moment > as_of:  # reported ahead of its time
                changes.append(moment)
    sent.sort()
    for span in _spans_of(tuple(windows)):
        answered_at = history.first_after(as_of - span)
        if answered_at is not None:
            changes.append(answered_at + span)
        position = bisect_right(sent, as_of - span)
        if position < len(sent):
            changes.append(sent[position] + span)
    return min(changes, default=None)


@cache
def _spans_of(windows: tuple[Window, ...]) -> frozenset[timedelta]:
    """How long after an answer the windows, and those before them, change by it."""
    spans = {timedelta()}
    for window in windows:
        if window.days is not None:
            spans |= {timedelta(days=window.days), timedelta(days=2 * window.days)}
    return frozenset(spans)
