"""The facts that rules are evaluated on: the current state of one account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.default_rules import DETRACTOR
from services.alerting.domain.people import FRESH, Account, Stakeholder
from services.alerting.domain.recovery import SeriesKey
from services.alerting.domain.rules import FactValue, Values
from services.alerting.domain.segments import Shift
from services.alerting.domain.series import AnswerInSeries, category_of, runs, series_by_key
from shared.calendar import BusinessCalendar

STEPS = ("sent", "delivered", "opened", "started", "bounced")
"""How far an invitation may come; a bounce says more than all the others."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What the scorer said when an invitation had gone unanswered for too long."""

    at: datetime
    days: int
    furthest: str
    stakeholder_type: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """One request for an answer: the first moment of each step, as far as known."""

    invitation_id: str
    channel: str | None = None
    moments: Mapping[str, datetime] = field(default_factory=dict)
    asked_at: datetime | None = None
    bounce_recorded_at: datetime | None = None
    silence: Silence | None = None

    def at(self, step: str) -> datetime | None:
        """When it first came so far."""
        return self.moments.get(step)

    @property
    def sent_at(self) -> datetime | None:
        """When it was sent: the scorer names that too, should the fact itself not have come."""
        return self.moments.get("sent") or self.asked_at

    @property
    def was_called_off(self) -> bool:
        """Whether nobody waits for an answer any more: the person unsubscribed, or it was withdrawn."""
        return "unsubscribed" in self.moments or "withdrawn" in self.moments

    @property
    def furthest(self) -> str:
        """How far it came, by what the scorer said and by the facts."""
        steps = [step for step in STEPS if step in self.moments]
        if self.silence is not None:
            steps.append(self.silence.furthest)
        return max(steps, key=STEPS.index, default="sent")


