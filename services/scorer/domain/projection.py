"""What an account looks like now against what was last published of it: the heart of the projector, without I/O."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from services.scorer.domain.account import recompute_at, snapshot_figures, standard_counts
from services.scorer.domain.answer_changes import Entry, Pair, Ref, Series, SeriesChange, compare, pair_told
from services.scorer.domain.answers import Answer, History, latest_of
from services.scorer.domain.classes import AccountClass, Thresholds, classify, standing_of
from services.scorer.domain.counts import AccountFacts, Counts, Known, digest_of
from services.scorer.domain.drops import METHOD, WINDOW, DropRule, DropState
from services.scorer.domain.invitations import Invitation
from services.scorer.domain.silence import Asked, silences_of
from services.scorer.domain.states import SilentAfter
from services.scorer.domain.windows import YEAR


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds of the settings."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    drop: DropRule = field(default_factory=DropRule)
    silent_after: SilentAfter = field(default_factory=SilentAfter)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account as it was just computed: `figures[window][method]`, JSON values throughout, made of the counts
    (window → counts), for which `digest` stands."""

    account_class: AccountClass
    class_numbers: Mapping[str, Any]
    attributes: Mapping[str, Any]
    figures: dict[str, dict[str, dict[str, Any]]]
    drop: DropState
    counts: Mapping[str, Counts]
    digest: bytes


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """An account as it was last published."""

    account_class: AccountClass
    attributes: Mapping[str, Any]
    digest: bytes
    drop: DropState = field(default_factory=DropState)
    recompute_at: datetime | None = None

    def same_as(self, snapshot: Snapshot) -> bool:
        """Whether a reader of account-scores would see no difference."""
        published = self.account_class, self.attributes, self.digest
        return published == (snapshot.account_class, snapshot.attributes, snapshot.digest)


class Moved(NamedTuple):
    """A response, by the id that it was given with, whose person is another one than its row says: the series in which
    it was, and the one in which it is."""

    response_id: str
    given_stakeholder_id: str
    before: Series
    after: Series


@dataclass(frozen=True, slots=True)
class AccountState:
    """All that is known of one account: every response (live or not), invitations, its people in the directory with
    their types, its attributes, what was last published, and who of it was removed; from `closed_on` on it is no
    client."""

    account_id: str
    entries: Sequence[Entry] = ()
    invitations: Sequence[Invitation] = ()
    asked: Sequence[Asked] = ()
    listed: frozenset[str] = frozenset()
    types: Mapping[str, str | None] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    stored_pairs: Mapping[Series, Pair] = field(default_factory=dict)
    last_snapshot: StoredSnapshot | None = None
    removed: bool = False
    closed_on: date | None = None
    removed_people: frozenset[str] = frozenset()
    moved: Sequence[Moved] = ()

    def live(self) -> list[Entry]:
        """The responses that count, in order."""
        return sorted((entry for entry in self.entries if entry.live), key=lambda entry: entry.order)

    def facts(self) -> AccountFacts:
        """What the account's figures are made of, at whichever moment."""
        first_answered: dict[str, datetime] = {}
        answers = []
        for entry in self.live():
            first_answered.setdefault(entry.series.stakeholder_id, entry.answered_at)
            if entry.series.survey_type == "nps":
                answers.append(Answer(entry.response_id, entry.series.stakeholder_id, entry.answered_at, entry.score))
        others = sorted(moment for person, moment in first_answered.items() if person not in self.listed)
        return AccountFacts(History(answers), self.invitations, Known(len(self.listed), others))

    def waiting(self, now: datetime) -> list[Asked]:
        """The invitations to which an answer is waited for: of people who are still there, and not called off."""
        if self.removed or (self.closed_on is not None and self.closed_on <= now.date()):
            return []
        return [asked for asked in self.asked if not (asked.called_off or asked.stakeholder_id in self.removed_people)]


@dataclass(frozen=True, slots=True)
class Projection:
    """What to write and what to publish. `pairs` holds the new pair of each series whose stored one is another, None
    for one that is no more; `series_changes` what happened to the series, in the order of publishing."""

    snapshot: Snapshot
    changed: bool
    recompute_at: datetime | None
    series_changes: Sequence[SeriesChange]
    pairs: Mapping[Series, Pair | None]
    silent: Sequence[Asked]
    dropped: bool
    recovered: bool
    class_before: AccountClass | None


def project(state: AccountState, now: datetime, policy: Policy) -> Projection:
    """Compute the account anew and compare it with what was last published."""
    live, facts = state.live(), state.facts()
    last_answered = {entry.series.stakeholder_id: entry.answered_at for entry in live}
    counts = standard_counts(facts, now)
    figures = snapshot_figures(counts)
    classified = classify(
        standing_of(
            list(latest_of(facts.history.within(YEAR.span(now))).values()),
            state.types,
            ever_asked=any(invitation.sent_at <= now for invitation in state.invitations),
            ever_answered=any(entry.answered_at <= now for entry in live),
        ),
        policy.thresholds,
    )
    before = state.last_snapshot
    drop_before, class_before = DropState(), None
    if before is not None:
        drop_before, class_before = before.drop, before.account_class
    drop, dropped = drop_before.next(policy.drop.holds(figures[WINDOW][METHOD]), now)
    numbers = classified.numbers | {"rule": classified.rule}
    snapshot = Snapshot(classified.name, numbers, state.attributes, figures, drop, counts, digest_of(counts))
    silences = silences_of(state.waiting(now), last_answered, state.types, policy.silent_after, now)
    changed, pairs = _series_changes(state, live)
    ahead = min((entry.answered_at for entry in live if entry.answered_at > now), default=None)
    next_changes = (recompute_at(facts.history, now, state.invitations), silences.next_due, ahead)
    return Projection(
        snapshot=snapshot,
        changed=before is None or not before.same_as(snapshot),
        recompute_at=min(filter(None, next_changes), default=None),
        series_changes=changed,
        pairs=pairs,
        silent=silences.due,
        dropped=dropped,
        recovered=drop_before.dropped and not drop.dropped,
        class_before=class_before,
    )


def _series_changes(state: AccountState, live: Sequence[Entry]) -> tuple[list[SeriesChange], dict[Series, Pair | None]]:
    """What is to be published of the series, and the pairs that are others than stored: of those with live answers, and
    of those with a stored pair."""
    by_series: dict[Series, list[Entry]] = defaultdict(list)
    for entry in live:
        by_series[entry.series].append(entry)
    everything = {entry.response_id: entry for entry in state.entries}
    told = _told_before(state)
    changed: list[SeriesChange] = []
    pairs: dict[Series, Pair | None] = {}
    for series in sorted(state.stored_pairs.keys() | by_series.keys()):
        stored = state.stored_pairs.get(series)
        known = stored
        if series in told:
            known = pair_told(by_series[series], told[series])
        change = compare(series, known, by_series[series], everything)
        if change.corrected or change.answered:
            changed.append(change)
        if change.pair != stored:
            pairs[series] = change.pair
    return changed, pairs


def _told_before(state: AccountState) -> dict[Series, Ref | None]:
    """Of the series that answers came to or left since other ids became the same person, or another one: the newest
    answer that was told of any of them. That answers moved is told to nobody."""
    mixed: dict[Series, set[Series]] = defaultdict(set)
    for move in state.moved:
        mixed[move.after] |= {move.after, move.before}
        mixed[move.before].add(move.before)
    told: dict[Series, Ref | None] = {}
    for series, others in mixed.items():
        refs = [state.stored_pairs[other].latest for other in others if other in state.stored_pairs]
        told[series] = max(refs, key=lambda ref: ref.order, default=None)
    return told
