"""`tellback import`: the file is uploaded, the report is written, the exit code tells the result."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.collector.app import build
from tests.support.environment import Environment
from tests.support.http import api_key, serving

FILE = """airline;who;stars;when
blue;p1;9.0;31/03/2026
blue;p2;;31/03/2026
red;p3;7;31/03/1999
"""
COLUMNS = "account_id=airline,stakeholder_id=who,score=stars,answered_at=when"


@pytest.fixture(scope="module")
async def address(module_environment: Environment) -> AsyncIterator[tuple[str, str]]:
    """URL and key of a collector on a real port."""
    key = await api_key(module_environment, ["ingest"])
    async with serving(build(module_environment.common)) as url:
        yield url, key


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ratings.csv"
    path.write_text(FILE, encoding="utf-8-sig")
    return path


async def tellback(address: tuple[str, str], *arguments: str | Path) -> Result:
    """Runs the command in a thread: the collector that it calls runs on this event loop."""
    url, key = address
    environment = {"TELLBACK_COLLECTOR_URL": url, "TELLBACK_API_KEY": key}
    return await asyncio.to_thread(CliRunner().invoke, app, ["import", *map(str, arguments)], env=environment)


async def test_the_report_names_every_row_that_was_not_taken(address: tuple[str, str], file: Path) -> None:
    report = file.with_name("report.csv")
    result = await tellback(address, file, "--columns", COLUMNS, "--date-format", "DD/MM/YYYY", "--report", report)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "3 rows: 1 taken, 0 skipped, 2 bad"
    assert "the row has no score" in result.stdout
    assert "account_id ← airline" in result.stdout
    assert "quiet unless --alerts" in result.stdout
    with report.open(newline="") as written:
        assert [row["line"] for row in csv.DictReader(written)] == ["3", "4"]


async def test_a_file_that_comes_again_is_already_there(address: tuple[str, str], file: Path) -> None:
    file.write_text(FILE.replace("blue", "green"))
    command = (file, "--columns", COLUMNS, "--date-format", "DD/MM/YYYY")
    before = json.loads((await tellback(address, *command, "--json")).stdout)
    result = await tellback(address, *command)
    assert f"the same file as import {before['id']}: nothing doubles" in result.stdout
    assert result.stdout.splitlines()[-1] == "3 rows: 1 already there, 0 skipped, 2 bad"


async def test_json_for_machines_and_strictness(address: tuple[str, str], file: Path) -> None:
    pairs = [item for pair in COLUMNS.split(",") for item in ("--columns", pair)]
    result = await tellback(address, file, *pairs, "--date-format", "DD/MM/YYYY", "--alerts", "--json", "--strict")
    assert result.exit_code == 1
    job = json.loads(result.stdout)
    assert (job["state"], job["taken"], job["bad"], job["alerts"]) == ("done", 1, 2, True)
    assert [problem["line"] for problem in job["problems"]] == [3, 4]


async def test_columns_that_are_not_recognised_are_shown_with_the_way_to_name_them(
    address: tuple[str, str], file: Path
) -> None:
    result = await tellback(address, file)
    assert isinstance(result.exception, BaseException)
    assert "airline, who, stars, when" in result.stdout
    assert "--columns" in result.stdout
    assert getattr(result.exception, "errors", None) == [
        {
            "field": "account_id",
            "code": "missing_column",
            "detail": "no column says the account; name it with columns",
        }
    ]


async def test_a_collector_that_does_not_answer_is_named(file: Path) -> None:
    result = await tellback(("http://127.0.0.1:1", "tb_x"), file)
    assert getattr(result.exception, "code", None) == "collector_unavailable"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["--kind", "people"], "--kind"), (["--columns", "airline"], "--columns")],
)
async def test_options_that_say_nothing_are_a_usage_error(
    address: tuple[str, str], file: Path, arguments: list[str], word: str
) -> None:
    result = await tellback(address, file, *arguments)
    assert result.exit_code == 2
    assert word in result.stderr
