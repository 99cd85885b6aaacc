"""The occasions of a rule: everything among the current facts on which the conditions of the rule hold.

`reason_for` decides for every rule, shipped or own, whether a follow-up opens, changes or ends.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain, takewhile

from services.alerting.domain.default_rules import (
    ANSWERED,
    BOUNCED,
    CLASS_CHANGED,
    RENEWAL_NEAR,
    SCORE_DROPPED,
    SEGMENT_DROPPED,
    WENT_SILENT,
)
from services.alerting.domain.people import FRESH
from services.alerting.domain.rule_facts import Facts, FirstDetractorAnswer, Invitation
from services.alerting.domain.rules import FactValue, Rule, Values
from services.alerting.domain.series import AnswerInSeries

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
YEAR = 366
_DATES = {"days_to_renewal": "renewal_on", "decision_maker_days": "heard_on"}


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something on which the conditions of a rule hold. `at` is when it happened and `since` when it became known, from
    which its due time counts; both are None for what is so rather than happens. `dates` are the days that fields of
    `values` count from or to. `members` are the people whom it takes together.
    """

    id: str
    at: datetime | None = None
    since: datetime | None = None
    fresh: bool = True
    response_id: str | None = None
    values: Values = field(default_factory=dict)
    dates: Mapping[str, date] = field(default_factory=dict)
    members: frozenset[str] = frozenset()

    @property
    def order(self) -> tuple[datetime, str]:
        """By when it happened; what is so comes last."""
        return self.at or _END_OF_TIME, self.id

    @property
    def lasting(self) -> dict[str, FactValue]:
        """The values, with the date in the place of what counts days: time alone changes none of it."""
        counted = {_DATES[name]: day.isoformat() for name, day in self.dates.items()}
        return {name: value for name, value in self.values.items() if name not in self.dates} | counted


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a follow-up is there: a rule and the fresh occasions on which it holds, oldest first."""

    rule: Rule
    stakeholder_id: str | None
    occasions: tuple[Occasion, ...]


def reason_for(rule: Rule, facts: Facts, stakeholder_id: str | None) -> Reason | None:
    """The reason that a rule has for a follow-up about a person, or about the account itself, by the facts of now.

    None: it has none, or all of it has been settled by people. The caller leaves out who is gone.
    """
    unsettled = []
    for occasion in occasions(rule, facts, stakeholder_id):
        is_settled = (rule.kind, stakeholder_id, occasion.id) in facts.settled
        if occasion.fresh and not is_settled:
            unsettled.append(occasion)
    if not unsettled:
        return None
    return Reason(rule, stakeholder_id, tuple(sorted(unsettled, key=lambda occasion: occasion.order)))


def occasions(rule: Rule, facts: Facts, stakeholder_id: str | None) -> Iterator[Occasion]:
    """Every occasion of a rule about a person, None for one about the account; fresh or not, settled or not."""
    if stakeholder_id is None:
        return _OF_ACCOUNTS.get(rule.event, _of_anybody)(rule, facts)
    return _OF_PEOPLE[rule.event](rule, facts, stakeholder_id)


def is_about_account(rule: Rule) -> bool:
    """Whether its follow-up is one of the whole account."""
    return rule.about == "account" or not is_of_people(rule.event)


def is_of_people(event: str) -> bool:
    """Whether single people do it, or it happens to them."""
    return event in _OF_PEOPLE


def _answered(rule: Rule, facts: Facts, stakeholder_id: str) -> Iterator[Occasion]:
    considered: Iterable[Iterable[AnswerInSeries]] = facts.runs_of(stakeholder_id, rising=rule.growth)
    if rule.is_call_request:
        considered = facts.series_of(stakeholder_id).values()
    for given_answer in chain.from_iterable(considered):
        values = facts.values_of(given_answer)
        if rule.fits(values):
            stored, answer = given_answer.stored, given_answer.stored.live
            yield Occasion(
                answer.response_id, answer.answered_at, stored.recorded_at, stored.is_fresh, answer.response_id, values
            )


def _silent(rule: Rule, facts: Facts, stakeholder_id: str) -> Iterator[Occasion]:
    heard = facts.last_heard(stakeholder_id)
    for invitation in facts.invitations.get(stakeholder_id, ()):
        silence, sent_at = invitation.silence, invitation.sent_at
        if silence is None or invitation.was_called_off or _is_answered(heard, sent_at):
            continue
        values = facts.around(stakeholder_id) | {"days": silence.days, "furthest": invitation.furthest}
        if silence.stakeholder_type:
            values["stakeholder_type"] = silence.stakeholder_type
        if rule.fits(values):
            yield Occasion(invitation.invitation_id, silence.at, silence.at, values=values)


def _bounced(rule: Rule, facts: Facts, stakeholder_id: str) -> Iterator[Occasion]:
    invitations = facts.invitations.get(stakeholder_id, ())
    for invitation in invitations:
        bounced = invitation.at("bounced")
        if bounced is None or _was_reached(facts, stakeholder_id, invitations, bounced):
            continue
        if facts.has_new_address(stakeholder_id, bounced):
            continue
        values = facts.around(stakeholder_id) | {"channel": invitation.channel}
        known_at = invitation.bounce_recorded_at or bounced
        if rule.fits(values):
            # An invitation goes once more to a corrected address, and may come back from that one too.
            name = f"{invitation.invitation_id} {bounced.isoformat()}"
            yield Occasion(name, bounced, known_at, known_at - bounced <= FRESH, values=values)


def _was_reached(facts: Facts, stakeholder_id: str, invitations: Iterable[Invitation], bounced: datetime) -> bool:
    """Whether something reached the person after an invitation had come back."""
    if _is_answered(facts.last_heard(stakeholder_id), bounced):
        return True
    for invitation in invitations:
        for step in ("delivered", "opened", "started"):
            at = invitation.at(step)
            if at is not None and at > bounced:
                return True
    return False


def _is_answered(heard_at: datetime | None, asked_at: datetime | None) -> bool:
    return heard_at is not None and asked_at is not None and heard_at >= asked_at


def _of_anybody(rule: Rule, facts: Facts) -> Iterator[Occasion]:
    """What people of the account have done that the rule is about; a burst where it counts them."""
    if rule.tests("burst"):
        yield from _burst(rule, facts)
        return
    for person in facts.answers.keys() | facts.invitations.keys():
        for occasion in _OF_PEOPLE[rule.event](rule, facts, person):
            name = f"{person}/{occasion.id}"
            yield Occasion(name, occasion.at, occasion.since, occasion.fresh, values=facts.around(None))


def _burst(rule: Rule, facts: Facts) -> Iterator[Occasion]:
    """The first window in which enough people's detractor runs began; it happened when the last one needed did."""
    begun = facts.first_detractor_answers
    for position, first in enumerate(begun):
        people: dict[str, FirstDetractorAnswer] = {}
        for first_answer in begun[position:]:
            if first_answer.at < first.at + facts.burst:
                people.setdefault(first_answer.stakeholder_id, first_answer)
        values = facts.around(None) | facts.known_days(first.at)
        enough = [count for count in range(1, len(people) + 1) if rule.fits(values | {"burst": count})]
        if len(people) in enough:
            needed = list(people.values())[: enough[0]]
            known_at = max(first_answer.recorded_at for first_answer in needed)
            counted = values | {"burst": len(people)}
            yield Occasion(first.response_id, needed[-1].at, known_at, values=counted, members=frozenset(people))
            return


