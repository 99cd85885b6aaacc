"""From what a projection found to the events of topics account-scores and score-events."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, cast
from uuid import UUID

from services.scorer.domain.answer_changes import Answered, Corrected, Pair, Ref, Series, SeriesChange
from services.scorer.domain.categories import category_or_none
from services.scorer.domain.drops import METHOD, WINDOW
from services.scorer.domain.projection import Projection, Snapshot
from services.scorer.domain.silence import Asked
from shared.events.envelope import Event, EventData
from shared.events.scores import (
    AccountClassChanged,
    AccountScoreChanged,
    AccountScoreDropped,
    AccountScoreRecovered,
    AnswerPair,
    AnswerRef,
    ChangeKind,
    StakeholderAnswerCorrected,
    StakeholderAnswered,
    StakeholderWentSilent,
)
from shared.ids import derived_uuid, uuid7
from shared.topics import (
    ACCOUNT_CLASS_CHANGED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_SCORE_DROPPED,
    ACCOUNT_SCORE_RECOVERED,
    STAKEHOLDER_ANSWER_CORRECTED,
    STAKEHOLDER_ANSWERED,
    STAKEHOLDER_WENT_SILENT,
)

SOURCE = "/tellback/scorer"


class PeopleFound(Protocol):
    """What a projection found about people."""

    @property
    def series_changes(self) -> Sequence[SeriesChange]:
        """What is new about each person's answers to one question."""

    @property
    def silent(self) -> Sequence[Asked]:
        """Who was asked and is silent since."""


