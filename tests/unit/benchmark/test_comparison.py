"""What a comparison says, and what it warns of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.benchmark.domain.comparison import Against, Benchmark, Own, compare, pick, signed, whole

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
        "+38 from 24 people, up 6 on last year while the industry lost 2, 3 below the 2026 average of Logistics (+41)."
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
        (
            (own(), Against("a", "A", Benchmark("s", "S", 2026, "a", 1, method="all")), 2026),
            "methods_differ",
        ),
    ],
)
def test_what_weakens_a_comparison_is_said(case: tuple[Own, Against, int], warning: str) -> None:
    figure, against, year = case
    assert warning in compare(figure, against, year=year, few_voices=10).warnings


def test_an_industry_without_a_set_says_so() -> None:
    found = compare(own(year=None), Against("space", "Space"), year=2026, few_voices=10)
    assert found.sentence == "+38 from 24 people, no published benchmark for Space."


@pytest.mark.parametrize(("year", "chosen", "before"), [(2026, 2026, 2025), (2025, 2025, None), (2030, 2026, 2025)])
def test_the_benchmark_of_the_year_or_the_newest_before_it(year: int, chosen: int, before: int | None) -> None:
    current, earlier = pick(LOGISTICS, "logistics", year)
    assert current is not None
    assert current.year == chosen
    assert (earlier.year if earlier else None) == before


def test_no_benchmark_before_the_first_year() -> None:
    assert pick(LOGISTICS, "logistics", 2024) == (None, None)
    assert pick(LOGISTICS, "saas", 2026) == (None, None)


@given(st.floats(-200, 200))
def test_points_for_people_are_rounded_half_away_from_zero(points: float) -> None:
    assert whole(-points) == -whole(points)
    assert abs(whole(points) - points) <= 0.5 + 1e-9


@pytest.mark.parametrize(("points", "text"), [(0.4, "0"), (-0.4, "0"), (2.5, "+3"), (-2.5, "−3"), (41.0, "+41")])
def test_scores_are_shown_with_their_sign(points: float, text: str) -> None:
    assert signed(points) == text
