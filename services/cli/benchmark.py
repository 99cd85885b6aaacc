"""`tellback benchmark`: loads benchmark sets from a file, and lists what is in force."""

import json as json_format
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.connection import api_key, service_url
from services.cli.console import DataOption, JsonOption, as_json, say, table
from shared.errors import Conflict, Forbidden, Invalid, TellbackError, TooLarge, Unauthorized, Unavailable

if TYPE_CHECKING:
    import httpx

SECONDS = 60.0
PAGE = 200
SETS = "/v1/benchmarks/sets"
_ERRORS = {401: Unauthorized, 403: Forbidden, 409: Conflict, 413: TooLarge, 422: Invalid, 503: Unavailable}
UrlOption = Annotated[
    str | None, typer.Option(help="The benchmark service; default TELLBACK_BENCHMARK_URL, else `up`'s.")
]

app = typer.Typer(no_args_is_help=True, help="Load and list industry benchmarks.")


@app.command("import")
def import_set(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON, or CSV, also with ; or tab.")
    ],
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
    kind = "application/json" if content.lstrip()[:1] == b"{" else "text/csv"
    with _client(url, data) as client:
        answer = client.post(
            SETS,
            content=content,
            params={name: value for name, value in given.items() if value is not None},
            headers={"Content-Type": kind},
        )
        loaded = _read(answer)
    if json:
        as_json(loaded)
        return
    table(
        ("set", "version", "industries", ""),
        [(one["set"], one["version"], len(one["benchmarks"]), _became(one)) for one in loaded["sets"]],
    )
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
    query: dict[str, Any] = {"industry": industry, "year": year, "limit": PAGE, "cursor": None}
    items: list[dict[str, Any]] = []
    with _client(url, data) as client:
        while True:
            given = {name: value for name, value in query.items() if value is not None}
            page = _read(client.get("/v1/benchmarks", params=given))
            items += page["items"]
            query["cursor"] = page["next_cursor"]
            if query["cursor"] is None:
                break
    if json:
        as_json(items)
        return
    if not items:
        say("no published benchmark")
        return
    columns = ("year", "industry", "nps", "n", "method", "region", "source", "set")
    rows = [[str(one["year"]), one["industry_name"], *(one[name] for name in columns[2:])] for one in items]
    table(columns, rows)


def _became(one: dict[str, Any]) -> str:
    return "loaded" if one["new"] else "was there already"


@contextmanager
def _client(url: str | None, data: Path | None) -> "Iterator[httpx.Client]":
    """A client of the benchmark service. Raises Unavailable when it does not answer."""
    import httpx

    base_url = (url or service_url("benchmark", data)).rstrip("/")
    headers = {"Authorization": f"Bearer {api_key(data)}"}
    try:
        with httpx.Client(base_url=base_url, headers=headers, timeout=SECONDS, trust_env=False) as client:
            yield client
    except httpx.HTTPError as error:
        raise Unavailable("no_answer", f"the benchmark service does not answer at {base_url}") from error


def _read(answer: "httpx.Response") -> dict[str, Any]:
    """The body of a success. Raises what the problem in it says."""
    try:
        body: dict[str, Any] = answer.json()
    except json_format.JSONDecodeError:
        body = {}
    if answer.is_success:
        return body
    kind = _ERRORS.get(answer.status_code, TellbackError)
    detail = body.get("detail", f"HTTP {answer.status_code}")
    raise kind(body.get("code", "refused"), detail, errors=body.get("errors"))
