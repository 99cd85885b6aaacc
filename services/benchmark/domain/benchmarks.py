"""Published benchmarks: which one a figure is held against, and where in a published distribution it stands."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from json import dumps
from typing import Any
from unicodedata import normalize

LOWEST, HIGHEST = -100.0, 100.0
_NOT_IN_A_NAME = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One published figure: NPS from −100 to 100 of an industry in a year; n, method, region and quartiles are None
    where the source does not publish them."""

    set_id: str
    source: str
    year: int
    industry: str
    nps: float
    n: int | None = None
    method: str | None = None
    region: str | None = None
    note: str | None = None
    version: int = 1
    lower_quartile: float | None = None
    median: float | None = None
    upper_quartile: float | None = None
    loaded_at: datetime = field(default=datetime(2000, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class IndustryFigure:
    """One line of a set: what the source says of an industry."""

    industry: str
    nps: float
    n: int | None = None
    lower_quartile: float | None = None
    median: float | None = None
    upper_quartile: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class NewSet:
    """A set as it was handed in. Its series is its source, year and region."""

    source: str
    year: int
    region: str | None
    method: str | None
    note: str | None
    figures: tuple[IndustryFigure, ...]

    @property
    def series(self) -> str:
        """What all versions of the set have in common, readable: `clientshare-2026`, `deep-insight-2026-emea`."""
        parts = (self.source, str(self.year), self.region)
        name = "-".join(_NOT_IN_A_NAME.sub("-", part).strip("-").lower() or "x" for part in parts if part)
        return normalize("NFC", name)

    @property
    def digest(self) -> str:
        """Equal for equal content, whatever the order of its lines."""
        content: dict[str, Any] = asdict(self)
        content["figures"] = sorted(content["figures"], key=lambda figure: str(figure["industry"]))
        return sha256(dumps(content, sort_keys=True).encode()).hexdigest()

    def set_id(self, version: int) -> str:
        """The id of a version: the series alone for the first."""
        if version == 1:
            return self.series
        return f"{self.series}.v{version}"


@dataclass(frozen=True, slots=True)
class BenchmarkChoice:
    """The benchmark to compare a figure with: of this industry, of `year` or earlier, of our region where there is one,
    of this source where one is named."""

    industry: str
    year: int
    region: str | None = None
    source: str | None = None


def pick(benchmarks: Sequence[Benchmark], wanted: BenchmarkChoice) -> tuple[Benchmark | None, Benchmark | None]:
    """The benchmark of the year, else the newest before it, and that of the same source and region a year earlier.

    Another region's is taken only where there is none of ours or of all; of several the one loaded last.
    """
    own = [benchmark for benchmark in benchmarks if _is_wanted(benchmark, wanted)]
    current = max(own, key=lambda benchmark: _fitness(benchmark, wanted), default=None)
    if current is None:
        return None, None
    series = (current.source.casefold(), current.region)
    for benchmark in own:
        if benchmark.year == current.year - 1 and (benchmark.source.casefold(), benchmark.region) == series:
            return current, benchmark
    return current, None


def _is_wanted(benchmark: Benchmark, wanted: BenchmarkChoice) -> bool:
    if benchmark.industry != wanted.industry or benchmark.year > wanted.year:
        return False
    return wanted.source is None or benchmark.source.casefold() == wanted.source.casefold()


def _fitness(benchmark: Benchmark, wanted: BenchmarkChoice) -> tuple[bool, int, bool, datetime, str]:
    ours = (
        benchmark.region is not None
        and wanted.region is not None
        and benchmark.region.casefold() == wanted.region.casefold()
    )
    return ours or benchmark.region is None, benchmark.year, ours, benchmark.loaded_at, benchmark.set_id


def percentile(nps: float, benchmark: Benchmark) -> float | None:
    """Where the figure stands in the published distribution, 0 to 100; None where no quartiles are published.

    Straight lines through −100 (0), the quartiles (25, 75), the median (50) where published, and +100 (100); in the
    middle of a flat stretch. An estimate, since a source publishes points of a distribution and not its curve.
    """
    if benchmark.lower_quartile is None or benchmark.upper_quartile is None:
        return None
    knots = [(LOWEST, 0.0), (benchmark.lower_quartile, 25.0), (benchmark.upper_quartile, 75.0), (HIGHEST, 100.0)]
    if benchmark.median is not None:
        knots.insert(2, (benchmark.median, 50.0))
    here = [rank for score, rank in knots if score == nps]
    if here:
        return (here[0] + here[-1]) / 2
    for (low, low_rank), (high, high_rank) in pairwise(knots):
        if low < nps < high:
            return low_rank + (high_rank - low_rank) * (nps - low) / (high - low)
    return None
