"""What an account looks like now against what was told of it: the heart of the projector, without any I/O."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from services.scorer.domain.account import next_border, snapshot_figures, standard_counts
from services.scorer.domain.answers import Answer, History, latest_of
from services.scorer.domain.classes import AccountClass, Thresholds, classify, standing_of
from services.scorer.domain.counts import AccountFacts, Counts, Known, digest_of
from services.scorer.domain.drops import METHOD, WINDOW, DropRule, DropState
from services.scorer.domain.pairs import Entry, Pair, Series, Told, compare
from services.scorer.domain.reach import Invitation
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
class ToldSnapshot:
    """An account as it was told."""

    account_class: AccountClass
    attributes: Mapping[str, Any]
    digest: bytes
    drop: DropState = field(default_factory=DropState)
    next_border: datetime | None = None

    def tells(self, snapshot: Snapshot) -> bool:
        """Whether a reader of account-scores knows all that the snapshot says."""
        told = self.account_class, self.attributes, self.digest
        return told == (snapshot.account_class, snapshot.attributes, snapshot.digest)


@dataclass(frozen=True, slots=True)
class AccountState:
    """All that is known of one account: every response (live or not), invitations, its people in the directory with
    their types, its attributes, what was told last, and who of it was removed; from `closed_on` on it is no client."""

    account_id: str
    entries: Sequence[Entry] = ()
    invitations: Sequence[Invitation] = ()
    asked: Sequence[Asked] = ()
    listed: frozenset[str] = frozenset()
    types: Mapping[str, str | None] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    told_pairs: Mapping[Series, Pair] = field(default_factory=dict)
    told: ToldSnapshot | None = None
    removed: bool = False
    closed_on: date | None = None
    removed_people: frozenset[str] = frozenset()

    def live(self) -> list[Entry]:
        """The responses that count, in order."""
        return sorted((entry for entry in self.entries if entry.live), key=lambda entry: entry.order)

    def facts(self) -> AccountFacts:
        """What the account's figures are made of, at whichever moment."""
        first_heard: dict[str, datetime] = {}
        answers = []
        for entry in self.live():
            first_heard.setdefault(entry.series.stakeholder_id, entry.answered_at)
            if entry.series.survey_type == "nps":
                answers.append(Answer(entry.response_id, entry.series.stakeholder_id, entry.answered_at, entry.score))
        others = sorted(moment for person, moment in first_heard.items() if person not in self.listed)
        return AccountFacts(History(answers), self.invitations, Known(len(self.listed), others))

    def waiting(self, now: datetime) -> list[Asked]:
        """The invitations to which an answer is waited for: of people who are still there, and not called off."""
        if self.removed or (self.closed_on is not None and self.closed_on <= now.date()):
            return []
        return [asked for asked in self.asked if not (asked.called_off or asked.stakeholder_id in self.removed_people)]


@dataclass(frozen=True, slots=True)
class Projection:
    """What to write and what to tell. `pairs` holds the new pair of each series that is told otherwise now, None for
    one that is no more; `stories` what happened to the series, in the order to be told."""

    snapshot: Snapshot
    changed: bool
    next_border: datetime | None
    stories: Sequence[Told]
    pairs: Mapping[Series, Pair | None]
    silent: Sequence[Asked]
    dropped: bool
    recovered: bool
    class_before: AccountClass | None


def project(state: AccountState, now: datetime, policy: Policy) -> Projection:
    """Compute the account anew and compare it with what was told."""
    live, facts = state.live(), state.facts()
    heard = {entry.series.stakeholder_id: entry.answered_at for entry in live}
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
    before = state.told
    drop, dropped = (before.drop if before else DropState()).next(policy.drop.holds(figures[WINDOW][METHOD]), now)
    numbers = classified.numbers | {"rule": classified.rule}
    snapshot = Snapshot(classified.name, numbers, state.attributes, figures, drop, counts, digest_of(counts))
    silences = silences_of(state.waiting(now), heard, state.types, policy.silent_after, now)
    stories = _stories(state, live)
    ahead = min((entry.answered_at for entry in live if entry.answered_at > now), default=None)
    borders = (next_border(facts.history, now, state.invitations), silences.next_due, ahead)
    return Projection(
        snapshot=snapshot,
        changed=before is None or not before.tells(snapshot),
        next_border=min(filter(None, borders), default=None),
        stories=[story for story in stories.values() if story.corrected or story.answered],
        pairs={series: story.pair for series, story in stories.items() if story.pair != state.told_pairs.get(series)},
        silent=silences.due,
        dropped=dropped,
        recovered=before is not None and before.drop.dropped and not drop.dropped,
        class_before=before.account_class if before else None,
    )


def _stories(state: AccountState, live: Sequence[Entry]) -> dict[Series, Told]:
    """What is to be told of each series: those with live answers, and those that were told once."""
    by_series: dict[Series, list[Entry]] = defaultdict(list)
    for entry in live:
        by_series[entry.series].append(entry)
    everything = {entry.response_id: entry for entry in state.entries}
    return {
        series: compare(series, state.told_pairs.get(series), by_series[series], everything)
        for series in sorted(state.told_pairs.keys() | by_series.keys())
    }
