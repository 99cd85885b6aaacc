"""Published benchmarks as rows, and back as domain values. What is stored once is never changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from services.benchmark.domain.benchmarks import Benchmark, IndustryFigure, NewSet
from shared.db.transaction import ReadTx, WriteTx

# Of several versions of one series the highest stands.
_IN_FORCE = """
    select b.set_id, s.source, s.year, b.industry, cast(b.nps as float8) as nps, b.n, s.method, s.region,
        coalesce(b.note, s.note) as note, s.version, cast(b.lower_quartile as float8) as lower_quartile,
        cast(b.median as float8) as median, cast(b.upper_quartile as float8) as upper_quartile, s.loaded_at
    from benchmarks b
    join (
        select distinct on (series) set_id, source, year, method, region, note, version, loaded_at
        from benchmark_sets order by series, version desc
    ) s using (set_id)
    where (cast(:industry as text) is null or b.industry = :industry)
      and (cast(:year as int) is null or s.year = :year)
      and (cast(:source as text) is null or lower(s.source) = lower(:source))
      and (cast(:region as text) is null or lower(s.region) = lower(:region))
    order by s.year desc, b.industry, b.set_id
"""
_SETS = """
    select set_id, series, version, source, year, region, method, note, loaded_at,
        version = max(version) over (partition by series) as in_force,
        (select count(*) from benchmarks b where b.set_id = s.set_id) as industry_count
    from benchmark_sets s
"""


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A set as it is kept; `in_force` until a later version of its series is loaded."""

    set_id: str
    series: str
    version: int
    source: str
    year: int
    region: str | None
    method: str | None
    note: str | None
    loaded_at: datetime
    in_force: bool
    industry_count: int


async def benchmarks(
    tx: ReadTx,
    industry: str | None = None,
    year: int | None = None,
    source: str | None = None,
    region: str | None = None,
) -> Sequence[Benchmark]:
    """The benchmarks in force, of one industry (slug), year, source and region where given; newest year first, then by
    industry."""
    rows = await tx.all(_IN_FORCE, industry=industry, year=year, source=source, region=region)
    return [Benchmark(**row) for row in rows]


async def sets(
    tx: ReadTx, *, series: str | None = None, limit: int = 1_000, after: str | None = None
) -> Sequence[StoredSet]:
    """The sets with all their versions, by id; of one series where given."""
    rows = await tx.all(
        f"select * from ({_SETS}) s where (cast(:after as text) is null or set_id > :after)"
        " and (cast(:series as text) is null or series = :series) order by set_id limit :limit",
        after=after,
        series=series,
        limit=limit,
    )
    return [StoredSet(**row) for row in rows]


async def set_by_id(tx: ReadTx, set_id: str) -> StoredSet | None:
    """One set, None when there is none."""
    row = await tx.one(f"select * from ({_SETS}) s where set_id = :set_id", set_id=set_id)
    if row is None:
        return None
    return StoredSet(**row)


async def figures_of(tx: ReadTx, set_id: str) -> Sequence[IndustryFigure]:
    """The lines of a set, by industry."""
    rows = await tx.all(
        "select industry, cast(nps as float8) as nps, n, cast(lower_quartile as float8) as lower_quartile,"
        " cast(median as float8) as median, cast(upper_quartile as float8) as upper_quartile, note"
        " from benchmarks where set_id = :set_id order by industry",
        set_id=set_id,
    )
    return [IndustryFigure(**row) for row in rows]


async def newest_version(tx: WriteTx, series: str) -> tuple[int, str | None]:
    """(the highest version of a series, its digest); (0, None) when there is none. Holds off other loads."""
    await tx.execute("lock table benchmark_sets in share row exclusive mode")
    row = await tx.one(
        "select version, digest from benchmark_sets where series = :series order by version desc limit 1",
        series=series,
    )
    if row is None:
        return 0, None
    return row["version"], row["digest"]


async def add_set(tx: WriteTx, new: NewSet, version: int, loaded_by: str, now: datetime) -> None:
    """Store a version with its lines."""
    set_id = new.set_id(version)
    await tx.execute(
        "insert into benchmark_sets"
        " (set_id, series, version, digest, source, year, region, method, note, loaded_by, loaded_at) values"
        " (:set_id, :series, :version, :digest, :source, :year, :region, :method, :note, :loaded_by, :now)",
        set_id=set_id,
        series=new.series,
        version=version,
        digest=new.digest,
        source=new.source,
        year=new.year,
        region=new.region,
        method=new.method,
        note=new.note,
        loaded_by=loaded_by,
        now=now,
    )
    rows = [asdict(figure) | {"set_id": set_id} for figure in new.figures]
    await tx.execute_many(
        "insert into benchmarks (set_id, industry, nps, n, lower_quartile, median, upper_quartile, note)"
        " values (:set_id, :industry, :nps, :n, :lower_quartile, :median, :upper_quartile, :note)",
        rows,
    )