class ScoreEventBuilder:
    """Builds the events of one account in their order; each takes the account's next sequence."""

    def __init__(self, account_id: str, sequence: int, now: datetime) -> None:
        self.account_id = account_id
        self.sequence = sequence
        self.now = now

    def people(self, found: PeopleFound, types: Mapping[str, str | None]) -> Iterator[Event]:
        """What happened to people: corrections, then answers oldest first, then silences."""
        for change in found.series_changes:
            if change.corrected and change.corrected.publishable:
                yield self._corrected(change.corrected)
        answers: list[Answered] = []
        for change in found.series_changes:
            answers += change.answered
        for answered in sorted(answers, key=lambda answered: answered.entry.order):
            yield self._answered(answered)
        for asked in found.silent:
            if asked.recent:
                yield self._silent(asked, types.get(asked.stakeholder_id))

    def account(self, found: Projection) -> Iterator[Event]:
        """What happened to the account beside its score: a drop, another class."""
        if found.dropped:
            yield self._dropped(found.snapshot)
        if found.class_before not in (None, found.snapshot.account_class):
            yield self._class_changed(found)

    def recovery(self, found: Projection, *, quiet: bool) -> Iterator[Event]:
        """That the score is in a drop no more. Published whatever brought it about: somebody may be working on it."""
        if found.recovered:
            yield self._recovered(found.snapshot, quiet=quiet)

    def score(self, snapshot: Snapshot, *, quiet: bool) -> Event:
        """The whole snapshot."""
        checked = AccountScoreChanged(
            account_id=self.account_id,
            sequence=self._next(),
            computed_at=self.now,
            account_class=snapshot.account_class,
            figures={},
            quiet=quiet,
            **snapshot.attributes,
        )
        # Hundreds of figures of our own making; to have each looked at costs more than to write them.
        data = AccountScoreChanged.trusted(vars(checked) | {"figures": snapshot.figures})
        return self._event(ACCOUNT_SCORE_CHANGED, uuid7(), data)

    def _answered(self, answered: Answered) -> Event:
        entry, pair = answered.entry, answered.pair
        event_id = derived_uuid(STAKEHOLDER_ANSWERED, entry.response_id, str(entry.revision))
        data = StakeholderAnswered(
            response_id=entry.response_id,
            revision=entry.revision,
            account_id=self.account_id,
            **entry.series._asdict(),
            score=entry.score,
            category=category_or_none(entry.series.survey_type, entry.score),
            answered_at=entry.answered_at,
            recorded_at=entry.recorded_at,
            previous=_ref(entry.series, pair.previous),
            change=_change(entry.series, pair),
            falls_in_a_row=pair.falls_in_a_row,
            follow_up_requested=entry.follow_up_requested,
            touchpoint=entry.touchpoint,
            product=entry.product,
            latest=answered.latest,
            sequence=self._next(),
        )
        return self._event(STAKEHOLDER_ANSWERED, event_id, data)

    def _corrected(self, corrected: Corrected) -> Event:
        cause_response, new = corrected.cause_response, corrected.new
        standing, wishes = [], []
        for pair in (corrected.old, new):
            if pair is not None:
                standing += [
                    f"{ref.response_id}={ref.score}" for ref in (pair.latest, pair.previous) if ref is not None
                ]
                wishes.append(str(pair.follow_up_requested))
        recorded_at = cause_response.updated_at or cause_response.recorded_at
        # Moment and scores distinguish corrections of one revision: where one amendment came in two versions under one
        # event id, the version recorded first replaces the other when it arrives late.
        which = (cause_response.response_id, str(cause_response.revision), recorded_at.isoformat())
        event_id = derived_uuid(STAKEHOLDER_ANSWER_CORRECTED, *which, *standing, *wishes)
        data = StakeholderAnswerCorrected(
            response_id=cause_response.response_id,
            account_id=self.account_id,
            **corrected.series._asdict(),
            old=_pair(corrected.series, corrected.old),
            new=_pair(corrected.series, new),
            cause=corrected.cause,
            follow_up_requested=bool(new and new.follow_up_requested and new.fresh),
            recorded_at=recorded_at,
            sequence=self._next(),
            quiet=corrected.quiet,
        )
        return self._event(STAKEHOLDER_ANSWER_CORRECTED, event_id, data)

    def _silent(self, asked: Asked, stakeholder_type: str | None) -> Event:
        event_id = derived_uuid(
            STAKEHOLDER_WENT_SILENT, self.account_id, asked.invitation_id, asked.given_stakeholder_id
        )
        data = StakeholderWentSilent(
            account_id=self.account_id,
            stakeholder_id=asked.stakeholder_id,
            invitation_id=asked.invitation_id,
            asked_at=asked.sent_at,
            days=(self.now - asked.sent_at).days,
            furthest=asked.furthest,
            stakeholder_type=stakeholder_type,
            sequence=self._next(),
            at=self.now,
        )
        return self._event(STAKEHOLDER_WENT_SILENT, event_id, data)

    def _dropped(self, snapshot: Snapshot) -> Event:
        figures = snapshot.figures[WINDOW][METHOD]
        data = AccountScoreDropped(
            account_id=self.account_id,
            sequence=self._next(),
            window=WINDOW,
            method=METHOD,
            nps=figures["nps"],
            previous_nps=figures["previous"]["nps"],
            change=figures["change"],
            response_count=figures["response_count"],
            previous_response_count=figures["previous"]["response_count"],
            at=self.now,
        )
        return self._event(ACCOUNT_SCORE_DROPPED, uuid7(), data)

    def _recovered(self, snapshot: Snapshot, *, quiet: bool) -> Event:
        figures = snapshot.figures[WINDOW][METHOD]
        previous = figures["previous"] or {}
        data = AccountScoreRecovered(
            account_id=self.account_id,
            sequence=self._next(),
            window=WINDOW,
            method=METHOD,
            nps=figures["nps"],
            previous_nps=previous.get("nps"),
            change=figures["change"],
            at=self.now,
            quiet=quiet,
        )
        return self._event(ACCOUNT_SCORE_RECOVERED, uuid7(), data)

    def _class_changed(self, found: Projection) -> Event:
        snapshot = found.snapshot
        if found.class_before is None:
            raise ValueError("a first class is no change")
        data = AccountClassChanged(
            account_id=self.account_id,
            sequence=self._next(),
            old=found.class_before,
            new=snapshot.account_class,
            numbers=dict(snapshot.class_numbers),
            at=self.now,
        )
        return self._event(ACCOUNT_CLASS_CHANGED, uuid7(), data)

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence

    def _event(self, name: str, event_id: UUID, data: EventData) -> Event:
        return Event(event_id, name, SOURCE, self.now, self.account_id, data)


def _ref(series: Series, ref: Ref | None) -> AnswerRef | None:
    if ref is None:
        return None
    return AnswerRef(
        response_id=ref.response_id,
        answered_at=ref.answered_at,
        score=ref.score,
        category=category_or_none(series.survey_type, ref.score),
    )


def _change(series: Series, pair: Pair) -> ChangeKind | None:
    return cast("ChangeKind | None", pair.change(series.survey_type))


def _pair(series: Series, pair: Pair | None) -> AnswerPair:
    """The pair as events carry it; the change of an answer that is not fresh is history, so no rule may see it."""
    if pair is None:
        return AnswerPair()
    change = None
    if pair.fresh:
        change = _change(series, pair)
    return AnswerPair(
        latest=_ref(series, pair.latest),
        previous=_ref(series, pair.previous),
        change=change,
        falls_in_a_row=pair.falls_in_a_row,
        fresh=pair.fresh,
    )
