"""Routes of published benchmarks: what is in force, the sets behind it, and loading more."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Path, Query, Response
from starlette.requests import Request

from services.benchmark.api.models_sets import (
    JustLoadedSet,
    LoadedSets,
    SetModel,
    SetWithLines,
)
from services.benchmark.api.parameters import Source, Text, Year
from services.benchmark.api.set_files import BODY, MAX_BYTES, read_sets
from services.benchmark.domain.benchmarks import Benchmark
from services.benchmark.domain.comparison import NO_BENCHMARK
from services.benchmark.handlers import sets as handlers
from services.benchmark.store import benchmarks as store
from shared.api.comparisons import PublishedBenchmark, PublishedBenchmarks
from shared.http import paging
from shared.http.auth import Manager, Reader
from shared.http.deps import TheClock, TheDatabase
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.params import PathId
from shared.http.routing import Router
from shared.industries import NAMES, canonical_industry

router = Router(prefix="/v1/benchmarks", tags=["benchmarks"])
SetId = Annotated[PathId, Path(description="The set.", examples=["clientshare-2026"])]


@router.get("", summary="Published benchmarks in force")
async def list_benchmarks(
    *,
    caller: Reader,
    database: TheDatabase,
    industry: Annotated[Text | None, Query(description="Slug, name or synonym.")] = None,
    year: Year = None,
    source: Source = None,
    region: Annotated[Text | None, Query(description="Only of this region.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> PublishedBenchmarks:
    """The newest year first, then by industry; of each series of sets the latest version. An industry without one
    gives an empty list that says so."""
    after = None
    if industry is not None:
        industry = canonical_industry(industry)
    if cursor is not None:
        after = _position(*read_cursor(cursor, "benchmarks", paging.integer, paging.text, paging.text))
    async with database.read() as tx:
        listed = list(await store.benchmarks(tx, industry, year, source, region))
    if after is not None:
        listed = [benchmark for benchmark in listed if _position(*_cursor_of(benchmark)) > after]
    page = page_of(listed, limit, _cursor_of, "benchmarks")
    warnings = []
    if not listed:
        warnings.append(NO_BENCHMARK)
    return PublishedBenchmarks(
        items=list(map(_published, page.items)),
        next_cursor=page.next_cursor,
        warnings=warnings,
    )


@router.get("/sets", summary="Sets with all their versions")
async def list_sets(
    caller: Reader,
    database: TheDatabase,
    series: Annotated[Text | None, Query(description="Only versions of this series.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[SetModel]:
    """By id. `in_force` tells which version of a series stands."""
    after = None
    if cursor is not None:
        (after,) = read_cursor(cursor, "benchmark sets", paging.text)
    async with database.read() as tx:
        sets = await store.sets(tx, series=series, limit=limit + 1, after=after)
    page = page_of(sets, limit, lambda stored: [stored.set_id], "benchmark sets")
    items = [SetModel(**SetModel.fields_of(stored)) for stored in page.items]
    return Page(items=items, next_cursor=page.next_cursor)


@router.get("/sets/{set_id}", summary="A set with its lines")
async def get_set(set_id: SetId, caller: Reader, database: TheDatabase) -> SetWithLines:
    """As it was loaded, also when a later version stands."""
    async with database.read() as tx:
        return SetWithLines(**SetWithLines.fields_of_loaded(await handlers.find_set(tx, set_id)))


@router.post(
    "/sets",
    status_code=201,
    summary="Load a set",
    openapi_extra=BODY,
    max_body_size=MAX_BYTES,
    responses={200: {"model": LoadedSets, "description": "Nothing new: the newest versions say the same."}},
)
async def load_sets(
    request: Request, caller: Manager, database: TheDatabase, clock: TheClock, response: Response
) -> LoadedSets:
    """A set as JSON, or a file (CSV as `text/csv`; CSV or .xlsx as the part `file` of a form) with one set for each
    source, year and region in it; what the file does not say may stand in the query or the form.

    A set is never overwritten: another one of the same source, year and region is its next version. Industries are
    matched by slug, name or synonym; unknown ones are kept and listed. Sets hold for every account, so a key that is
    limited to an owner loads none.
    """
    caller.require_all_accounts()
    wanted = await read_sets(request)
    loaded_by = f"key:{caller.key_id}"
    loaded = await database.retrying(lambda tx: handlers.load_sets(tx, wanted, loaded_by, clock.now()))
    response.status_code = 200
    response.headers["location"] = f"/v1/benchmarks/sets/{quote(loaded[0].stored.set_id)}"
    sets: list[JustLoadedSet] = []
    unknown: set[str] = set()
    for outcome in loaded:
        if outcome.new:
            response.status_code = 201
        sets.append(JustLoadedSet(**JustLoadedSet.fields_of_loaded(outcome), new=outcome.new))
        unknown.update(outcome.unknown_industries)
    return LoadedSets(sets=sets, unknown_industries=sorted(unknown))


def _position(year: int, industry: str, set_id: str) -> tuple[int, str, str]:
    """A sort key: the newest year first, then by industry and set."""
    return -year, industry, set_id


def _published(benchmark: Benchmark) -> PublishedBenchmark:
    return PublishedBenchmark(
        set=benchmark.set_id,
        source=benchmark.source,
        year=benchmark.year,
        industry=benchmark.industry,
        industry_name=NAMES.get(benchmark.industry, benchmark.industry),
        nps=benchmark.nps,
        n=benchmark.n,
        method=benchmark.method,
        region=benchmark.region,
        note=benchmark.note,
        version=benchmark.version,
        lower_quartile=benchmark.lower_quartile,
        median=benchmark.median,
        upper_quartile=benchmark.upper_quartile,
    )


def _cursor_of(benchmark: Benchmark) -> tuple[int, str, str]:
    return benchmark.year, benchmark.industry, benchmark.set_id
