"""How long it takes from a lost installation to the same scores.

`make bench ARGS="restore --responses 1000000 --rounds 3"`. Accounts, ten people of each, and a hundred answers of
each are imported into an embedded installation. It is backed up, all its processes are killed, and its data folder is
deleted, with Kafka and PostgreSQL in it. Then what an operator does: `tellback restore` into a new folder, and
`tellback up` on it, until the list of all accounts has the scores of before. `published` is when every score has been
published anew as well. Restore, start and scores are to be done within five minutes of a million responses.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil

from bench.stored import INDUSTRIES
from bench.up import answer_rows, up, write_rows
from services.cli.folder import DataFolder
from tests.support.home import NAMED_NOWHERE
from tests.support.http import bearer
from tests.support.processes import SOURCES, tellback

ANSWERS_AN_ACCOUNT, PEOPLE = 100, 10
POLL_SECONDS, DEADLINE_SECONDS = 0.2, 3_600.0
BACKED_UP, RESTORED, STARTED_AGAIN, EQUAL, PUBLISHED = "backed up", "restored", "started", "scores equal", "published"
AFTER_THE_LOSS = (RESTORED, STARTED_AGAIN, EQUAL)
AIM_SECONDS = 300
FIGURES = ("nps", "response_count", "promoter_count", "passive_count", "detractor_count")
_STORED = "select count(*) from scorer.responses"
_WAITING = (
    "select exists (select from scorer.dirty_accounts) or exists (select from scorer.outbox where published_at is null)"
    " or exists (select from collector.outbox where published_at is null)"
)


def main(arguments: Sequence[str]) -> int:
    """Fill, back up, lose, restore, print."""
    parser = argparse.ArgumentParser(prog="bench restore", description=__doc__)
    parser.add_argument("--responses", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args(arguments)
    found: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="tellback-bench-") as made:
        folder = Path(made)
        took: dict[str, float] = {}
        with up(folder / "lost") as running:
            _fill(folder / "lost", asked.responses)
            before = _scores(folder / "lost", running.port_base)
            with _timed(took, BACKED_UP):
                _run("backup", str(folder / "backup"), "--data", str(folder / "lost"))
            _kill(running.process)
        size = sum(path.stat().st_size for path in (folder / "backup").rglob("*"))
        print(f"{asked.responses:,} responses of {len(before):,} accounts, {size / 1e6:,.0f} MB in the backup")
        print(f"{BACKED_UP:<14}{took[BACKED_UP]:>8.1f} s", flush=True)
        shutil.rmtree(folder / "lost")
        for number in range(asked.rounds):
            found.append(_restored(folder / f"new-{number}", folder / "backup", before))
            shutil.rmtree(folder / f"new-{number}")
    _print(found)
    return 0


def _restored(data: Path, backup: Path, before: dict[str, Any]) -> dict[str, float]:
    """How many seconds each step took, from the loss to the same scores."""
    took: dict[str, float] = {}
    with _timed(took, RESTORED):
        _run("restore", str(backup), "--data", str(data))
    asked = time.monotonic()
    with up(data) as running:
        began = time.monotonic()
        took[STARTED_AGAIN] = began - asked
        _until(lambda: _scores(data, running.port_base) == before)
        took[EQUAL] = time.monotonic() - began
        _until(lambda: not asyncio.run(_fetched(data, _WAITING)))
        took[PUBLISHED] = time.monotonic() - began
    return took


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End `tellback up` and all that it has started, at once."""
    root = psutil.Process(process.pid)
    for running in (root, *root.children(recursive=True)):
        running.kill()
    process.wait()


def _fill(data: Path, responses: int) -> None:
    """Import accounts, people and answers, and wait until the figures are counted and published."""
    file = data.with_suffix(".csv")
    accounts = max(1, responses // ANSWERS_AN_ACCOUNT)
    files = {
        "accounts": _accounts(accounts),
        "stakeholders": _people(accounts),
        "responses": answer_rows(responses, accounts, PEOPLE),
    }
    for kind, rows in files.items():
        write_rows(file, rows)
        _run("import", str(file), "--kind", kind, "--data", str(data))
    _until(lambda: asyncio.run(_fetched(data, _STORED)) >= responses)
    _until(lambda: not asyncio.run(_fetched(data, _WAITING)))


def _accounts(accounts: int) -> Iterator[Sequence[object]]:
    yield "account_id", "name", "industry", "tier", "region"
    for number in range(accounts):
        yield f"client{number}", f"Client {number}", INDUSTRIES[number % len(INDUSTRIES)], "key", "EMEA"


def _people(accounts: int) -> Iterator[Sequence[object]]:
    yield "account_id", "email", "name", "type"
    for number in range(accounts):
        for person in range(PEOPLE):
            yield f"client{number}", f"person{person}@client{number}.example", f"Person {person}", "user"


def _scores(data: Path, port_base: int) -> dict[str, Any]:
    """Account → its figures over all time, of all accounts; those that are not served yet are absent."""
    key = DataFolder(data).first_key.read_text().strip()
    found: dict[str, Any] = {}
    cursor: str | None = ""
    with httpx.Client(base_url=f"http://127.0.0.1:{port_base + 2}", headers=bearer(key), timeout=60) as client:
        while cursor is not None:
            asked = {"window": "all", "method": "all", "limit": "200"}
            if cursor:
                asked["cursor"] = cursor
            answer = client.get("/v1/accounts", params=asked)
            if not answer.is_success:
                return found
            page = answer.json()
            for item in page["items"]:
                found[item["account_id"]] = [item[name] for name in FIGURES]
            cursor = page.get("next_cursor")
    return found


def _run(*arguments: str) -> None:
    env = {**os.environ, **SOURCES, **NAMED_NOWHERE}
    done = subprocess.run(tellback(*arguments), check=False, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        sys.exit(f"tellback {arguments[0]}: {done.stdout}{done.stderr}")


async def _fetched(data: Path, statement: str) -> Any:
    connection = await asyncpg.connect(_url(data))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def _url(data: Path) -> str:
    return DataFolder(data).variables()["TELLBACK_DATABASE_URL"].replace("+asyncpg", "")


def _until(probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not probe():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {DEADLINE_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


@contextmanager
def _timed(took: dict[str, float], what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    took[what] = time.monotonic() - began


def _print(found: Sequence[dict[str, float]]) -> None:
    for step in (*AFTER_THE_LOSS, PUBLISHED):
        times = [took[step] for took in found]
        print(f"{step:<14}{statistics.median(times):>8.1f} s  ({', '.join(f'{seconds:.1f}' for seconds in times)})")
    together = [sum(took[step] for step in AFTER_THE_LOSS) for took in found]
    print(f"from the loss to equal scores: {statistics.median(together):.1f} s (aim: {AIM_SECONDS} s)")
