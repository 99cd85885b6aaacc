"""An answer was amended, withdrawn or erased: tasks say so, and close when no rule of their kind holds any more."""

from collections.abc import Sequence
from dataclasses import replace

from services.alerting.domain.decisions import Match, decide
from services.alerting.domain.lifecycle import close
from services.alerting.domain.people import FRESH, Answer
from services.alerting.domain.rules import Rule
from services.alerting.domain.tasks import SYSTEM, Change, Closing, Task
from services.alerting.domain.triggers import Fired, Policy, Trigger, corrected
from services.alerting.handlers.casework import Casework
from services.alerting.handlers.chances import drop_chances
from services.alerting.handlers.facts import corrected_trigger
from services.alerting.handlers.triggers import place
from shared.events.envelope import Event
from shared.events.scores import AnswerRef, StakeholderAnswerCorrected


class Correction:
    """One stakeholder.answer_corrected against the tasks that its answers had opened."""

    def __init__(self, casework: Casework, event: Event, rules: Sequence[Rule], policy: Policy) -> None:
        if not isinstance(event.data, StakeholderAnswerCorrected):
            raise TypeError(f"not a correction: {event.name}")
        self._casework, self._event, self._rules, self._policy = casework, event, rules, policy
        self._data: StakeholderAnswerCorrected = event.data
        account = casework.world.account(event.account_id)
        person = casework.world.person(event.account_id, self._data.stakeholder_id)
        answer = self._answer(self._data.new.latest)
        self._new = corrected_trigger(event, self._data, account, person, answer)

    def apply(self) -> None:
        """Correct what is open, then open what the amended answer now deserves."""
        if self._data.cause == "late":
            return  # a late answer corrects history; it neither opens nor closes anything
        self._casework.unsay(self._event.account_id, self._data.response_id)
        for person in (self._data.stakeholder_id, None):
            for task in self._casework.open_tasks(self._event.account_id, person):
                self._correct(task)
        if self.changed_category:
            drop_chances(self._casework, self._data, self._data.new.change, self._event.time)
        self._open_anew()

    def _correct(self, task: Task) -> None:
        affected = [
            one
            for one in self._casework.fired(task)
            if one.holds and one.role != "inhibited" and self._is_affected(one.trigger)
        ]
        if not affected:
            return
        best: Match | None = None
        others: tuple[str, ...] = ()
        for one in affected:
            judged, match, inhibited = self._judged(one, task.kind)
            self._casework.rejudge(judged)
            best, others = best or match, others + inhibited
        reason = self._reason()
        if any(one.holds and one.role != "inhibited" for one in self._casework.fired(task)):
            self._casework.record(corrected(task, self._event.time, reason, best, others), change=self.change())
            return
        change = Change(SYSTEM, self._event.time, reason)
        self._casework.record(close(task, change, Closing("corrected")), change=self.change())

    def _is_affected(self, trigger: Trigger) -> bool:
        """Whether this very answer was corrected, or was judged by a pair that now looks different."""
        old = self._data.old.latest
        return trigger.response_id is not None and trigger.response_id in (
            self._data.response_id,
            old.response_id if old else None,
        )

    def _judged(self, one: Fired, kind: str) -> tuple[Fired, Match | None, tuple[str, ...]]:
        """The trigger as its answer is now, the strongest rule of the task's kind that still holds, and other kinds."""
        facts = self._facts_now(one.trigger)
        if facts is None:
            return replace(one, holds=False), None, ()
        trigger = replace(one.trigger, facts=facts)
        matches = decide(self._rules, trigger.event, facts, trigger.at, self._policy.calendar).matches
        own = next((match for match in matches if match.rule.kind == kind), None)
        others = tuple(match.rule.kind for match in matches if match.rule.kind != kind) if own else ()
        return replace(one, trigger=trigger, holds=own is not None), own, others

    def _facts_now(self, trigger: Trigger) -> dict[str, str | int | float | bool | None] | None:
        """None when the answer is gone; an answer that is not the latest any more is judged by its score alone."""
        new = self._new
        if new is not None and new.response_id == trigger.response_id:
            return (
                dict(trigger.facts)
                | {name: value for name, value in new.facts.items() if value is not None}
                | {
                    "change": new.facts["change"],
                    "previous_score": new.facts["previous_score"],
                }
            )
        previous = self._data.new.previous
        if previous is not None and previous.response_id == trigger.response_id:
            return dict(trigger.facts) | {"score": previous.score, "category": previous.category, "change": None}
        return None

    def _open_anew(self) -> None:
        """An amended answer may now deserve a follow-up that it did not before."""
        new, data = self._new, self._data
        if new is None or data.cause != "amended" or new.response_id != data.response_id or not self._is_fresh():
            return
        decision = decide(self._rules, new.event, new.facts, new.at, self._policy.calendar)
        before = self._casework.fired_by(new.account_id, data.response_id)
        task = None
        if decision.chosen is not None and decision.chosen.rule.kind not in {one.kind for one in before if one.holds}:
            task = place(self._casework, new, decision, self._policy, self.change())
        self._casework.judged(new, task)

    def _is_fresh(self) -> bool:
        latest = self._data.new.latest
        answer = self._answer(latest)
        quiet = answer is not None and (answer.quiet or answer.test)
        return latest is not None and not quiet and self._data.recorded_at - latest.answered_at <= FRESH

    @property
    def changed_category(self) -> bool:
        """Whether the amended answer means another change of category than was told."""
        new, old = self._data.new, self._data.old
        amended = self._data.cause == "amended" and self._is_fresh()
        return amended and new.change is not None and new.change != old.change

    def change(self) -> dict[str, object]:
        """What a message says about the correction."""
        old, new = self._data.old, self._data.new
        return {
            "kind": new.change,
            "cause": self._data.cause,
            "response_id": self._data.response_id,
            "from": category_of_ref(new.previous),
            "to": category_of_ref(new.latest),
            "score": new.latest.score if new.latest else None,
            "previous_score": new.previous.score if new.previous else None,
            "corrected_from_score": old.latest.score if old.latest else None,
        }

    def _reason(self) -> str:
        if self._data.cause == "amended" and self._data.new.latest is not None:
            return f"the answer was amended: the score is {self._data.new.latest.score} now"
        return f"the answer was {self._data.cause}"

    def _answer(self, ref: AnswerRef | None) -> Answer | None:
        return self._casework.world.answer(self._event.account_id, ref.response_id if ref else None)


def category_of_ref(ref: AnswerRef | None) -> str | None:
    """The category of an answer, if there is one."""
    return ref.category if ref else None
