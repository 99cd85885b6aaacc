"""`tellback benchmark`: loads benchmark sets from a file, and lists what is in force."""

import asyncio
from collections.abc import Awaitable, Callable
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from services.cli.connection import asking, service_url
from services.cli.console import DataOption, JsonOption, as_json, say, table

if TYPE_CHECKING:
    from shared.http.client import Api, Json

T = TypeVar("T")
SECONDS = 60.0
SETS = "/v1/benchmarks/sets"
UrlOption = Annotated[
    str | None, typer.Option(help="The benchmark service; default TELLBACK_BENCHMARK_URL, else `up`'s.")
]

app = typer.Typer(no_args_is_help=True, help="Load and list industry benchmarks.")


@app.command("import")
def import_set(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON, CSV or .xlsx.")],
    *,
    source: Annotated[str | None, typer.Option(help="Who publishes it, where a CSV does not say.")] = None,
    year: Annotated[int | None, typer.Option(help="Its year, where a CSV does not say.")] = None,
    region: Annotated[str | None, typer.Option(help="Its region, where a CSV does not say.")] = None,
    method: Annotated[str | None, typer.Option(help="How it was computed, where a CSV does not say.")] = None,
    url: UrlOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Load the sets of a file: one for each source, year and region in it. Nothing is overwritten; the same file twice
    loads nothing. The key (TELLBACK_API_KEY, else the first key of `up`) needs the scope manage.

    Columns of a CSV: industry, nps, and where known source, year, region, n, method, q1, median, q3, note.
    """
    content = file.read_bytes()
    given = {"source": source, "year": year, "region": region, "method": method}
    options: dict[str, Any] = {"params": {name: value for name, value in given.items() if value is not None}}
    if content.lstrip()[:1] == b"{":
        options |= {"content": content, "headers": {"Content-Type": "application/json"}}
    else:
        options |= {"files": {"file": (file.name, content)}}

    async def load(api: "Api") -> "Json":
        return await api.post("benchmark", SETS, **options)

    loaded = _asked(url, data, load)
    if json:
        as_json(loaded)
        return
    rows = []
    for benchmarks in loaded["sets"]:
        rows.append((benchmarks["set"], benchmarks["version"], len(benchmarks["benchmarks"]), _became(benchmarks)))
    table(("set", "version", "industries", ""), rows)
    if loaded["unknown_industries"]:
        say("not on our list, kept as they are: " + ", ".join(loaded["unknown_industries"]))


@app.command("list")
def list_benchmarks(
    *,
    industry: Annotated[str | None, typer.Option(help="Slug, name or synonym.")] = None,
    year: Annotated[int | None, typer.Option(help="Only of this year.")] = None,
    url: UrlOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """The benchmarks in force, the newest year first."""

    async def read(api: "Api") -> "list[Json]":
        benchmarks: list[Json] = []
        async for page in api.pages("benchmark", "/v1/benchmarks", industry=industry, year=year):
            benchmarks += page
        return benchmarks

    items = _asked(url, data, read)
    if json:
        as_json(items)
        return
    if not items:
        say("no published benchmark")
        return
    columns = ("year", "industry", "nps", "n", "method", "region", "source", "set")
    values_of = itemgetter(*columns[2:])
    table(columns, [(str(item["year"]), item["industry_name"], *values_of(item)) for item in items])


def _became(loaded: dict[str, Any]) -> str:
    if loaded["new"]:
        return "loaded"
    return "was there already"


def _asked(url: str | None, data: Path | None, work: "Callable[[Api], Awaitable[T]]") -> T:
    """The result of calls to the benchmark service. Raises `Unavailable` when it does not answer, and the errors that
    it answers."""

    async def asked() -> T:
        base_url = (url or service_url("benchmark", data)).rstrip("/")
        async with asking({"benchmark": base_url}, data, SECONDS) as api:
            return await work(api)

    return asyncio.run(asked())
