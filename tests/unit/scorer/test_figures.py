"""Every figure against the plain recomputation, and a few worked by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.domain.account import account_figures, recompute_at, snapshot_figures, standard_counts
from services.scorer.domain.answers import Answer, History
from services.scorer.domain.counts import AccountFacts, Known, digest_of
from services.scorer.domain.figures import Pairs, Tally, figures_from_counts, rounded, tally_of
from services.scorer.domain.windows import STANDARD_WINDOWS, parse_window
from tests.support.reference.compare import assert_same
from tests.support.reference.questions import spans, within
from tests.support.reference.scores import compared, pick

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
# Moments on and around the starts and ends of windows are the interesting ones.
MOMENTS = st.builds(
    lambda days, shift: NOW - timedelta(days=days) + timedelta(microseconds=shift),
    st.sampled_from((-3, 0, 1, 7, 14, 29, 30, 60, 90, 180, 365, 730)),
    st.sampled_from((-1, 0, 1, 3_600_000_000)),
)


def answers(highest: int = 10, lowest: int = 0) -> st.SearchStrategy[list[Answer]]:
    """Histories of a few people with many ties; ids are unique, their order has nothing to do with time."""
    drafts = st.tuples(st.sampled_from("abcdé"), MOMENTS, st.integers(lowest, highest))
    return st.lists(drafts, max_size=30).flatmap(
        lambda found: st.permutations(range(len(found))).map(
            lambda order: [
                Answer(f"r{position}", person, moment, score)
                for position, (person, moment, score) in zip(order, found, strict=True)
            ]
        )
    )


def snapshot_of(found: list[Answer], as_of: datetime, known: int = 0) -> Any:
    """The figures of all windows and methods."""
    return snapshot_figures(standard_counts(AccountFacts(History(found), known=Known(known)), as_of))


def as_voices(found: list[Answer]) -> list[dict[str, Any]]:
    """The answers as the reference takes them."""
    return [
        {
            "person": ("acme", answer.stakeholder_id),
            "response_id": answer.response_id,
            "question_id": answer.question_id,
            "score": answer.score,
            "at": answer.answered_at,
        }
        for answer in found
    ]


@given(answers(), st.sampled_from([*STANDARD_WINDOWS, parse_window("1d"), parse_window("29d")]), MOMENTS)
def test_figures_of_an_account_equal_the_recomputation(found: list[Answer], window: Any, as_of: datetime) -> None:
    voices = as_voices(found)
    span, span_before = spans(window.name, as_of)
    for method in ("latest", "all"):
        now = pick(within(voices, span), method)
        before = pick(within(voices, span_before), method) if span_before else None
        actual = account_figures(AccountFacts(History(found)), window, method, as_of)
        assert_same(actual, compared(now, before, "nps"))


@given(answers(5, 1), st.sampled_from(("csat", "ces")))
def test_csat_and_ces_have_their_own_figures_and_no_nps(found: list[Answer], survey_type: Any) -> None:
    actual = account_figures(AccountFacts(History(found)), parse_window("90d"), "all", NOW, survey_type)
    span, span_before = spans("90d", NOW)
    assert span_before is not None
    voices = as_voices(found)
    assert_same(actual, compared(within(voices, span), within(voices, span_before), survey_type))
    assert actual["nps"] is actual["ci_low"] is actual["promoter_count"] is None


@given(answers())
def test_a_snapshot_holds_what_each_question_by_itself_answers(found: list[Answer]) -> None:
    snapshot = snapshot_of(found, NOW, known=3)
    assert list(snapshot) == ["7d", "30d", "90d", "180d", "365d", "all"]
    facts = AccountFacts(History(found))
    for window in STANDARD_WINDOWS:
        for method in ("latest", "all"):
            figures = snapshot[window.name][method]
            of_account = account_figures(facts, window, method, NOW)
            alone = {name: of_account[name] for name in figures}  # an account may have further ones
            assert alone["coverage"]["known"] == 0
            assert figures == alone | {"coverage": alone["coverage"] | {"known": 3}}


@given(answers())
def test_nothing_changes_before_the_moment_to_recompute_at_and_something_may_then(found: list[Answer]) -> None:
    history = History(found)
    due = recompute_at(history, NOW)
    snapshot = snapshot_of(found, NOW)
    if due is None:
        assert snapshot_of(found, NOW + timedelta(days=2000)) == snapshot
        return
    assert due > NOW
    assert snapshot_of(found, due - timedelta(microseconds=1)) == snapshot
    assert recompute_at(history, due) != due


@given(answers(), answers(), MOMENTS, st.integers(0, 1))
def test_digests_differ_where_figures_do_and_nowhere_else(
    answered: list[Answer], other: list[Answer], later: datetime, known: int
) -> None:
    snapshots = [
        standard_counts(AccountFacts(History(found), known=Known(number)), as_of)
        for found, as_of, number in (
            (answered, NOW, 1),
            (other, NOW, 1),
            (answered, later, 1),
            (answered, NOW, known),
            (answered[1:], NOW, 1),
            (list(reversed(answered)), NOW, 1),
        )
    ]
    for first in snapshots:
        for second in snapshots:
            same = snapshot_figures(first) == snapshot_figures(second)
            assert (digest_of(first) == digest_of(second)) is same


def test_sixty_promoters_twenty_passives_twenty_detractors_make_forty() -> None:
    tally = tally_of([9] * 60 + [7] * 20 + [6] * 20, 100, NOW)
    figures = figures_from_counts(tally, None, Pairs())
    assert (figures["nps"], figures["nps_rounded"]) == (40.0, 40)
    assert (figures["promoter_percent"], figures["passive_percent"], figures["detractor_percent"]) == (60.0, 20.0, 20.0)
    # (40/103) ± 1.959963984540054·√(((81.5)/103 − (40/103)²)/103), by hand
    assert figures["ci_low"] == pytest.approx(23.37988, abs=1e-5)
    assert figures["ci_high"] == pytest.approx(54.29002, abs=1e-5)


def test_one_promoter_and_two_detractors_are_not_rounded() -> None:
    figures = figures_from_counts(tally_of([9, 0, 6], 3, NOW), None, Pairs())
    assert figures["nps"] == -100 / 3
    assert figures["nps_rounded"] == -33
    assert figures["mean_score"] == 5.0


def test_nothing_counts() -> None:
    figures = figures_from_counts(Tally(), Tally(), Pairs())
    counts = {name: value for name, value in figures.items() if name.endswith("_count")}
    assert set(counts.values()) == {0}
    assert figures["distribution"] == [0] * 11
    for name in ("nps", "nps_rounded", "mean_score", "promoter_percent", "ci_low", "change", "z", "last_answered_at"):
        assert figures[name] is None, name
    assert figures["significant"] is False
    assert figures["same_stakeholders"] == {"n": 0, "change": None, "t": None}


def test_there_is_no_window_before_all_time() -> None:
    figures = figures_from_counts(tally_of([9], 1, NOW), None, Pairs())
    assert figures["previous"] is figures["change"] is figures["z"] is None


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 2, 1), (-1, 2, -1), (5, 2, 3), (-5, 2, -3), (49, 100, 0), (-149, 100, -1), (0, 7, 0), (1, 0, None)],
)
def test_display_rounds_half_away_from_zero(numerator: int, denominator: int, expected: int | None) -> None:
    assert rounded(numerator, denominator) == expected


@pytest.mark.parametrize(("respondents", "significant"), [(9, False), (10, True)])
def test_a_change_is_significant_only_from_ten_respondents_on_each_side(respondents: int, significant: bool) -> None:
    before, now = tally_of([10] * respondents, respondents, NOW), tally_of([0] * 30, 30, NOW)
    figures = figures_from_counts(now, before, Pairs())
    assert figures["z"] < -1.96
    assert figures["significant"] is significant


def test_the_paired_change_needs_two_people_and_some_spread() -> None:
    two_alike, two_apart = Pairs(2, 2, 2), Pairs(2, -1, 1)
    assert figures_from_counts(Tally(), Tally(), two_alike)["same_stakeholders"] == {"n": 2, "change": 100.0, "t": None}
    # e = −1, 0: mean −½, s = 1/√2, t = −½ / (s/√2) = −1
    assert figures_from_counts(Tally(), Tally(), two_apart)["same_stakeholders"] == {"n": 2, "change": -50.0, "t": -1.0}
