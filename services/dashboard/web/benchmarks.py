"""Where the portfolio stands: against its own past first, then against published benchmarks, with their sources."""

from functools import partial
from typing import Any

from services.dashboard.domain import wording
from services.dashboard.web.elements import Cell, Text, address, box, empty, link, table
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from shared.http.client import Api
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
        return await api.items("benchmark", "/v1/benchmarks")

    async def funnel(api: Api) -> Json:
        return await api.get("benchmark", "/v1/funnel", window="365d")

    async def cohorts(api: Api) -> Json:
        return await api.get("benchmark", "/v1/cohorts", window="365d", group_by="tier")

    with box("div", "grid"):
        Section(visit, "Against your own past", whole, _draw_past, classes="wide")
        Section(visit, "By industry", by_industry, _draw_industries, classes="wide")
        Section(visit, "Response rate against its yardsticks", funnel, _draw_funnel)
        lead = "What could tell what a single account says is hidden"
        Section(visit, "Among your own accounts, by tier", cohorts, _draw_cohorts, lead=lead)
        Section(visit, "What is published", published, _draw_published, classes="wide")


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
    table(
        ("Industry", "NPS", "A year ago", "Benchmark", "Gap", "Keep in mind"),
        rows,
        "Industries against their benchmarks",
    )


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


def _draw_funnel(found: Json) -> None:
    one = found["groups"][0] if found["groups"] else None
    if one is None or not one["recipient_count"]:
        empty("Nobody was asked in a year.", "Invitations are told to the collector by whoever mails them.")
        return
    Text("p", one["sentence"])
    marks = found["yardsticks"]["response_rate"]
    rows: list[list[Cell]] = [["Yours", wording.share(one["response_rate"]), _level(one["level"])]]
    for name, (low, high) in marks.items():
        rows.append([wording.plain(name), f"{wording.share(low)} to {wording.share(high)}", ""])
    review = found["yardsticks"]["business_review"].get("response_rate")
    if review is not None:
        rows.append(["Sent with a business review", wording.share(review), ""])
    table(("Response rate", "Of recipients", "Level"), rows, "The response rate against its yardsticks")
    sources = found["yardsticks"]["sources"]
    Text("p", f"Sources: {'; '.join(dict.fromkeys(sources.values()))}", "muted")


def _level(level: str | None) -> str:
    return wording.plain(level).lower() if level else wording.NOTHING


HIDDEN = {
    "few_accounts": "hidden: too few accounts",
    "dominated": "hidden: one account outweighs the others",
    "complement": "hidden: it would tell what a hidden one says",
}


def _draw_cohorts(found: Json) -> None:
    rows = [_cohort_row(one) for one in found["groups"]]
    if not rows:
        empty("Nobody has answered yet.")
        return
    table(("Cohort", "NPS", "95 % between", "Accounts", "Voices"), rows, "Own cohorts by tier")


def _cohort_row(one: Json) -> list[Cell]:
    tier = one["group"].get("tier")
    said = ", ".join(wording.plain(value) if value else "None" for value in one["group"].values()) or "All"
    name: Cell = partial(link, said, address("/accounts", tier=tier)) if tier else said
    if one["hidden"]:
        return [name, HIDDEN.get(one.get("hidden_reason") or "", "hidden"), *[wording.NOTHING] * 3]
    score = [wording.points(one["nps"]), wording.between(one["ci_low"], one["ci_high"])]
    return [name, *score, wording.grouped(one["account_count"]), wording.grouped(one["stakeholder_count"])]


def _draw_published(found: list[Json]) -> None:
    rows: list[list[Cell]] = [
        [
            one.get("industry_name") or one["industry"],
            str(one["year"]),
            wording.points(one["nps"]),
            wording.grouped(one["n"]) if one["n"] else "not published",
            one["source"],
            one["note"] or wording.NOTHING,
        ]
        for one in found
    ]
    table(("Industry", "Year", "NPS", "Answers", "Source", "Note"), rows, "Published benchmarks")
