"""Published benchmarks, and loading more of them: by JSON, as a file, from the command line."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from typer.testing import CliRunner

from services.benchmark.api.set_files import EXAMPLE_FILE
from tests.integration.benchmark.stand import Stand
from tests.support.workbooks import workbook

SETS = "/v1/benchmarks/sets"
LINE = {"industry": "Freight", "nps": 38, "n": 410, "lower_quartile": 21, "median": 37, "upper_quartile": 55}
BODY: dict[str, Any] = {"source": "Deep-Insight", "year": 2026, "region": "EMEA", "benchmarks": [LINE]}


async def test_the_six_industries_of_both_years_are_shipped_with_their_source(stand: Stand) -> None:
    items = (await stand.get("/v1/benchmarks"))["items"]
    assert {(item["industry"], item["year"]): item["nps"] for item in items} == {
        ("facilities_management", 2025): 32,
        ("facilities_management", 2026): 41,
        ("contract_catering", 2025): 32,
        ("contract_catering", 2026): 39,
        ("logistics", 2025): 43,
        ("logistics", 2026): 41,
        ("manufacturing", 2025): 46,
        ("manufacturing", 2026): 49,
        ("bpo", 2025): 48,
        ("bpo", 2026): 52,
        ("it_services", 2025): 40,
        ("it_services", 2026): 42,
    }
    assert {item["source"] for item in items} == {"Clientshare"}
    assert all(item["note"] for item in items)


@pytest.mark.parametrize("name", ["logistics", "Logistics", "freight", "LOGISTICS!"])
async def test_an_industry_is_known_by_slug_name_and_synonym(stand: Stand, name: str) -> None:
    body = await stand.get("/v1/benchmarks", industry=name, year=2026)
    assert [(item["industry"], item["nps"]) for item in body["items"]] == [("logistics", 41)]
    assert body["warnings"] == []


async def test_an_industry_without_a_set_says_so(stand: Stand) -> None:
    body = await stand.get("/v1/benchmarks", industry="saas")
    assert (body["items"], body["warnings"]) == ([], ["no_published_benchmark"])


async def test_a_key_limited_to_an_owner_loads_no_set_since_sets_are_for_everybody(stand: Stand) -> None:
    limited = await stand.with_key("read", "manage", owner_email="kim@supplier.example")
    answer = await limited.client.post(SETS, json=BODY | {"source": "Kim"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "Kim" not in {item["source"] for item in (await stand.get(SETS))["items"]}


async def test_benchmarks_come_in_pages(stand: Stand) -> None:
    whole = (await stand.get("/v1/benchmarks"))["items"]
    found: list[Any] = []
    query: dict[str, Any] = {"limit": 5}
    while True:
        page = await stand.get("/v1/benchmarks", **query)
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == whole


async def load(stand: Stand, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    answer = await stand.client.post(SETS, json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_set_is_loaded_with_its_quartiles_and_found_by_its_synonym(stand: Stand) -> None:
    unknown = {"industry": "Deep Sea Mining", "nps": -3.5}
    loaded = await load(stand, BODY | {"benchmarks": [LINE, unknown]})
    assert loaded["unknown_industries"] == ["Deep Sea Mining"]
    (found,) = loaded["sets"]
    assert (found["set"], found["version"], found["new"]) == ("deep-insight-2026-emea", 1, True)
    assert found["benchmarks"][1] == LINE | {"industry": "logistics", "industry_name": "Logistics", "note": None}
    (found,) = (await stand.get("/v1/benchmarks", industry="logistics", source="deep-insight"))["items"]
    assert (found["nps"], found["median"], found["region"], found["n"]) == (38, 37, "EMEA", 410)
    (kept,) = (await stand.get("/v1/benchmarks", industry="Deep Sea Mining"))["items"]
    assert (kept["industry"], kept["nps"]) == ("Deep Sea Mining", -3.5)


async def test_a_set_is_never_overwritten(stand: Stand) -> None:
    await load(stand, BODY)
    again = await load(stand, BODY, 200)
    assert (again["sets"][0]["version"], again["sets"][0]["new"]) == (1, False)
    corrected = await load(stand, BODY | {"benchmarks": [LINE | {"nps": 39}]})
    assert corrected["sets"][0]["set"] == "deep-insight-2026-emea.v2"
    (found,) = (await stand.get("/v1/benchmarks", source="Deep-Insight"))["items"]
    assert (found["nps"], found["version"]) == (39, 2)
    first = await stand.get(f"{SETS}/deep-insight-2026-emea")
    assert (first["benchmarks"][0]["nps"], first["in_force"]) == (38, False)
    listed = (await stand.get(SETS, series="deep-insight-2026-emea"))["items"]
    assert [(found["version"], found["in_force"]) for found in listed] == [(1, False), (2, True)]
    back = await load(stand, BODY)
    assert (back["sets"][0]["version"], back["sets"][0]["new"]) == (3, True)


async def test_a_shipped_set_may_be_corrected_by_a_version(stand: Stand) -> None:
    line = {"industry": "logistics", "nps": 42}
    loaded = await load(stand, {"source": "Clientshare", "year": 2026, "benchmarks": [line]})
    assert loaded["sets"][0]["set"] == "clientshare-2026.v2"
    (found,) = (await stand.get("/v1/benchmarks", industry="logistics", year=2026))["items"]
    assert found["nps"] == 42


async def test_files_are_taken_as_they_are_and_in_forms(stand: Stand) -> None:
    csv = {"Content-Type": "text/csv"}
    answer = await stand.client.post(SETS, content=EXAMPLE_FILE, headers=csv)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{SETS}/deep-insight-2026-emea"
    again = await stand.client.post(SETS, files={"file": ("b.csv", EXAMPLE_FILE.encode())})
    assert (again.status_code, again.json()["sets"][0]["new"]) == (200, False)
    short = b"industry;nps\nIT;12\n"
    form = await stand.client.post(SETS, files={"file": ("b.csv", short)}, data={"source": "Form", "year": "2026"})
    query = await stand.client.post(SETS, content=short, headers=csv, params={"source": "Query", "year": 2026})
    assert [answer.json()["sets"][0]["set"] for answer in (form, query)] == ["form-2026", "query-2026"]


class Doorman(asyncio.Semaphore):
    """Says when somebody wants to come in."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked = asyncio.Event()

    async def acquire(self) -> Literal[True]:
        self.asked.set()
        return await super().acquire()


