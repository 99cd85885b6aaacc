"""Published benchmarks as rows, and back as domain values."""

from collections.abc import Sequence

from services.benchmark.domain.comparison import Benchmark
from shared.db.transaction import ReadTx

# Of several versions of one source, year and region the highest stands.
_IN_FORCE = """
    select b.set_id, s.source, s.year, b.industry, b.nps, b.n, s.method, s.region, coalesce(b.note, s.note) as note
    from benchmarks b
    join (
        select distinct on (source, year, region) * from benchmark_sets order by source, year, region, version desc
    ) s using (set_id)
    where (cast(:industry as text) is null or b.industry = :industry) and (cast(:year as int) is null or s.year = :year)
    order by s.year desc, b.industry, b.set_id
"""


async def benchmarks(tx: ReadTx, industry: str | None = None, year: int | None = None) -> Sequence[Benchmark]:
    """The benchmarks in force, of one industry (slug) and year where given; newest year first, then by industry."""
    rows = await tx.all(_IN_FORCE, industry=industry, year=year)
    return [Benchmark(**(dict(row) | {"nps": float(row["nps"])})) for row in rows]
