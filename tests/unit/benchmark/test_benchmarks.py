"""Which benchmark is taken, where a figure stands in a distribution, and how sets are told apart."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.benchmark.domain.benchmarks import Benchmark, BenchmarkChoice, IndustryFigure, NewSet, percentile, pick

LOGISTICS = [
    Benchmark("c-2025", "Clientshare", 2025, "logistics", 43),
    Benchmark("c-2026", "Clientshare", 2026, "logistics", 41),
]
LATER = datetime(2026, 6, 1, tzinfo=UTC)
ELSEWHERE = Benchmark("d-2026-us", "Deep", 2026, "logistics", 20, region="US", loaded_at=LATER)
HERE = Benchmark("d-2026-emea", "Deep", 2026, "logistics", 30, region="EMEA", loaded_at=LATER)
points = st.integers(-100, 100).map(float)


@pytest.mark.parametrize(("year", "chosen", "before"), [(2026, 2026, 2025), (2025, 2025, None), (2030, 2026, 2025)])
def test_the_benchmark_of_the_year_or_the_newest_before_it(year: int, chosen: int, before: int | None) -> None:
    current, earlier = pick(LOGISTICS, BenchmarkChoice("logistics", year))
    assert current is not None
    assert current.year == chosen
    assert (earlier.year if earlier else None) == before


def test_no_benchmark_before_the_first_year() -> None:
    assert pick(LOGISTICS, BenchmarkChoice("logistics", 2024)) == (None, None)
    assert pick(LOGISTICS, BenchmarkChoice("saas", 2026)) == (None, None)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (BenchmarkChoice("logistics", 2026), "c-2026"),
        (BenchmarkChoice("logistics", 2026, region="emea"), "d-2026-emea"),
        (BenchmarkChoice("logistics", 2026, region="APAC"), "c-2026"),
        (BenchmarkChoice("logistics", 2026, source="deep", region="EMEA"), "d-2026-emea"),
        (BenchmarkChoice("logistics", 2026, source="DEEP", region="APAC"), "d-2026-us"),
        (BenchmarkChoice("logistics", 2026, source="nobody"), None),
    ],
)
def test_ours_before_all_regions_before_another_one(wanted: BenchmarkChoice, chosen: str | None) -> None:
    for order in permutations([*LOGISTICS, ELSEWHERE, HERE]):
        current, _ = pick(order, wanted)
        assert (current.set_id if current else None) == chosen


def test_of_two_sources_the_one_loaded_last_and_the_year_before_from_the_same() -> None:
    newer = [replace(figure, set_id=f"x-{figure.year}", source="X", nps=10, loaded_at=LATER) for figure in LOGISTICS]
    current, before = pick([*newer, *LOGISTICS], BenchmarkChoice("logistics", 2026))
    assert current is not None
    assert before is not None
    assert (current.set_id, before.set_id) == ("x-2026", "x-2025")
    current, before = pick([*LOGISTICS, newer[1]], BenchmarkChoice("logistics", 2026))
    assert before is None


def spread(low: float, middle: float | None, high: float) -> Benchmark:
    return Benchmark("s", "S", 2026, "a", 0, lower_quartile=low, median=middle, upper_quartile=high)


@pytest.mark.parametrize(
    ("nps", "rank"), [(-100, 0), (-40, 12.5), (20, 25), (25, 37.5), (30, 50), (46, 75), (73, 87.5), (100, 100)]
)
def test_a_percentile_lies_on_straight_lines_between_the_published_points(nps: float, rank: float) -> None:
    assert percentile(nps, spread(20, 30, 46)) == rank


def test_without_a_median_the_line_runs_from_quartile_to_quartile() -> None:
    assert percentile(33, spread(20, None, 46)) == 50


def test_without_quartiles_there_is_no_percentile() -> None:
    assert percentile(33, LOGISTICS[0]) is None


@given(points, points, st.lists(points, min_size=3, max_size=3))
def test_a_higher_score_never_has_a_lower_percentile(lower: float, higher: float, quartiles: list[float]) -> None:
    low, middle, high = sorted(quartiles)
    assume(lower < higher)
    below, above = (percentile(score, spread(low, middle, high)) for score in (lower, higher))
    assert below is not None
    assert above is not None
    assert 0 <= below <= above <= 100


def a_set(**changes: object) -> NewSet:
    lines = (IndustryFigure("logistics", 41), IndustryFigure("bpo", 52))
    return replace(NewSet("Deep-Insight", 2026, "EMEA", None, None, lines), **changes)  # type: ignore[arg-type]


def test_a_series_is_source_year_and_region() -> None:
    assert a_set().series == "deep-insight-2026-emea"
    assert a_set(region=None, source="Deep  Insight!").series == "deep-insight-2026"
    assert a_set(source="???").series == "x-2026-emea"
    assert [a_set().set_id(version) for version in (1, 2)] == ["deep-insight-2026-emea", "deep-insight-2026-emea.v2"]


def test_the_same_content_has_the_same_digest_in_any_order_of_its_lines() -> None:
    assert a_set().digest == a_set(figures=a_set().figures[::-1]).digest
    others = [a_set(note="x"), a_set(method="all"), a_set(figures=a_set().figures[:1])]
    assert len({a_set().digest, *(other.digest for other in others)}) == 4