def _dropped(rule: Rule, facts: Facts) -> Iterator[Occasion]:
    drop = facts.account_state.drop
    if drop is None or drop.sequence < facts.account_state.recovered_sequence:
        return
    values = facts.around(None) | facts.known_days(drop.at) | {"points": drop.points}
    if rule.fits(values):
        yield Occasion(drop.occasion, drop.at, drop.at, values=values)


def _turned(rule: Rule, facts: Facts) -> Iterator[Occasion]:
    """The latest changes of class, back to the last class that the rule does not name; none while the account is of
    such a class.
    """
    names = rule.tests("account_class")

    def is_meant(account_class: str | None) -> bool:
        return all(condition.holds({"account_class": account_class}) for condition in names)

    if not is_meant(facts.account_state.account_class):
        return
    for change in takewhile(lambda change: is_meant(change.new), reversed(facts.account_state.changes)):
        values = facts.around(None) | facts.known_days(change.at)
        values |= {"account_class": change.new, "previous_class": change.old}
        if rule.fits(values):
            yield Occasion(change.occasion, change.at, change.at, values=values)


def _renews(rule: Rule, facts: Facts) -> Iterator[Occasion]:
    """The contract, until it has been renewed or lost in the year before its end."""
    ends, account_class = facts.account.renewal_on, facts.account_state.account_class
    if ends is None or ends < facts.today:
        return
    decided = (facts.calendar.local_date(at) for at in facts.contract_events)
    if any(0 <= (ends - day).days <= YEAR for day in decided):
        return
    heard = facts.calendar.local_date(facts.heard_at or facts.known_since or facts.now)
    values = facts.around(None) | {
        "account_class": account_class,
        "days_to_renewal": (ends - facts.today).days,
        "decision_maker_days": (facts.today - heard).days,
    }
    if rule.fits(values):
        parts = [ends.isoformat()]
        if rule.tests("account_class"):
            parts.append(account_class or "")
        if rule.tests("decision_maker_days"):
            parts.append("unheard")
        dates = {"days_to_renewal": ends, "decision_maker_days": heard}
        yield Occasion("/".join(parts), values=values, dates=dates)


def _shifted(rule: Rule, facts: Facts) -> Iterator[Occasion]:
    shift = facts.shift
    if shift is None:
        return
    dimension, value = shift.segment
    values: dict[str, FactValue] = {
        "segment_by": dimension,
        "segment": value,
        "share": round(shift.share, 1),
        "share_before": round(shift.share_before, 1),
        "rise": round(shift.rise, 1),
        "voices": shift.smaller_count,
        "z": round(shift.z, 2),
    }
    if rule.fits(values):
        yield Occasion(facts.today.strftime("%Y-%m"), values=values)


_OF_PEOPLE = {ANSWERED: _answered, WENT_SILENT: _silent, BOUNCED: _bounced}
_OF_ACCOUNTS = {SCORE_DROPPED: _dropped, CLASS_CHANGED: _turned, RENEWAL_NEAR: _renews, SEGMENT_DROPPED: _shifted}
