"""How fast a file of answers comes in: rows a second until all are taken, stored by the scorer, and counted.

`make bench ARGS="imports --rows 300000 --rounds 2 --tree ../before"`. Each run is an embedded installation of its own,
on which `tellback import` sends one file: answers of 1,000 accounts, one in three with a comment. It begins with the
command. `taken` is the end of the import, `stored` when the scorer has read all rows, `counted` when no account is
waiting for its figures. The baseline is another checkout with a `.venv` of its own (`--tree`): the two take turns, and
who begins changes with every round, since a machine does not stay as fast as it was.
"""

import argparse
import asyncio
import csv
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from services.cli.folder import DataFolder
from tests.support.home import NAMED_NOWHERE, free_port_base
from tests.support.processes import end, start

HERE = Path(__file__).parents[1]
ACCOUNTS, PEOPLE = 1_000, 20
POLL_SECONDS, START_SECONDS, STOP_SECONDS, END_SECONDS = 0.2, 300.0, 90.0, 3_600.0
STARTED = "Ctrl-C stops everything"
MOMENTS = ("taken", "stored", "counted")
_TAKEN = "select finished_at from collector.imports where state = 'done'"
_STORED = "select coalesce(sum(new_count), 0) >= $1 from scorer.cursors"
_COUNTED = "select not exists (select from scorer.dirty_accounts)"


def main(arguments: Sequence[str]) -> int:
    """Write the file, take it in by each tree in turn, print."""
    parser = argparse.ArgumentParser(prog="bench imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tree", type=Path, help="another checkout, as the baseline")
    asked = parser.parse_args(arguments)
    trees = [HERE]
    if asked.tree is not None:
        trees.append(asked.tree.resolve())
    found: dict[Path, list[dict[str, float]]] = {tree: [] for tree in trees}
    with tempfile.TemporaryDirectory(prefix="tellback-bench-") as folder:
        file = Path(folder) / "answers.csv"
        _write(file, asked.rows)
        for number in range(asked.rounds):
            turns = trees if number % 2 == 0 else list(reversed(trees))
            for tree in turns:
                rates = _run(tree, Path(folder) / f"{number}-{trees.index(tree)}", file, asked.rows)
                found[tree].append(rates)
                print(f"{tree.name:<20} " + ", ".join(f"{name} {rates[name]:,.0f}/s" for name in MOMENTS), flush=True)
    _print(found, trees)
    return 0


def _write(file: Path, rows: int) -> None:
    dice = random.Random(rows)
    today = datetime.now(UTC).replace(microsecond=0)
    with file.open("w", newline="") as text:
        table = csv.writer(text)
        table.writerow(("account_id", "email", "survey_type", "score", "comment", "answered_at"))
        for number in range(rows):
            account = dice.randrange(ACCOUNTS)
            person = f"person{dice.randrange(PEOPLE)}@client{account}.example"
            comment = ""
            if number % 3 == 0:
                comment = f"Support answers quickly and knows our set-up ({number})."
            moment = today - timedelta(seconds=dice.randrange(400 * 86_400))
            table.writerow((f"client{account}", person, "nps", dice.randrange(11), comment, moment.isoformat()))


def _run(tree: Path, data: Path, file: Path, rows: int) -> dict[str, float]:
    """Rows a second until each moment, on an installation of this tree that is made for it."""
    log, sent = data.with_suffix(".up"), data.with_suffix(".import")
    up = _started(tree, log, "up", "--data", str(data), "--port-base", str(free_port_base()))
    try:
        _wait_until_started(up, log)
        url = DataFolder(data).variables()["TELLBACK_DATABASE_URL"]
        began = time.time()
        sending = _started(tree, sent, "import", str(file), "--data", str(data))
        moments = asyncio.run(_watched(url, rows))
        end(sending)
    finally:
        end(up, seconds=STOP_SECONDS)
    return {name: rows / (moment - began) for name, moment in moments.items()}


def _wait_until_started(up: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while STARTED not in log.read_text(errors="replace"):
        if up.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(POLL_SECONDS)


def _started(tree: Path, log: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    command = (str(tree / ".venv/bin/python"), "-P", "-m", "services.cli.main", *arguments)
    return start(command, log, {**NAMED_NOWHERE, "PYTHONPATH": str(tree)})


async def _watched(url: str, rows: int) -> Mapping[str, float]:
    """When each moment came, in seconds since 1970, as the database of the installation says."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    found: dict[str, float] = {}
    deadline = time.time() + END_SECONDS
    while len(found) < len(MOMENTS):
        if time.time() > deadline:
            raise TimeoutError(f"only {', '.join(found)} within {END_SECONDS:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
        if "taken" not in found:
            finished_at = await connection.fetchval(_TAKEN)
            if finished_at is not None:
                found["taken"] = finished_at.timestamp()
        elif "stored" not in found:
            if await connection.fetchval(_STORED, rows):
                found["stored"] = time.time()
        elif await connection.fetchval(_COUNTED):
            found["counted"] = time.time()
    await connection.close()
    return found


def _print(found: Mapping[Path, Sequence[Mapping[str, float]]], trees: Sequence[Path]) -> None:
    print(f"\n{'rows a second':<20}" + "".join(f"{name:>12}" for name in MOMENTS))
    medians = {}
    for tree in trees:
        medians[tree] = [statistics.median(rates[name] for rates in found[tree]) for name in MOMENTS]
        print(f"{tree.name:<20}" + "".join(f"{rate:>12,.0f}" for rate in medians[tree]))
    for tree in trees[1:]:
        ratios = [now / before for now, before in zip(medians[HERE], medians[tree], strict=True)]
        print(f"{'ratio':<20}" + "".join(f"{ratio:>12.2f}" for ratio in ratios))
