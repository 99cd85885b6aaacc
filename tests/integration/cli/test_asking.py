"""Commands that ask the services: their requests, their output, and their exit codes when a service is away."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from services.cli.console import Exit
from services.cli.embedded.process import free_port
from tests.support.http import serving
from tests.support.processes import SOURCES, tellback

FILE = "account,person,score,date\nacme,ann,9,2026-01-01\nacme,ann,x,2026-01-02\n"
JOB: dict[str, Any] = {
    "id": "j1", "kind": "responses", "state": "running", "progress": 0.5, "rows_read": 2, "taken": 1, "bad": 1,
    "skipped": 0, "problems": [{"line": 3, "outcome": "bad", "field": "score", "reason": "not_a_score"}],
    "columns": {"score": "score"}, "ignored_columns": [], "alerts": False, "error": None, "same_as": None,
    "older_than": None, "read": 1, "lines": [], "new": 1, "amended": 0, "same": 0, "kept": 0, "conflict": 0, "gone": 0,
    "dropped": 0,
    "report": "/v1/imports/j1/report", "format": None, "remarks": [],
}  # fmt: skip
MISSING = {"field": "columns", "code": "missing_column", "detail": "say which column is the name"}
APPLIED = {
    "receipt_id": "r1", "status": "applied", "erased_at": "2026-01-01", "applied_at": "2026-01-01",
    "gone_from_log_at": "2026-02-01", "responses": 2,
}  # fmt: skip
FIGURES = {"nps": 100.0, "promoter_count": 1, "passive_count": 0, "detractor_count": 0}


@dataclass
class Services:
    """All services at one address, with the routes that commands use; `looks` counts how often something was polled
    for."""

    looks: dict[str, int] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route("/v1/imports", self._import, methods=["POST"])
        app.add_api_route("/v1/imports/j1", self._job)
        app.add_api_route("/v1/imports/j1/report", self._report)
        app.add_api_route("/v1/accounts/acme/stakeholders/ada/data", self._erase, methods=["DELETE"])
        app.add_api_route("/v1/erasures/r1", self._receipt)
        app.add_api_route("/v1/benchmarks/sets", self._load, methods=["POST"])
        app.add_api_route("/v1/portfolio/score", self._portfolio)
        app.add_api_route("/v1/accounts", self._accounts)
        return app

    def _looked(self, what: str) -> int:
        self.looks[what] = self.looks.get(what, 0) + 1
        return self.looks[what]

    async def _import(self, request: Request) -> Response:
        async with request.form() as form:
            self.sent.append({name: value for name, value in form.items() if isinstance(value, str)})
        if self.sent[-1]["kind"] == "accounts":
            return JSONResponse({"code": "invalid_request", "detail": "no name", "errors": [MISSING]}, 422)
        return JSONResponse(JOB, 202)

    async def _job(self) -> Response:
        if self._looked("job") == 1:
            return JSONResponse({"code": "database_unavailable"}, 503)
        return JSONResponse(JOB | {"state": "done", "progress": 1.0})

    async def _report(self) -> Response:
        return Response("line,reason\n3,not_a_score\n", media_type="text/csv")

    async def _erase(self) -> Response:
        return JSONResponse({"receipt_id": "r1", "erased_at": "2026-01-01"}, 202)

    async def _receipt(self) -> Response:
        unknown = self._looked("receipt") < 4
        return JSONResponse({"code": "unknown_erasure"}, 404) if unknown else JSONResponse(APPLIED)

    async def _load(self, request: Request) -> Response:
        self.sent.append({"type": request.headers["content-type"], **request.query_params})
        return JSONResponse({"code": "missing_scope", "detail": "the key lacks manage"}, 403)

    async def _portfolio(self) -> Response:
        return JSONResponse({"groups": [FIGURES]})

    async def _accounts(self, cursor: str = "") -> Response:
        name, following = ("acme", None) if cursor else ("nobody", "2")
        return JSONResponse({"items": [FIGURES | {"account_id": name}], "next_cursor": following})


@dataclass(frozen=True)
class Commands:
    """Runs commands against the services."""

    services: Services
    url: str
    folder: Path

    async def __call__(self, *arguments: str, **urls: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; `urls` puts a service at another address."""
        names = ("COLLECTOR", "SCORER", "ALERTING", "BENCHMARK", "OUTREACH")
        found = {f"TELLBACK_{name}_URL": urls.get(name.lower(), self.url) for name in names}
        return await asyncio.to_thread(
            subprocess.run,
            tellback(*arguments),
            env=os.environ | SOURCES | found | {"TELLBACK_API_KEY": "tb_key"},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    @property
    def file(self) -> str:
        """Write a file of answers."""
        path = self.folder / "answers.csv"
        path.write_text(FILE)
        return str(path)


@pytest.fixture
async def commands(tmp_path: Path) -> AsyncIterator[Commands]:
    services = Services()
    async with serving(services.app()) as url:
        yield Commands(services, url, tmp_path)


async def test_an_import_is_waited_for_through_a_restart_and_its_report_is_written(commands: Commands) -> None:
    report = commands.folder / "report.csv"
    done = await commands("import", commands.file, "--report", str(report))
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert "2 rows: 1 taken, 0 skipped, 1 bad" in done.stdout
    assert report.read_text() == "line,reason\n3,not_a_score\n"
    assert commands.services.sent == [{"kind": "responses", "alerts": "false", "mode": "upsert"}]


async def test_columns_that_are_missing_are_told_with_those_that_there_are(commands: Commands) -> None:
    refused = await commands("import", commands.file, "--kind", "accounts")
    assert refused.returncode == Exit.FAILED
    assert "The columns of answers.csv: account, person, score, date" in refused.stdout
    assert "error: no name (invalid_request)" in refused.stderr
    assert "columns: say which column is the name" in refused.stderr


async def test_an_erasure_is_waited_for_in_every_service(commands: Commands) -> None:
    done = await commands("erase", "acme", "ada", "--yes")
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert done.stdout.count("2 responses") == 4
    assert commands.services.looks["receipt"] >= 4


async def test_a_no_is_said_with_its_code(commands: Commands) -> None:
    refused = await commands("benchmark", "import", commands.file, "--year", "2026")
    assert refused.returncode == Exit.FAILED
    assert "error: the key lacks manage (missing_scope)" in refused.stderr
    [sent] = commands.services.sent
    assert (sent["type"].partition(";")[0], sent["year"]) == ("multipart/form-data", "2026")


async def test_every_page_of_accounts_is_compared(commands: Commands) -> None:
    different = await commands("verify", commands.file, "--json")
    assert different.returncode == Exit.FAILED
    assert '"different": ["nobody"]' in " ".join(different.stdout.split()).replace("[ ", "[").replace(" ]", "]")


async def test_a_service_that_is_away_is_named_with_its_address(commands: Commands) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    away = await commands("verify", commands.file, scorer=nowhere)
    assert away.returncode == Exit.UNAVAILABLE
    assert f"error: The scorer is not reachable at {nowhere} (scorer_unavailable)" in away.stderr
