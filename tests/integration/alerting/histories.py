"""Random histories of one account: what people answer and change, what the directory, invitations and contracts say,
and what the scorer makes of it, told by its own fold.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Literal, cast
from uuid import UUID

from services.scorer.domain.answer_changes import Entry, Pair, Series, SeriesChange, compare
from services.scorer.domain.silence import Asked
from services.scorer.handlers.score_event_builder import ScoreEventBuilder
from shared.events.directory import AccountUpserted, StakeholderRemoved, StakeholderUpserted
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.events.responses import ResponseAmended, ResponseRecorded, ResponseWithdrawn, StakeholderErased
from shared.events.scores import (
    AccountClassChanged,
    AccountScoreChanged,
    AccountScoreDropped,
    AccountScoreRecovered,
    StakeholderWentSilent,
)
from shared.ids import derived_uuid
from shared.topics import (
    ACCOUNT_CLASS_CHANGED,
    ACCOUNT_SCORE_CHANGED,
    ACCOUNT_SCORE_DROPPED,
    ACCOUNT_SCORE_RECOVERED,
    ACCOUNT_UPSERTED,
    RESPONSE_AMENDED,
    RESPONSE_RECORDED,
    RESPONSE_WITHDRAWN,
    STAKEHOLDER_ERASED,
    STAKEHOLDER_REMOVED,
    STAKEHOLDER_UPSERTED,
    STAKEHOLDER_WENT_SILENT,
)
from tests.integration.alerting.cases import MONDAY, Case, event

Mood = Literal["unhappy", "any", "content"]
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
TYPES = ("decision_maker", "user", None)
CLASSES = ("ambassador", "steady", "divided", "at_risk", "silent")
MOODS: tuple[Mood, ...] = ("unhappy", "any", "content")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class OfPeople:
    """What the scorer found about people by their answers; silences are told by themselves."""

    series_changes: Sequence[SeriesChange]
    silent: Sequence[Asked] = ()


@dataclass
class Invited:
    """An invitation as it is known in the end."""

    person: str
    moments: dict[str, datetime] = field(default_factory=dict)
    silent: StakeholderWentSilent | None = None


@dataclass
class History:
    """The facts of an account as they are in the end, and the events that tell them, in the order of their topics.

    The same seed tells the same of any account.
    """

    case: Case
    random: Random
    mood: Mood = "any"
    answers: dict[str, Entry] = field(default_factory=dict)
    types: dict[str, str | None] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    account: dict[str, Any] = field(default_factory=dict)
    invited: dict[str, Invited] = field(default_factory=dict)
    renewed: bool = False
    account_class: str | None = None
    class_changes: list[tuple[str, str]] = field(default_factory=list)
    points: float | None = None
    events: list[Event] = field(default_factory=list)
    _told: dict[Series, Pair] = field(default_factory=dict)
    _sequence: int = 0
    _clock: datetime = MONDAY - timedelta(days=5)

    @classmethod
    def of(cls, case: Case, seed: int, subject: Any) -> "History":
        """A history of some dozen facts: of many unhappy people, of a few of all kinds, of a few content ones, in turn.
        Where all are content, what is about the account is not taken in by a detractor."""
        self = cls(case, Random(seed), MOODS[seed % len(MOODS)])
        people = [f"p{number:02}" for number in range(11 if self.mood == "unhappy" else 3)]
        self._directory(people)
        answers = [self._answer] * 25 if self.mood == "unhappy" else [self._answer] * 6 + [self._decline]
        steps = [*answers, *[self._amend] * 3, self._withdraw, self._invite, *[self._turn] * 2]
        steps += [self._drop, self._reclass, self._remove, self._silence, self._invite, self._reached]
        for _ in range(20 + 10 * len(people) // 3):
            self.random.choice(steps)(people)
            if self.random.random() < 0.4:
                self._tell()
        if self.random.random() < 0.3:
            self._erase(self.random.choice(people), subject)
        if self.random.random() < 0.3:
            self.renewed = True
            self.events.append(case.decided())
        self._tell()
        return self

    def _tick(self) -> datetime:
        self._clock += MINUTE
        return self._clock

    def _id(self) -> UUID:
        """No two accounts share an event."""
        return derived_uuid("history", self.case.account_id, str(self.random.getrandbits(64)))

    def _directory(self, people: Sequence[str]) -> None:
        self._reclass(people)
        for person in people:
            self.types[person] = self.random.choice(TYPES)
            event_id, at = self._id(), self._tick()
            data = StakeholderUpserted(
                account_id=self.case.account_id,
                stakeholder_id=person,
                name=person,
                type=cast(Any, self.types[person]),
                event_id=event_id,
                recorded_at=at,
            )
            self.events.append(event(STAKEHOLDER_UPSERTED, data, at, event_id))

    def _reclass(self, _: Sequence[str]) -> None:
        """The account's record is written anew."""
        chosen = self.random.choice
        self.account = {
            "tier": chosen(("small", "key", "premium")),
            "renewal_on": chosen((None, date(2026, 9, 1), date(2027, 9, 1))),
            "closed_on": date(2026, 6, 1) if self.random.random() < 0.05 else None,
        }
        event_id, at = self._id(), self._tick()
        owner: Any = {"name": "Olivia", "email": "olivia@supplier.example"}
        data = AccountUpserted(
            account_id=self.case.account_id, owner=owner, event_id=event_id, recorded_at=at, **self.account
        )
        self.events.append(event(ACCOUNT_UPSERTED, data, at, event_id))

    def _remove(self, people: Sequence[str]) -> None:
        person = self.random.choice(people)
        if self.random.random() < 0.7:
            return
        self.removed.add(person)
        event_id, at = self._id(), self._tick()
        data = StakeholderRemoved(
            account_id=self.case.account_id, stakeholder_id=person, event_id=event_id, recorded_at=at
        )
        self.events.append(event(STAKEHOLDER_REMOVED, data, at, event_id))

    def _answer(self, people: Sequence[str]) -> None:
        """Fresh, quiet or old; many people are unhappy at about the same time."""
        random, crowd = self.random, self.mood == "unhappy"
        person = random.choice(people)
        survey_type = "nps" if crowd or random.random() < 0.7 else random.choice(("csat", "ces"))
        hours = random.uniform(0, 20) if crowd else random.uniform(0, 25 * 24)
        old = random.random() < 0.15
        score = self._score(survey_type)
        self._record(person, survey_type, score, timedelta(hours=hours) + (timedelta(days=60) if old else timedelta()))

    def _score(self, survey_type: str) -> int:
        low, high = SCALES[survey_type]
        if self.mood == "unhappy" and self.random.random() < 0.8:
            return self.random.randint(low, 6)
        if self.mood == "content":
            low = high - 3
        return self.random.randint(low, high)

    def _decline(self, people: Sequence[str]) -> None:
        """Three answers of a person to one question, each a point lower than the one before."""
        person, survey_type = self.random.choice(people), self.random.choice(tuple(SCALES))
        _, high = SCALES[survey_type]
        for number in range(3):
            self._record(person, survey_type, high - number, timedelta(days=3 - number))

    def _record(self, person: str, survey_type: str, score: int, ago: timedelta) -> None:
        random, recorded_at = self.random, self._tick()
        answered_at = recorded_at - ago
        name = self.case.id(f"r{len(self.answers):02}")
        kind = "relationship" if survey_type == "nps" and random.random() < 0.8 else "transactional"
        data = ResponseRecorded(
            response_id=name,
            account_id=self.case.account_id,
            stakeholder_id=person,
            survey_type=cast(Any, survey_type),
            nps_kind=cast(Any, kind),
            score=score,
            answered_at=answered_at,
            recorded_at=recorded_at,
            follow_up_requested=random.random() < 0.1,
            quiet=random.random() < 0.2,
            sent=(),
        )
        self.answers[name] = Entry(
            name,
            Series(person, survey_type, kind),
            answered_at,
            recorded_at,
            score,
            data.follow_up_requested,
            quiet=data.quiet,
            updated_at=recorded_at,
        )
        self.events.append(event(RESPONSE_RECORDED, data, recorded_at, self._id()))

    def _amend(self, _: Sequence[str]) -> None:
        if not self.answers:
            return
        name = self.random.choice(sorted(self.answers))
        entry, at, event_id = self.answers[name], self._tick(), self._id()
        changes: dict[str, Any] = {"score": self._score(entry.series.survey_type)}
        if self.random.random() < 0.2:
            changes["follow_up_requested"] = self.random.random() < 0.5
        data = ResponseAmended(
            event_id=event_id,
            response_id=name,
            account_id=self.case.account_id,
            changes=changes,
            recorded_at=at,
        )
        self.answers[name] = entry._replace(**changes, revision=entry.revision + 1, updated_at=at)
        self.events.append(event(RESPONSE_AMENDED, data, at, event_id))

    def _withdraw(self, _: Sequence[str]) -> None:
        if not self.answers:
            return
        name = self.random.choice(sorted(self.answers))
        at, event_id = self._tick(), self._id()
        data = ResponseWithdrawn(event_id=event_id, response_id=name, account_id=self.case.account_id, recorded_at=at)
        entry = self.answers[name]
        self.answers[name] = entry._replace(withdrawn=True, revision=entry.revision + 1, updated_at=at)
        self.events.append(event(RESPONSE_WITHDRAWN, data, at, event_id))

    def _erase(self, person: str, subject: Any) -> None:
        at = self._tick()
        data = StakeholderErased(
            receipt_id=self._id(),
            account_id=self.case.account_id,
            stakeholder_id=person,
            subject=subject(self.case.account_id, person),
            erased_at=at,
        )
        self.events.append(event(STAKEHOLDER_ERASED, data, at, self._id()))
        for name, entry in self.answers.items():
            if entry.series.stakeholder_id == person:
                self.answers[name] = entry._replace(erased=True, revision=entry.revision + 1, updated_at=at)
        self.types.pop(person, None)
        self.removed.discard(person)
        self.invited = {name: invitation for name, invitation in self.invited.items() if invitation.person != person}

    def _invite(self, people: Sequence[str]) -> None:
        name = self.case.id(f"i{len(self.invited):02}")
        self.invited[name] = Invited(self.random.choice(people))
        self._reach(name, "sent", self._clock - timedelta(days=self.random.uniform(15, 25)))

    def _reached(self, _: Sequence[str]) -> None:
        if self.invited:
            step = self.random.choice(("delivered", "opened", "started", "bounced", "unsubscribed", "withdrawn"))
            at = self._clock - timedelta(days=self.random.uniform(0, 10))
            self._reach(self.random.choice(sorted(self.invited)), step, at)

    def _reach(self, name: str, step: str, at: datetime) -> None:
        invited, event_id, now = self.invited[name], self._id(), self._tick()
        counts = {"bounced": max}.get(step, min)
        invited.moments[step] = counts(at, invited.moments.get(step, at))
        kind = "expired" if step == "withdrawn" else step
        data = InvitationFact(
            event_id=event_id,
            invitation_id=name,
            account_id=self.case.account_id,
            stakeholder_id=invited.person,
            kind=cast(Any, kind),
            at=at,
            recorded_at=now,
            reason="withdrawn" if step == "withdrawn" else None,
        )
        self.events.append(event(f"invitation.{kind}", data, now, event_id))

    def _silence(self, _: Sequence[str]) -> None:
        waiting = [
            name
            for name, invitation in sorted(self.invited.items())
            if invitation.silent is None and "sent" in invitation.moments
        ]
        if not waiting:
            return
        name = self.random.choice(waiting)
        invitation, at = self.invited[name], self._tick()
        data = StakeholderWentSilent(
            account_id=self.case.account_id,
            stakeholder_id=invitation.person,
            invitation_id=name,
            asked_at=invitation.moments["sent"],
            days=21,
            furthest="sent",
            stakeholder_type=self.types.get(invitation.person),
            sequence=self._next(),
            at=at,
        )
        invitation.silent = data
        self.events.append(event(STAKEHOLDER_WENT_SILENT, data, at, self._id()))

    def _turn(self, _: Sequence[str]) -> None:
        """Another class, told by an event before its snapshot or quietly by the snapshot alone."""
        old, new = self.account_class or "unknown", self.random.choice(CLASSES)
        if new == old:
            return
        at = self._tick()
        if self.random.random() < 0.6:
            data = AccountClassChanged(
                account_id=self.case.account_id,
                sequence=self._next(),
                old=cast(Any, old),
                new=cast(Any, new),
                numbers={},
                at=at,
            )
            self.class_changes.append((old, new))
            self.events.append(event(ACCOUNT_CLASS_CHANGED, data, at, self._id()))
        snapshot = AccountScoreChanged(
            account_id=self.case.account_id,
            sequence=self._next(),
            computed_at=at,
            account_class=cast(Any, new),
            figures={},
        )
        self.account_class = new
        self.events.append(event(ACCOUNT_SCORE_CHANGED, snapshot, at, self._id()))

    def _drop(self, _: Sequence[str]) -> None:
        at = self._tick()
        data: AccountScoreDropped | AccountScoreRecovered
        same: dict[str, Any] = {"account_id": self.case.account_id, "window": "90d", "method": "latest", "at": at}
        if self.points is None:
            self.points = float(self.random.randint(20, 60))
            figures: Any = {"nps": 0.0, "previous_nps": self.points, "change": -self.points}
            counts: Any = {"response_count": 6, "previous_response_count": 6}
            data = AccountScoreDropped(sequence=self._next(), **figures, **counts, **same)
            self.events.append(event(ACCOUNT_SCORE_DROPPED, data, at, self._id()))
        else:
            self.points = None
            data = AccountScoreRecovered(sequence=self._next(), **same)
            self.events.append(event(ACCOUNT_SCORE_RECOVERED, data, at, self._id()))

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _tell(self) -> None:
        """The scorer looks at the answers as they are, and tells what is new by its own fold."""
        live: dict[Series, list[Entry]] = defaultdict(list)
        for entry in sorted(self.answers.values(), key=lambda entry: entry.order):
            if entry.live:
                live[entry.series].append(entry)
        stories = []
        for series in sorted(self._told.keys() | live.keys()):
            story = compare(series, self._told.get(series), live[series], self.answers)
            stories.append(story)
            if story.pair is None:
                self._told.pop(series, None)
            else:
                self._told[series] = story.pair
        telling = ScoreEventBuilder(self.case.account_id, self._sequence, self._tick())
        self.events += telling.people(OfPeople(stories), {})
        self._sequence = telling.sequence
