"""Every answer of an account has one place in the explanation."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scorer.domain.account import account_figures
from services.scorer.domain.answers import Answer, History
from services.scorer.domain.counts import AccountFacts
from services.scorer.domain.explain import Candidate, explain
from services.scorer.domain.windows import parse_window

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WINDOW = parse_window("30d")
FLAG = st.booleans()


def candidates() -> st.SearchStrategy[list[Candidate]]:
    """Answers in and out of the window, live or not."""
    drafts = st.tuples(st.sampled_from("abc"), st.integers(-1, 40), st.integers(0, 10), FLAG, FLAG, FLAG, FLAG)
    return st.lists(drafts, max_size=12).map(
        lambda found: [
            Candidate(Answer(f"r{number}", person, NOW - timedelta(days=days), score), gone, test, asked_for, chosen)
            for number, (person, days, score, gone, test, asked_for, chosen) in enumerate(found)
        ]
    )


@given(candidates(), st.sampled_from(("latest", "all")))
def test_what_is_counted_makes_the_figure(found: list[Candidate], method: str) -> None:
    counted, not_counted = explain(found, WINDOW.span(NOW), "latest" if method == "latest" else "all")
    assert sorted(answer.response_id for answer in [*counted, *(answer for answer, _ in not_counted)]) == sorted(
        candidate.answer.response_id for candidate in found
    )
    live = [
        candidate.answer
        for candidate in found
        if candidate.asked_for and candidate.chosen and not (candidate.withdrawn or candidate.test)
    ]
    figures = account_figures(AccountFacts(History(live)), WINDOW, "latest" if method == "latest" else "all", NOW)
    assert figures["response_count"] == len(counted)
    assert sum(answer.score for answer in counted) == (figures["mean_score"] or 0) * len(counted) or counted
    assert [figures["distribution"][score] for score in range(11)] == [
        sum(answer.score == score for answer in counted) for score in range(11)
    ]


def test_the_first_reason_of_several_is_told() -> None:
    old = Answer("old", "ann", NOW - timedelta(days=100), 9)
    earlier, latest = Answer("earlier", "ann", NOW - timedelta(days=2), 9), Answer("latest", "ann", NOW, 3)
    found = [
        Candidate(latest),
        Candidate(earlier),
        Candidate(old),
        Candidate(Answer("gone", "ann", NOW, 1), withdrawn=True, test=True),
        Candidate(Answer("tried", "ann", NOW, 1), test=True, chosen=False),
        Candidate(Answer("csat", "ann", NOW, 1), asked_for=False, chosen=False),
        Candidate(Answer("elsewhere", "ann", NOW - timedelta(days=100), 1), chosen=False),
        Candidate(Answer("twice", "ann", NOW, 1), conflict=True),
    ]
    counted, not_counted = explain(found, WINDOW.span(NOW), "latest")
    assert counted == [latest]
    assert {answer.response_id: reason for answer, reason in not_counted} == {
        "earlier": "superseded",
        "old": "outside_window",
        "gone": "withdrawn",
        "tried": "test",
        "csat": "other_survey",
        "elsewhere": "filtered",
        "twice": "conflict",
    }
