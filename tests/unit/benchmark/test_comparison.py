"""What a comparison says, and what it warns of."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.benchmark.domain.benchmarks import Benchmark
from services.benchmark.domain.comparison import Against, Own, compare, rank, signed, whole

LOGISTICS = [
    Benchmark("c-2025", "Clientshare", 2025, "logistics", 43),
    Benchmark("c-2026", "Clientshare", 2026, "logistics", 41),
]
AGAINST = Against("logistics", "Logistics", LOGISTICS[1], LOGISTICS[0])


def own(nps: float | None = 38.0, voices: int = 24, year: float | None = 32.0) -> Own:
    return Own(nps, voices, "latest", {"month": None, "quarter": None, "year": year})


def test_own_past_comes_first_then_the_industry() -> None:
    found = compare(own(), AGAINST, year=2026, few_voices=10)
    assert (found.gap, found.own_change, found.benchmark_change) == (-3.0, 6.0, -2.0)
    assert found.sentence == (
        "+38 from 24 respondents, up 6 on last year while the industry lost 2, 3 below the 2026 average of Logistics"
        " (+41)."
    )
    assert found.warnings == ("benchmark_method_not_published",)


def test_without_answers_nothing_is_compared() -> None:
    found = compare(own(nps=None, voices=0), AGAINST, year=2026, few_voices=10)
    assert (found.gap, found.own_change) == (None, None)
    assert "no_answers" in found.warnings
    assert "few_voices" not in found.warnings
    assert found.sentence == "No answers count in this window."


@pytest.mark.parametrize(
    ("case", "warning"),
    [
        ((own(voices=9), AGAINST, 2026), "few_voices"),
        ((own(year=None), AGAINST, 2026), "no_figure_a_year_ago"),
        ((own(), Against(), 2026), "no_industry"),
        ((own(), Against("space", None), 2026), "no_published_benchmark"),
        ((own(), AGAINST, 2029), "benchmark_older_than_two_years"),
        ((own(), Against("a", "A", Benchmark("s", "S", 2026, "a", 1, method="all")), 2026), "methods_differ"),
        ((own(), Against("a", "A", Benchmark("s", "S", 2026, "a", 1, region="US")), 2026), "regions_differ"),
        ((own(), Against("logistics", "Logistics", LOGISTICS[1]), 2026), "no_benchmark_of_the_year_before"),
        ((replace(own(), part=True), AGAINST, 2026), "figure_of_a_part"),
    ],
)
def test_what_weakens_a_comparison_is_said(case: tuple[Own, Against, int], warning: str) -> None:
    figure, against, year = case
    assert warning in compare(figure, against, year=year, few_voices=10).warnings


def test_the_sentence_says_when_respondents_are_too_few() -> None:
    words = " Too few respondents to say more."
    assert compare(own(voices=9), AGAINST, year=2026, few_voices=10).sentence.endswith(words)
    assert words not in compare(own(voices=10), AGAINST, year=2026, few_voices=10).sentence


def test_an_industry_without_a_set_says_so() -> None:
    found = compare(own(year=None), Against("space", "Space"), year=2026, few_voices=10)
    assert found.sentence == "+38 from 24 respondents, no published benchmark for Space."


def test_a_leader_reads_own_past_and_the_industry_in_one_sentence() -> None:
    gained = Against("bpo", "BPO", Benchmark("s-2026", "S", 2026, "bpo", 45), Benchmark("s-2025", "S", 2025, "bpo", 36))
    assert "up 6 on last year while the industry gained 9" in compare(own(), gained, year=2026, few_voices=10).sentence


def test_a_benchmark_two_years_old_is_not_too_old_yet() -> None:
    assert "benchmark_older_than_two_years" not in compare(own(), AGAINST, year=2028, few_voices=10).warnings


def test_a_percentile_is_said_to_be_an_estimate() -> None:
    known = Benchmark("s", "S", 2026, "a", 30, method="latest", lower_quartile=20, median=30, upper_quartile=46)
    found = compare(own(), Against("a", "A", known), year=2026, few_voices=10)
    assert found.percentile == 62.5
    assert "percentile_estimated_from_quartiles" in found.warnings


@given(st.floats(-100, 100), st.lists(st.floats(-100, 100), max_size=8))
def test_a_rank_is_the_place_in_the_sorted_list(nps: float, others: list[float]) -> None:
    found = rank(nps, others)
    assert found is not None
    assert found.position == sorted([*others, nps], reverse=True).index(nps) + 1
    assert found.of == len(others) + 1


def test_without_a_figure_there_is_no_rank() -> None:
    assert rank(None, [1.0]) is None


@given(st.floats(-200, 200))
def test_points_for_people_are_rounded_half_away_from_zero(points: float) -> None:
    assert whole(-points) == -whole(points)
    assert abs(whole(points) - points) <= 0.5 + 1e-9


@pytest.mark.parametrize(("points", "text"), [(0.4, "0"), (-0.4, "0"), (2.5, "+3"), (-2.5, "−3"), (41.0, "+41")])
def test_scores_are_shown_with_their_sign(points: float, text: str) -> None:
    assert signed(points) == text
