"""Where a figure stands: against its own past, against a published benchmark, and what must be said with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.benchmark.domain.benchmarks import Benchmark, percentile

OLD_AFTER_YEARS = 2
"""A benchmark older than this is shown with a warning."""

NO_ANSWERS = "no_answers"
NO_BENCHMARK = "no_published_benchmark"
NO_INDUSTRY = "no_industry"
FEW_VOICES = "few_voices"
OLD_BENCHMARK = "benchmark_older_than_two_years"
METHOD_NOT_PUBLISHED = "benchmark_method_not_published"
METHODS_DIFFER = "methods_differ"
NO_PAST = "no_figure_a_year_ago"
REGIONS_DIFFER = "regions_differ"
NOT_THE_YEAR_BEFORE = "no_benchmark_of_the_year_before"
ESTIMATED_PERCENTILE = "percentile_estimated_from_quartiles"
PART_OF_ANSWERS = "figure_of_a_part"


@dataclass(frozen=True, slots=True)
class Own:
    """Our own figure and what it was: `past` by name (month, quarter, year), None where nothing counted then. `part`
    says that filters chose some of the answers, where a benchmark is of all."""

    nps: float | None
    voices: int
    method: str
    past: Mapping[str, float | None]
    region: str | None = None
    part: bool = False


@dataclass(frozen=True, slots=True)
class Against:
    """What our figure is held against: the industry (slug and name), its benchmark and that of the year before."""

    industry: str | None = None
    industry_name: str | None = None
    current: Benchmark | None = None
    before: Benchmark | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Gap and changes in points of NPS; None where one side is missing."""

    gap: float | None
    own_change: float | None
    benchmark_change: float | None
    percentile: float | None
    warnings: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Rank:
    """Which place of how many accounts; those with the same figure share the better place."""

    position: int
    of: int


def rank(nps: float | None, others: Iterable[float]) -> Rank | None:
    """The place among the others, the highest figure being first; None without a figure."""
    if nps is None:
        return None
    scores = list(others)
    return Rank(1 + sum(score > nps for score in scores), 1 + len(scores))


def difference(later: float | None, earlier: float | None) -> float | None:
    """later − earlier, None where one of them is missing."""
    if later is None or earlier is None:
        return None
    return later - earlier


def compare(own: Own, against: Against, *, year: int, few_voices: int) -> Comparison:
    """Compare our figure with its benchmark. `year` is the year of today, which judges the benchmark's age."""
    current, before = against.current, against.before
    own_change = difference(own.nps, own.past.get("year"))
    gap = benchmark_change = standing = None
    if current is not None:
        gap = difference(own.nps, current.nps)
        if before is not None:
            benchmark_change = difference(current.nps, before.nps)
        if own.nps is not None:
            standing = percentile(own.nps, current)
    warnings = [*_of_own_figure(own, few_voices), *_of_benchmark(own, against, year)]
    if standing is not None:
        warnings.append(ESTIMATED_PERCENTILE)
    sentence = _sentence(own, against, own_change, gap, benchmark_change)
    if own.nps is not None and own.voices < few_voices:
        sentence += " Too few respondents to say more."
    return Comparison(gap, own_change, benchmark_change, standing, tuple(warnings), sentence)


def _of_own_figure(own: Own, few_voices: int) -> list[str]:
    warnings = []
    if own.nps is None:
        warnings.append(NO_ANSWERS)
    elif own.voices < few_voices:
        warnings.append(FEW_VOICES)
    if own.past.get("year") is None:
        warnings.append(NO_PAST)
    return warnings


def _of_benchmark(own: Own, against: Against, year: int) -> list[str]:
    current = against.current
    if against.industry is None:
        return [NO_INDUSTRY]
    if current is None:
        return [NO_BENCHMARK]
    warnings = []
    if year - current.year > OLD_AFTER_YEARS:
        warnings.append(OLD_BENCHMARK)
    if current.method is None:
        warnings.append(METHOD_NOT_PUBLISHED)
    elif current.method.casefold() != own.method:
        warnings.append(METHODS_DIFFER)
    if current.region is not None and current.region.casefold() != (own.region or "").casefold():
        warnings.append(REGIONS_DIFFER)
    if against.before is None:
        warnings.append(NOT_THE_YEAR_BEFORE)
    if own.part:
        warnings.append(PART_OF_ANSWERS)
    return warnings


def _sentence(
    own: Own, against: Against, own_change: float | None, gap: float | None, benchmark_change: float | None
) -> str:
    """What a leader would read: own past first, then the industry."""
    if own.nps is None:
        return "No answers count in this window."
    current, industry = against.current, against.industry_name or against.industry
    respondents = "respondents"
    if own.voices == 1:
        respondents = "respondent"
    parts = [f"{signed(own.nps)} from {own.voices} {respondents}"]
    if own_change is not None:
        parts.append(f"{moved(own_change)} on last year")
        if benchmark_change is not None:
            parts[-1] += f" while the industry {verb(benchmark_change)}"
    if current is not None and gap is not None:
        parts.append(f"{apart(gap)} the {current.year} average of {industry} ({signed(current.nps)})")
    elif industry is not None:
        parts.append(f"no published benchmark for {industry}")
    return ", ".join(parts) + "."


def whole(points: float) -> int:
    """Points for people: the nearest whole number, half away from zero."""
    size = int(abs(points) + 0.5)
    if points < 0:
        return -size
    return size


def signed(points: float) -> str:
    """+41, −3 or 0."""
    rounded = whole(points)
    if rounded > 0:
        return f"+{rounded}"
    if rounded < 0:
        return f"−{-rounded}"
    return "0"


def moved(change: float) -> str:
    """'up 6', 'down 2' or 'level'."""
    rounded = whole(change)
    if rounded > 0:
        return f"up {rounded}"
    if rounded < 0:
        return f"down {-rounded}"
    return "level"


def verb(change: float) -> str:
    """'gained 9', 'lost 2' or 'stood still'."""
    rounded = whole(change)
    if rounded > 0:
        return f"gained {rounded}"
    if rounded < 0:
        return f"lost {-rounded}"
    return "stood still"


def apart(gap: float) -> str:
    """'4 above', '3 below' or 'level with'."""
    rounded = whole(gap)
    if rounded > 0:
        return f"{rounded} above"
    if rounded < 0:
        return f"{-rounded} below"
    return "level with"


def voices_of(figures: Mapping[str, Any]) -> int:
    """How many distinct people a block of figures counts."""
    return int(figures.get("stakeholder_count") or 0)
