"""Follow-ups by the current facts, row by row of the model: runs, occasions, groups, settled ones, and every order."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from services.alerting.domain import lifecycle
from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.default_rules import BURST, DEFAULT_RULES, DETRACTOR
from services.alerting.domain.escalation import waiting
from services.alerting.domain.rule_facts import AccountState, Drop
from services.alerting.domain.rules import conditions_from
from services.alerting.domain.tasks import Closing, Contact, Promise, TaskChange
from tests.unit.alerting.builders import ACME, DAY, FACTS, MONDAY_10, Board, answer, facts_of, scores

EVE = TaskChange("key:eve", MONDAY_10)
DROP = AccountState(drop=Drop("d1", 5, 25.0, MONDAY_10))


def evaluated(*answers: StoredAnswer) -> Board:
    board = Board()
    board.evaluate(facts_of(*answers))
    return board


@pytest.mark.parametrize(
    ("given", "holds"),
    [((9, 7, 7), True), ((9, 8, 7), True), ((9, 7, 8), True), ((9, 7, 9), False), ((9, 7, 6), False)],
    ids=str,
)
def test_promoter_to_passive_stays_while_the_level_is_the_same(given: tuple[int, ...], holds: bool) -> None:
    assert (("jane", "promoter_to_passive") in evaluated(*scores(*given)).open()) == holds


def test_two_then_five_stays_critical_with_score_and_answer_of_the_newest() -> None:
    task = evaluated(*scores(2, 5)).one(DETRACTOR)
    assert (task.severity, task.score, task.response_id, task.occurrences) == ("critical", 5, "jane-r2", 2)
    assert task.title == "Detractor (5): Jane Doe, Acme"
    assert task.reasons == ("scored 2 of 10: a deep detractor", "scored 5 of 10: a detractor")


def test_two_amended_to_five_becomes_high() -> None:
    board = evaluated(answer("r1", 2))
    assert board.one(DETRACTOR).due_at.hour == 14
    board.evaluate(facts_of(answer("r1", 5)))
    task = board.one(DETRACTOR)
    assert (task.severity, task.score, task.occurrences, task.version) == ("high", 5, 1, 2)
    assert task.due_at == MONDAY_10 + DAY
    assert board.steps[-1].entry.changes["score"] == [2, 5], "the history keeps what was"


def test_a_reason_holds_in_any_of_the_person_s_surveys() -> None:
    board = evaluated(answer("r1", 2), answer("r2", 9, nps_kind="transactional"))
    assert board.open() == {("jane", DETRACTOR)}


@pytest.mark.parametrize(("days", "opens"), [(30, True), (30.001, False)], ids=["thirty days", "a moment more"])
def test_it_opens_on_what_is_at_most_thirty_days_old_now(days: float, opens: bool) -> None:
    assert bool(evaluated(answer("r1", 2, days)).open()) == opens


@pytest.mark.parametrize(("days", "opens"), [(30, True), (30.001, False)], ids=["thirty days", "a moment more"])
def test_fresh_is_what_was_recorded_at_most_thirty_days_after_it_happened(days: float, opens: bool) -> None:
    late = answer("r1", 2, 20, recorded_after=timedelta(days=days))
    assert bool(evaluated(late).open()) == opens


def test_what_is_open_stays_open_when_its_occasion_passes_thirty_days() -> None:
    board = evaluated(answer("r1", 2))
    assert board.evaluate(facts_of(answer("r1", 2), now=MONDAY_10 + 100 * DAY)) == []
    assert board.open() == {("jane", DETRACTOR)}


def test_quiet_answers_open_nothing_count_nowhere_and_end_a_run() -> None:
    assert evaluated(answer("r1", 2, quiet=True)).open() == set()
    board = evaluated(answer("r0", 1, 3, quiet=True), answer("r1", 2))
    assert board.one(DETRACTOR).occurrences == 1
    board.evaluate(facts_of(answer("r1", 2), answer("r2", 9, -1, quiet=True)))
    assert board.open() == set()


def test_a_wish_stands_by_itself_and_a_better_score_does_not_end_it() -> None:
    board = evaluated(answer("r1", 2, 1, follow_up_requested=True), answer("r2", 9))
    assert board.open() == {("jane", "follow_up_requested"), ("jane", "recovered")}
    board.evaluate(facts_of(answer("r1", 2, 1), answer("r2", 9)))
    assert board.one("follow_up_requested").outcome == "corrected"


def test_growth_runs_go_on_while_the_level_never_falls() -> None:
    board = evaluated(*scores(5, 7, 9))
    assert board.open() == {("jane", "new_promoter"), ("jane", "recovered")}
    board.evaluate(facts_of(*scores(5, 7, 9, 8)))
    assert {task.outcome for task in board.tasks.values() if task.kind != "promoter_to_passive"} == {"over"}
    assert board.open() == {("jane", "promoter_to_passive")}


def test_one_task_of_a_group_the_detractor_before_the_fall_before_two_falls() -> None:
    assert evaluated(*scores(9, 8, 7)).open() == {("jane", "promoter_to_passive")}
    assert "two_falls_in_a_row" in evaluated(*scores(9, 8, 7)).one("promoter_to_passive").inhibited
    mixed = (*scores(9, 7), answer("t1", 3, nps_kind="transactional"))
    assert evaluated(*mixed).open() == {("jane", DETRACTOR)}
    assert "promoter_to_passive" in evaluated(*mixed).one(DETRACTOR).inhibited


def test_the_weaker_untouched_task_closes_superseded_and_linked_and_comes_back() -> None:
    fall, low = scores(9, 7), answer("t1", 3, -1, nps_kind="transactional")
    board = evaluated(*fall)
    board.evaluate(facts_of(*fall, low))
    weaker = board.one("promoter_to_passive")
    assert (weaker.outcome, weaker.closed_by, weaker.linked_to) == (
        "superseded",
        "facts",
        board.one(DETRACTOR).follow_up_id,
    )
    board.evaluate(facts_of(*fall, low, answer("t2", 9, -2, nps_kind="transactional")))
    assert ("jane", "promoter_to_passive") in board.open(), "when the stronger one ends, the weaker is evaluated again"
    assert board.one("promoter_to_passive").occurrences == 1


def test_a_touched_weaker_task_stays_and_is_no_longer_so() -> None:
    fall = scores(9, 7)
    board = evaluated(*fall)
    board.take(lifecycle.acknowledge(board.one("promoter_to_passive"), EVE))
    board.evaluate(facts_of(*fall, answer("t1", 3, -1, nps_kind="transactional")))
    weaker = board.one("promoter_to_passive")
    assert (weaker.state, weaker.reason_holds) == ("acknowledged", False)
    assert weaker.over is not None
    assert weaker.over.outcome == "superseded"


def test_an_open_detractor_takes_in_a_drop_whichever_came_first() -> None:
    low, drop_first = answer("r1", 2), Board()
    drop_first.evaluate(facts_of(account_state=DROP))
    assert drop_first.open() == {(None, "account_score_drop")}
    drop_first.evaluate(facts_of(low, account_state=DROP))
    together = Board()
    together.evaluate(facts_of(low, account_state=DROP))
    assert drop_first.open() == together.open() == {("jane", DETRACTOR)}
    assert together.one(DETRACTOR).inhibited == ("account_score_drop",)


def test_what_was_settled_opens_no_more_and_takes_along_what_it_had_taken_in() -> None:
    board = Board()
    board.evaluate(facts_of(answer("r1", 2), account_state=DROP))
    board.take(lifecycle.close(board.one(DETRACTOR), EVE, Closing("dismissed")))
    assert board.evaluate(facts_of(answer("r1", 1), account_state=DROP)) == []
    later = facts_of(answer("r1", 1), answer("r2", 4, -1), account_state=DROP)
    board.evaluate(later)
    again = next(task for task in board.tasks.values() if not task.is_closed)
    assert (again.kind, again.occurrences, again.severity, again.score) == (DETRACTOR, 1, "high", 4)


def test_a_follow_up_that_a_person_reopened_holds_by_what_it_rested_on() -> None:
    board = evaluated(answer("r1", 2))
    closed = board.take(lifecycle.close(board.one(DETRACTOR), EVE, Closing("resolved")))
    board.settled.clear()  # as for what stands open again
    board.take(lifecycle.reopen(closed, EVE))
    board.evaluate(facts_of(answer("r1", 2), answer("r2", 3, -1)))
    task = board.one(DETRACTOR)
    assert (task.reason_holds, task.occurrences) == (True, 2)


def people(count: int, minutes: int = 60, **changes: object) -> list[StoredAnswer]:
    return [
        answer(f"r{number}", 3, 1 - number * minutes / 1440, f"person-{number:02}", **changes)
        for number in range(count)
    ]


def test_a_burst_is_so_many_people_whose_runs_began_within_a_day_and_takes_in_theirs() -> None:
    board = evaluated(*people(7))
    assert len(board.open()) == 7
    board.evaluate(facts_of(*people(9)))
    assert board.open() == {(None, BURST)}
    burst = board.one(BURST, None)
    assert (burst.severity, burst.occurrences, burst.inhibited) == ("critical", 1, (DETRACTOR,))
    assert burst.reasons == ("9 people gave a detractor's score at about the same time",)
    assert {task.outcome for task in board.tasks.values() if task.kind == DETRACTOR} == {"superseded"}


def test_where_fewer_remain_than_the_rule_s_number_those_who_remain_get_their_own() -> None:
    board = evaluated(*people(8))
    assert board.open() == {(None, BURST)}
    board.evaluate(facts_of(*people(7), answer("r7", 3, 1, "person-07", withdrawn=True)))
    assert board.one(BURST, None).outcome == "over"
    assert board.open() == {(f"person-{number:02}", DETRACTOR) for number in range(7)}


def test_detractors_hours_apart_and_one_person_who_answers_often_are_no_burst() -> None:
    assert len(evaluated(*people(8, minutes=210)).open()) == 8
    assert evaluated(*(answer(f"r{number}", 3) for number in range(10))).open() == {("jane", DETRACTOR)}


def test_a_burst_that_a_person_closed_settles_everybody_in_it() -> None:
    board = evaluated(*people(8))
    board.take(lifecycle.close(board.one(BURST, None), EVE, Closing("resolved")))
    assert board.evaluate(facts_of(*people(8), answer("late", 3, 0, "zoe"))) != []
    assert board.open() == {("zoe", DETRACTOR)}


def test_editing_a_rule_never_closes_and_new_ones_open_by_the_rules_in_force() -> None:
    board = evaluated(answer("r1", 5))
    stricter = [
        replace(rule, version=2, conditions=conditions_from({"score": {"max": 1}}))
        for rule in DEFAULT_RULES
        if rule.kind == DETRACTOR
    ]
    board.rules = stricter
    assert board.evaluate(facts_of(answer("r1", 5), answer("r2", 5, person="bob"))) == []
    board.rules = []
    assert board.evaluate(facts_of(answer("r1", 5))) == []
    assert board.open() == {("jane", DETRACTOR)}


def test_a_premium_account_is_one_step_more_severe_as_long_as_it_is_one() -> None:
    premium = replace(FACTS, account=replace(ACME, tier="premium"))
    board = Board()
    board.evaluate(facts_of(answer("r1", 5), base=premium))
    assert board.one(DETRACTOR).severity == "critical"
    board.evaluate(facts_of(answer("r1", 5)))
    assert board.one(DETRACTOR).severity == "high"


def test_owner_and_sponsor_follow_the_directory_unless_assigned_by_hand() -> None:
    moved = replace(ACME, owner=Contact("New Owner", "new@supplier.example"))
    low = facts_of(answer("r1", 2), base=replace(FACTS, account=moved))
    board = evaluated(answer("r1", 2))
    board.evaluate(low)
    assert (board.one(DETRACTOR).owner, board.one(DETRACTOR).version) == (moved.owner, 2)
    board.take(lifecycle.assign(board.one(DETRACTOR), EVE, Contact("Zed", "zed@supplier.example")))
    board.evaluate(facts_of(answer("r1", 2)))
    assert board.one(DETRACTOR).owner.email == "zed@supplier.example"


@pytest.mark.parametrize(
    "given",
    [(2, 9), (9, 7, 3), (5, 2, 8, 4), (9, 8, 7, 2), (3, 9, 3)],
    ids=str,
)
def test_whatever_came_first_the_same_facts_end_in_the_same_follow_ups(given: tuple[int, ...]) -> None:
    answers = scores(*given)
    ends = set()
    for order in permutations(answers):
        board = Board()
        for count in range(1, len(order) + 1):
            board.evaluate(facts_of(*order[:count]))
        ends.add(
            frozenset(
                (task.kind, task.stakeholder_id, task.severity, task.occurrences, task.reasons, task.score)
                for task in board.tasks.values()
                if not task.is_closed
            )
        )
    assert len(ends) == 1


def test_the_promise_s_reminder_goes_on_and_overdue_levels_stop_while_it_is_no_longer_so() -> None:
    board = evaluated(answer("r1", 2))
    by = MONDAY_10 + 7 * DAY
    board.take(lifecycle.promise(board.one(DETRACTOR), EVE, Promise("a new contact", by)))
    board.evaluate(facts_of(answer("r1", 2), answer("r2", 9, -1), now=MONDAY_10 + DAY))
    over = board.one(DETRACTOR)
    assert (over.state, over.reason_holds) == ("open", False)
    assert over.over is not None
    assert (over.over.outcome, over.over.because) == ("improved", "answered 9 on 2026-06-09")
    assert {level.cause for level in waiting(over)} == {"promise_near", "promise_past"}