@dataclass(frozen=True, slots=True)
class ClassChange:
    """The scorer said that an account is of another class now."""

    occasion: str
    sequence: int
    old: str
    new: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Drop:
    """The scorer said that the score of an account has fallen."""

    occasion: str
    sequence: int
    points: float
    at: datetime


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the scorer has published of an account; the greatest sequence counts, whichever topic brought it.

    `changes` are the latest changes of class, oldest first.
    """

    account_class: str | None = None
    changes: tuple[ClassChange, ...] = ()
    drop: Drop | None = None
    recovered_sequence: int = -1


class FirstDetractorAnswer(NamedTuple):
    """The answer with which somebody became a detractor."""

    at: datetime
    response_id: str
    stakeholder_id: str
    recorded_at: datetime


@dataclass(frozen=True)
class Facts:
    """One account as it is known now, with the people and answers that the evaluation needs.

    `known_since`: since when Tellback knows the account, `first_recorded_at`: when its
    first answer was recorded, `heard_at`: the last answer of a decision-maker. `settled` holds (kind, person, occasion)
    of what people have closed; `burst` is the time within which detractors are one matter. `shift` is there for a
    segment, which stands in the place of an account. What several rules ask for is worked out once and kept.
    """

    account: Account
    now: datetime
    calendar: BusinessCalendar
    people: Mapping[str, Stakeholder] = field(default_factory=dict)
    answers: Mapping[str, Sequence[StoredAnswer]] = field(default_factory=dict)
    invitations: Mapping[str, Sequence[Invitation]] = field(default_factory=dict)
    account_state: AccountState = field(default_factory=AccountState)
    contract_events: tuple[datetime, ...] = ()
    heard_at: datetime | None = None
    known_since: datetime | None = None
    first_recorded_at: datetime | None = None
    settled: frozenset[tuple[str, str | None, str]] = frozenset()
    burst: timedelta = timedelta(hours=24)
    shift: Shift | None = None
    _series_by_person: dict[str, dict[SeriesKey, list[AnswerInSeries]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _runs_by_person: dict[tuple[str, bool], list[list[AnswerInSeries]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _values_by_answer: dict[str, Values] = field(default_factory=dict, init=False, repr=False, compare=False)

    def series_of(self, stakeholder_id: str) -> dict[SeriesKey, list[AnswerInSeries]]:
        """The series of a person's answers."""
        series = self._series_by_person.get(stakeholder_id)
        if series is None:
            series = self._series_by_person[stakeholder_id] = series_by_key(self.answers.get(stakeholder_id, ()))
        return series

    def runs_of(self, stakeholder_id: str, *, rising: bool = False) -> list[list[AnswerInSeries]]:
        """The runs of a person's answers; `rising`: those in which the level never fell."""
        found = self._runs_by_person.get((stakeholder_id, rising))
        if found is None:
            found = runs(self.series_of(stakeholder_id), rising=rising)
            self._runs_by_person[stakeholder_id, rising] = found
        return found

    def values_of(self, given_answer: AnswerInSeries) -> Values:
        """What rules may look at of an answer: its own facts, and those of its person and account."""
        response_id = given_answer.stored.live.response_id
        values = self._values_by_answer.get(response_id)
        if values is None:
            values = self._values_by_answer[response_id] = self._values(given_answer)
        return values

    def _values(self, given_answer: AnswerInSeries) -> Values:
        answer = given_answer.stored.live
        return (
            self.around(answer.stakeholder_id)
            | self.known_days(answer.answered_at)
            | {
                "survey_type": answer.survey_type,
                "nps_kind": answer.nps_kind,
                "score": answer.score,
                "category": category_of(answer.survey_type, answer.score),
                "change": given_answer.change,
                "previous_score": given_answer.previous_score,
                "falls_in_a_row": given_answer.falls_in_a_row,
                "follow_up_requested": answer.follow_up_requested,
                "touchpoint": answer.touchpoint,
                "product": answer.product,
            }
        )

    @cached_property
    def first_detractor_answers(self) -> list[FirstDetractorAnswer]:
        """The first answer of each run of detractor answers, oldest first; without answers that are not fresh, answers
        that people have settled, and people who are gone.
        """
        begun = []
        for person in self.answers:
            if self.is_gone(person):
                continue
            for run in self.runs_of(person):
                first = run[0].stored
                answer = first.live
                is_detractor = run[0].level == 0 and answer.survey_type == "nps"
                is_settled = (DETRACTOR, person, answer.response_id) in self.settled
                if is_detractor and first.is_fresh and not is_settled:
                    begun.append(
                        FirstDetractorAnswer(answer.answered_at, answer.response_id, person, first.recorded_at)
                    )
        return sorted(begun)

    @cached_property
    def today(self) -> date:
        """The supplier's date."""
        return self.calendar.local_date(self.now)

    def is_gone(self, stakeholder_id: str | None) -> bool:
        """Whether nobody is left to follow up with: the person or the account was removed, or the account closed."""
        account, person = self.account, self.people.get(stakeholder_id or "")
        closed = account.closed_on is not None and account.closed_on <= self.today
        return account.removed or closed or (person is not None and person.removed)

    def has_new_address(self, stakeholder_id: str, since: datetime) -> bool:
        """Whether the directory has another address of the person since then."""
        person = self.people.get(stakeholder_id)
        return person is not None and person.email_changed_at is not None and person.email_changed_at > since

    def last_heard(self, stakeholder_id: str) -> datetime | None:
        """When a person last answered anything, quietly or not."""
        answers = self.answers.get(stakeholder_id, ())
        return max((stored.live.answered_at for stored in answers if stored.counts), default=None)

    def around(self, stakeholder_id: str | None) -> dict[str, FactValue]:
        """The values of account and person that rules may look at, whatever happened."""
        person = self.people.get(stakeholder_id or "")
        stakeholder_type = None
        if person is not None:
            stakeholder_type = person.type
        return {
            "tier": self.account.tier,
            "industry": self.account.industry,
            "region": self.account.region,
            "stakeholder_type": stakeholder_type,
        }

    def known_days(self, at: datetime) -> dict[str, FactValue]:
        """For how many days the account had answers at a moment; nothing while it has none."""
        if self.first_recorded_at is None:
            return {}
        return {"known_days": max(0, (at - self.first_recorded_at).days)}

    def is_recent(self, at: datetime) -> bool:
        """Whether something happened so lately that a follow-up may open on it."""
        return self.now - at <= FRESH
