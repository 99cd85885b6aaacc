"""What follows from an evaluation, and rule by rule what ends a reason, by the rows of the tables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.alerting.domain import lifecycle
from services.alerting.domain.default_rules import DETRACTOR
from services.alerting.domain.lifecycle import NotAllowed
from services.alerting.domain.people import Account
from services.alerting.domain.rule_facts import AccountState, ClassChange, Drop, Facts, Invitation, Silence
from services.alerting.domain.segments import DetractorCount, Shift
from services.alerting.domain.tasks import Closing, Promise, Task, TaskChange, TaskStep
from services.alerting.domain.wording import read_on
from tests.unit.alerting.builders import ACME, DAY, FACTS, JANE, MONDAY_10, Board, answer, facts_of

LOW, HIGH = answer("r1", 2), answer("r2", 9, -1)
TUESDAY = MONDAY_10 + DAY


def by(at: datetime = MONDAY_10, **changes: Any) -> TaskChange:
    return TaskChange("key:eve", at, **changes)


def with_low() -> Board:
    board = Board()
    board.evaluate(facts_of(LOW))
    return board


def better(now: datetime = TUESDAY) -> Facts:
    return facts_of(LOW, HIGH, now=now)


# What follows from an evaluation


def test_over_and_untouched_closes_by_itself_with_the_outcome_of_the_facts() -> None:
    board = with_low()
    board.evaluate(better())
    task = board.one(DETRACTOR)
    assert (task.state, task.outcome, task.closed_by, task.closed_at) == ("closed", "improved", "facts", TUESDAY)
    assert board.steps[1].entry.comment == "answered 9 on 2026-06-09"


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (facts_of(replace(LOW, live=replace(LOW.live, withdrawn=True))), "corrected"),
        (facts_of(answer("r1", 8)), "corrected"),
        (facts_of(LOW, HIGH), "improved"),
        (facts_of(LOW, people={"jane": replace(JANE, removed=True)}), "gone"),
        (facts_of(LOW, account=replace(ACME, removed=True)), "gone"),
        (facts_of(LOW, account=replace(ACME, closed_on=date(2026, 6, 8))), "gone"),
    ],
    ids=["withdrawn", "amended", "improved", "person removed", "account removed", "account closed"],
)
def test_the_outcome_says_what_became_of_the_reason(facts: Facts, outcome: str) -> None:
    board = with_low()
    board.evaluate(facts)
    assert board.one(DETRACTOR).outcome == outcome
    assert ("jane", DETRACTOR) not in board.open()


TOUCHES: dict[str, Callable[[Task], TaskStep | None]] = {
    "acknowledged": lambda task: lifecycle.acknowledge(task, by()),
    "started": lambda task: lifecycle.start(task, by()),
    "promised": lambda task: lifecycle.promise(task, by(), Promise("a call", MONDAY_10 + 3 * DAY)),
    "commented": lambda task: lifecycle.comment(task, by(comment="called")),
    "assigned": lambda task: lifecycle.assign(task, by(), task.owner),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_over_and_touched_stays_and_says_since_when_and_why(touch: str) -> None:
    board = with_low()
    board.take(TOUCHES[touch](board.one(DETRACTOR)))
    version = board.one(DETRACTOR).version
    board.evaluate(better())
    task = board.one(DETRACTOR)
    assert (task.is_closed, task.reason_holds, task.version) == (False, False, version + 1)
    assert task.over is not None
    assert (task.over.since, task.over.because) == (TUESDAY, "answered 9 on 2026-06-09")
    assert board.evaluate(better()) == [], "said once"


@pytest.mark.parametrize(
    "change",
    [
        lambda task: lifecycle.snooze(task, by(), MONDAY_10 + timedelta(hours=2)),
        lambda task: lifecycle.acknowledge(task, by(touches=False)),
    ],
    ids=["snoozed", "a callback that names nobody"],
)
def test_what_does_not_touch_closes_by_itself(change: Any) -> None:
    board = with_low()
    board.take(change(board.one(DETRACTOR)))
    board.evaluate(better())
    assert board.one(DETRACTOR).closed_by == "facts"


def test_taken_on_and_left_is_untouched_again() -> None:
    board = with_low()
    board.take(lifecycle.acknowledge(board.one(DETRACTOR), by()))
    left = TaskChange("system", board.one(DETRACTOR).ack_expires_at or MONDAY_10)
    board.take(lifecycle.unacknowledge(board.one(DETRACTOR), left))
    board.evaluate(better(MONDAY_10 + 7 * DAY))
    assert board.one(DETRACTOR).closed_by == "facts"


def test_holds_again_and_touched_the_line_goes_and_the_clock_goes_on_after_the_pause() -> None:
    board = with_low()
    board.take(lifecycle.comment(board.one(DETRACTOR), by(comment="called")))
    due = board.one(DETRACTOR).due_at
    board.evaluate(better(MONDAY_10 + timedelta(hours=1)))
    board.evaluate(facts_of(LOW, now=MONDAY_10 + timedelta(hours=3)))
    task = board.one(DETRACTOR)
    assert (task.reason_holds, task.due_at, task.paused_seconds) == (True, due + timedelta(hours=2), 7200)
    assert board.evaluate(facts_of(LOW, now=MONDAY_10 + timedelta(hours=4))) == []


@pytest.mark.parametrize(("days", "same"), [(14, True), (14.001, False)], ids=["fourteen days", "a moment more"])
def test_holds_again_within_fourteen_days_of_closing_by_facts_the_same_task_reopens(days: float, same: bool) -> None:
    board = with_low()
    first = board.one(DETRACTOR)
    board.evaluate(better())
    board.evaluate(facts_of(LOW, now=TUESDAY + timedelta(days=days)))
    (task,) = [task for task in board.tasks.values() if not task.is_closed]
    assert (task.follow_up_id == first.follow_up_id) == same
    assert task.linked_to == (None if same else first.follow_up_id)
    assert (task.closed_at, task.outcome, task.reason_holds) == (None, None, True)


def test_the_time_shut_is_a_pause_and_levels_that_fired_stay_fired() -> None:
    board = with_low()
    fired = lifecycle.escalate(board.one(DETRACTOR), TaskChange("system", MONDAY_10 + timedelta(hours=4)), 1)
    board.take(fired)
    board.evaluate(better(TUESDAY))
    board.evaluate(facts_of(LOW, now=TUESDAY + timedelta(hours=2)))
    task = board.one(DETRACTOR)
    assert task.due_at == LOW.recorded_at + timedelta(hours=6)
    assert [level.fired_at is not None for level in task.escalations] == [True, False]


def test_what_is_older_than_thirty_days_comes_back_only_within_fourteen() -> None:
    board = with_low()
    board.evaluate(better(MONDAY_10 + 20 * DAY))
    board.evaluate(facts_of(LOW, now=MONDAY_10 + 40 * DAY))
    assert board.open() == set()


def by_hand(**changes: Any) -> Board:
    board = with_low()
    task = replace(board.one(DETRACTOR), opened_by="key:eve", policy={}, escalations=(), reasons=("met at the fair",))
    board.tasks = {task.follow_up_id: replace(task, **changes)}
    board.occasion_keys.clear()
    return board


def test_made_by_hand_is_never_evaluated_until_its_person_or_account_is_gone() -> None:
    board = by_hand()
    assert board.evaluate(better(), may_open=True) != [], "the recovery opens a task of its own"
    assert board.one(DETRACTOR).reason_holds
    board.evaluate(facts_of(LOW, people={"jane": replace(JANE, removed=True)}))
    assert not board.one(DETRACTOR).reason_holds
    assert board.one(DETRACTOR).state == "open"
    board.evaluate(better())
    assert board.one(DETRACTOR).reason_holds


def test_a_reason_of_its_kind_joins_a_task_made_by_hand_as_an_occurrence() -> None:
    board = by_hand(severity="medium")
    board.evaluate(facts_of(LOW))
    task = board.one(DETRACTOR)
    assert (task.occurrences, task.severity) == (2, "critical")
    assert task.reasons == ("met at the fair", "scored 2 of 10: a deep detractor")
    assert board.evaluate(facts_of(LOW)) == []


def test_outcomes_of_facts_are_for_people_only_while_the_reason_is_over() -> None:
    board = with_low()
    board.take(lifecycle.comment(board.one(DETRACTOR), by(comment="called")))
    with pytest.raises(NotAllowed):
        lifecycle.close(board.one(DETRACTOR), by(), Closing("improved"))
    board.evaluate(better())
    closed = lifecycle.close(board.one(DETRACTOR), by(TUESDAY), Closing("improved")).task
    assert (closed.outcome, closed.closed_by) == ("improved", "person")


def test_a_version_grows_with_what_others_act_on_and_not_with_words() -> None:
    board = with_low()
    board.evaluate(facts_of(LOW, people={"jane": replace(JANE, name="Jane Smith")}))
    task = board.one(DETRACTOR)
    assert (task.title, task.version) == ("Detractor (2): Jane Smith, Acme", 1)
    assert board.steps[-1].entry.action == "said_anew"


# Rule by rule


def asked(days: int = 21, **changes: Any) -> Invitation:
    sent = MONDAY_10 - timedelta(days=days)
    silence = Silence(MONDAY_10, days, "sent")
    return replace(Invitation("i1", "email", {"sent": sent}, sent, None, silence), **changes)


def moment(invitation: Invitation, step: str, at: datetime) -> Invitation:
    return replace(invitation, moments={**invitation.moments, step: at})


SILENT = facts_of(invitations={"jane": [asked()]})


def test_non_response_opens_and_says_how_far_they_came() -> None:
    board = Board()
    board.evaluate(SILENT)
    task = board.one("non_response")
    assert (task.severity, task.reasons) == ("medium", ("no answer 21 days after the invitation (not opened)",))


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (facts_of(answer("r1", 8, 21, quiet=True), invitations={"jane": [asked()]}), "answered"),
        (facts_of(invitations={"jane": [moment(asked(), "unsubscribed", MONDAY_10)]}), "over"),
        (facts_of(invitations={"jane": [moment(asked(), "withdrawn", MONDAY_10)]}), "over"),
        (facts_of(answer("r1", 8, 22), invitations={"jane": [asked()]}), None),
        (facts_of(answer("r1", 8, withdrawn=True), invitations={"jane": [asked()]}), None),
    ],
    ids=["quietly at the very moment", "unsubscribed", "withdrawn by us", "answered before", "answer withdrawn"],
)
def test_non_response_is_over(facts: Facts, outcome: str | None) -> None:
    board = Board()
    board.evaluate(SILENT)
    board.evaluate(facts)
    assert board.one("non_response").outcome == outcome


def test_the_only_answer_withdrawn_again_makes_them_silent_again() -> None:
    board = Board()
    board.evaluate(SILENT)
    board.evaluate(facts_of(answer("r1", 8), invitations={"jane": [asked()]}))
    board.evaluate(SILENT)
    assert board.open() == {("jane", "non_response")}


def bounced(at: datetime = MONDAY_10, recorded: datetime = MONDAY_10) -> Invitation:
    return Invitation("i1", "email", {"bounced": at}, None, recorded)


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (facts_of(answer("r1", 8, -1), invitations={"jane": [bounced()]}), "over"),
        (facts_of(invitations={"jane": [bounced(), moment(asked(), "opened", TUESDAY)]}), "over"),
        (facts_of(people={"jane": replace(JANE, removed=True)}, invitations={"jane": [bounced()]}), "gone"),
        (facts_of(invitations={"jane": [moment(bounced(), "delivered", MONDAY_10 - DAY)]}), None),
    ],
    ids=["answered", "another was opened", "person gone", "delivered before it came back"],
)
def test_bounced_contact_is_over(facts: Facts, outcome: str | None) -> None:
    board = Board()
    board.evaluate(facts_of(invitations={"jane": [bounced()]}))
    assert board.open() == {("jane", "bounced_contact")}
    board.evaluate(facts)
    found = board.one("bounced_contact").outcome
    assert found == outcome or (outcome == "over" and found == "answered")


def test_a_lost_contact_takes_in_the_silence() -> None:
    board = Board()
    board.evaluate(facts_of(invitations={"jane": [asked(), bounced()]}))
    assert board.open() == {("jane", "bounced_contact")}
    assert board.one("bounced_contact").inhibited == ("non_response",)


RENEWS = replace(ACME, renewal_on=date(2026, 9, 1))


def renewing(account: Account = RENEWS, account_class: str = "at_risk", **changes: Any) -> Facts:
    values = {"heard_at": MONDAY_10} | changes
    return facts_of(account=account, account_state=AccountState(account_class), **values)


def with_renewal() -> Board:
    board = Board()
    assert board.evaluate(renewing()) == [], "never by a snapshot alone"
    board.evaluate(renewing(), may_open=True)
    return board


def renewal(board: Board) -> Task:
    return board.one("renewal_risk", None)


def test_renewal_risk_opens_at_the_watch_and_has_one_version_for_a_week() -> None:
    board = with_renewal()
    assert read_on(renewal(board), date(2026, 6, 8)).reasons == ("renews in 85 days and is at risk",)
    for day in range(1, 8):
        assert board.evaluate(renewing(now=MONDAY_10 + day * DAY), may_open=True) == []
    assert renewal(board).version == 1
    assert read_on(renewal(board), date(2026, 6, 15)).reasons == ("renews in 78 days and is at risk",)


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (renewing(account_class="steady"), "over"),
        (renewing(replace(ACME, renewal_on=date(2027, 9, 1))), "over"),
        (renewing(now=datetime(2026, 9, 2, 10, tzinfo=MONDAY_10.tzinfo)), "over"),
        (renewing(contract_events=(MONDAY_10,)), "over"),
        (renewing(contract_events=(MONDAY_10 - 300 * DAY,)), None),
        (renewing(account_class="divided"), None),
        (renewing(account_class="steady", heard_at=MONDAY_10 - 180 * DAY), None),
        (renewing(replace(RENEWS, closed_on=date(2026, 6, 8))), "gone"),
    ],
    ids=["steady", "moved", "past", "decided", "decided long before", "divided", "unheard", "closed"],
)
def test_renewal_risk_is_over(facts: Facts, outcome: str | None) -> None:
    board = with_renewal()
    board.evaluate(facts)
    assert renewal(board).outcome == outcome


def test_a_renewal_that_a_person_closed_is_told_again_for_another_class_only() -> None:
    board = with_renewal()
    board.take(lifecycle.close(renewal(board), by(), Closing("resolved")))
    assert board.evaluate(renewing(), may_open=True) == []
    assert board.evaluate(renewing(account_class="silent"), may_open=True) != []


def dropped(recovered: int = -1) -> Facts:
    return facts_of(account_state=AccountState(drop=Drop("d1", 5, 25.0, MONDAY_10), recovered_sequence=recovered))


def turned(now: str, *changes: tuple[str, str]) -> Facts:
    told = tuple(ClassChange(f"c{number}", number, old, new, MONDAY_10) for number, (old, new) in enumerate(changes))
    return facts_of(account_state=AccountState(now, told))


@pytest.mark.parametrize(
    ("kind", "open_by", "stays_by", "ended_by"),
    [
        ("account_score_drop", dropped(), dropped(4), dropped(6)),
        (
            "account_class_changed",
            turned("at_risk", ("steady", "at_risk")),
            turned("divided", ("steady", "at_risk"), ("at_risk", "divided")),
            turned("steady", ("steady", "at_risk")),
        ),
    ],
    ids=["drop", "class"],
)
def test_drop_and_class_are_over_when_the_scorer_says_so(
    kind: str, open_by: Facts, stays_by: Facts, ended_by: Facts
) -> None:
    board = Board()
    board.evaluate(open_by)
    board.evaluate(stays_by)
    assert board.open() == {(None, kind)}
    board.evaluate(ended_by)
    assert board.one(kind, None).outcome == "over"


def test_a_segment_is_over_when_it_is_evaluated_and_not_beyond_chance_any_more() -> None:
    bad = Shift(("region", "emea"), DetractorCount(60, 24), DetractorCount(60, 6))
    segment = replace(FACTS, account=Account("segment/region/emea"), shift=bad)
    board = Board()
    assert board.evaluate(segment) == []
    board.evaluate(segment, may_open=True)
    task = board.one("segment_drop", None)
    assert board.evaluate(replace(segment, now=MONDAY_10 + 5 * DAY), may_open=True) == []
    board.evaluate(
        replace(segment, shift=Shift(bad.segment, DetractorCount(60, 7), DetractorCount(60, 6))), may_open=True
    )
    assert board.one("segment_drop", None).outcome == "over"
    assert task.title == "More detractors in a segment: emea"


@pytest.mark.parametrize(
    "facts",
    [
        facts_of(LOW, people={"jane": replace(JANE, removed=True)}),
        facts_of(LOW, account=replace(ACME, removed=True)),
        facts_of(LOW, account=replace(ACME, closed_on=date(2026, 6, 1))),
    ],
    ids=["person removed", "account removed", "account closed"],
)
def test_nothing_opens_for_who_is_gone(facts: Facts) -> None:
    board = Board()
    assert board.evaluate(facts, may_open=True) == []
