"""Where the portfolio stands: against its own past first, then against published benchmarks, with their sources."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.gateways.services import Api
from services.dashboard.web.bits import Cell, Text, address, box, empty, link, table
from services.dashboard.web.frame import page
from services.dashboard.web.section import Section, Visit
from shared.industries import NAMES as INDUSTRIES

Json = dict[str, Any]


@page("/benchmarks", "Benchmarks")
async def benchmarks(visit: Visit) -> None:
    """Draw the page."""
    Text("h1", "Benchmarks")
    Text("p", "Your own past first, then your industries; over a year, by the latest answer of each person", "lead")

    async def whole(api: Api) -> Json:
        return await api.get("benchmark", "/v1/comparisons/portfolio", window="365d")

    async def by_industry(api: Api) -> Json:
        return await api.get("benchmark", "/v1/comparisons/portfolio", window="365d", group_by="industry")

    async def published(api: Api) -> list[Json]:
        return await _published(api)

    with box("div", "grid"):
        Section(visit, "Against your own past", whole, _draw_past, classes="wide")
        Section(visit, "By industry", by_industry, _draw_industries, classes="wide")
        Section(visit, "What is published", published, _draw_published, classes="wide")


async def _published(api: Api) -> list[Json]:
    found = await api.get("benchmark", "/v1/benchmarks")
    return list(found.get("items") or found.get("benchmarks") or [])


def _draw_past(found: Json) -> None:
    if not found["groups"]:
        empty("Nobody has answered yet.")
        return
    one = found["groups"][0]
    Text("p", one["sentence"])
    rows = [
        [f"A {name} ago", wording.points(one["past"][name]["nps"]), wording.points(one["past"][name]["change"])]
        for name in ("month", "quarter", "year")
    ]
    table(("", "NPS then", "Change since"), rows, "The portfolio against its own past")


def _draw_industries(found: Json) -> None:
    if not found["groups"]:
        empty("Nobody has answered yet.")
        return
    rows = [_industry_row(one) for one in found["groups"]]
    table(("Industry", "NPS", "A year ago", "Benchmark", "Gap", "Mind"), rows, "Industries against their benchmarks")


def _industry_row(one: Json) -> list[Cell]:
    slug = one["group"].get("industry") or ""
    name = INDUSTRIES.get(slug, slug) or "No industry"
    mark = one["benchmark"]
    said = f"{wording.points(mark['nps'])} ({mark['source']} {mark['year']})" if mark else "no published benchmark"
    warnings = ", ".join(wording.plain(code).lower() for code in one["warnings"] if code != "no_benchmark")
    return [
        partial(link, name, address("/accounts", industry=slug)),
        f"{wording.points(one['figures']['nps'])} from {wording.count(one['figures']['stakeholder_count'], 'voice')}",
        wording.points(one["past"]["year"]["nps"]),
        said,
        wording.points(one["gap"]),
        warnings or wording.NOTHING,
    ]


def _draw_published(found: list[Json]) -> None:
    rows: list[list[Cell]] = [
        [
            one.get("industry_name") or one["industry"],
            str(one["year"]),
            wording.points(one["nps"]),
            f"{one['n']:,}" if one["n"] else "not published",
            one["source"],
            one["note"] or wording.NOTHING,
        ]
        for one in found
    ]
    table(("Industry", "Year", "NPS", "Answers", "Source", "Note"), rows, "Published benchmarks")