async def test_workbooks_are_opened_one_at_a_time_and_other_files_wait_for_none(stand: Stand) -> None:
    doorman = Doorman()
    stand.app.state.service = replace(stand.app.state.service, opening=doorman)
    sheet = workbook({"Sets": [["source", "year", "industry", "nps"], ["Sheet", 2026, "IT", 12]]})
    async with doorman:
        doorman.asked.clear()
        loading = asyncio.create_task(stand.client.post(SETS, files={"file": ("b.xlsx", sheet)}))
        await asyncio.wait_for(doorman.asked.wait(), 20)
        other = await stand.client.post(SETS, files={"file": ("b.csv", EXAMPLE_FILE.encode())})
        assert other.status_code == 201, other.text
        assert not loading.done()
    assert (await loading).json()["sets"][0]["set"] == "sheet-2026"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"year": "2026"}, "year"),
        ({"source": " "}, "source"),
        ({"source": "a\nb"}, "source"),
        ({"benchmarks": []}, "benchmarks"),
        ({"benchmarks": [LINE, LINE]}, "body"),
        ({"benchmarks": [LINE | {"nps": 101}]}, "benchmarks.0.nps"),
        ({"benchmarks": [LINE | {"nps": True}]}, "benchmarks.0.nps"),
        ({"benchmarks": [LINE | {"median": 60}]}, "benchmarks.0"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_bad_sets_are_refused(stand: Stand, change: dict[str, Any], field: str) -> None:
    answer = await stand.client.post(SETS, json=BODY | change)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_other_contents_are_refused(stand: Stand) -> None:
    form = await stand.client.post(SETS, data={"source": "S"}, files={"other": ("b.csv", b"x")})
    xml = await stand.client.post(SETS, content=b"<a/>", headers={"Content-Type": "application/xml"})
    long = await stand.client.post(SETS, content=b"x" * 2_000_000, headers={"Content-Type": "text/csv"})
    nul = await stand.client.post(
        SETS,
        content=b"industry,nps\na\0b,1\n",
        headers={"Content-Type": "text/csv"},
        params={"source": "S", "year": 2026},
    )
    assert [answer.status_code for answer in (form, xml, long, nul)] == [422, 415, 413, 422]


async def test_loading_needs_the_scope_manage(stand: Stand) -> None:
    reader = await stand.with_key("read", "act", "ingest")
    assert (await reader.client.post(SETS, json=BODY)).status_code == 403
    assert await stand.code(f"{SETS}/nothing", 404) == "unknown_set"


async def test_the_command_loads_and_lists(stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from services.cli.main import app
    from tests.support.http import serving

    key = stand.client.headers["authorization"].removeprefix("Bearer ")
    file, broken = tmp_path / "b.csv", tmp_path / "broken.csv"
    file.write_text(EXAMPLE_FILE + "Deep-Insight,2026,EMEA,Space,1,,latest,,,,\n")
    broken.write_text("industry,nps\nlogistics,nothing\n")
    monkeypatch.setenv("TELLBACK_API_KEY", key)

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, ["benchmark", *arguments])

    async with serving(stand.client._transport.app) as url:  # type: ignore[attr-defined]
        loaded = await run("import", str(file), "--url", url)
        again = await run("import", str(file), "--url", url, "--json")
        listed = await run("list", "--industry", "freight", "--url", url)
        refused = await run("import", str(broken), "--source", "S", "--year", "2026", "--url", url)
    assert loaded.exit_code == 0, loaded.output
    assert "deep-insight-2026-emea" in loaded.output
    assert "not on our list, kept as they are: Space" in loaded.output
    assert json.loads(again.output)["sets"][0]["new"] is False
    assert "Deep-Insight" in listed.output
    assert "Clientshare" in listed.output
    assert getattr(refused.exception, "errors", None) == [
        {"field": "line 2.nps", "code": "invalid_cell", "detail": refused.exception.detail}
    ]
