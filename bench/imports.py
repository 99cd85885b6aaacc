"""How fast a file of answers comes in: rows a second until all are taken, stored by the scorer, and counted.

`make bench ARGS="imports --rows 300000 --rounds 2 --tree ../before"`. Each run is an embedded installation of its own,
on which `tellback import` sends one file: answers of 1,000 accounts, one in three with a comment. It begins with the
command. `taken` is the end of the import, `stored` when the scorer has read all rows, `counted` when no account is
waiting for its figures. The baseline is another checkout with a `.venv` of its own (`--tree`): the two take turns, and
who begins changes with every round, since a machine does not stay as fast as it was.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg

from bench.up import HERE, answer_rows, command, up, write_rows
from services.cli.folder import DataFolder
from tests.support.processes import end

ACCOUNTS, PEOPLE = 1_000, 20
POLL_SECONDS, END_SECONDS = 0.2, 3_600.0
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
        write_rows(file, answer_rows(asked.rows, ACCOUNTS, PEOPLE))
        for number in range(asked.rounds):
            turns = trees if number % 2 == 0 else list(reversed(trees))
            for tree in turns:
                rates = _run(tree, Path(folder) / f"{number}-{trees.index(tree)}", file, asked.rows)
                found[tree].append(rates)
                print(f"{tree.name:<20} " + ", ".join(f"{name} {rates[name]:,.0f}/s" for name in MOMENTS), flush=True)
    _print(found, trees)
    return 0


def _run(tree: Path, data: Path, file: Path, rows: int) -> dict[str, float]:
    """Rows a second until each moment, on an installation of this tree that is made for it."""
    with up(data, tree):
        url = DataFolder(data).variables()["TELLBACK_DATABASE_URL"]
        began = time.time()
        sending = command(tree, data.with_suffix(".import"), "import", str(file), "--data", str(data))
        moments = asyncio.run(_watched(url, rows))
        end(sending)
    return {name: rows / (moment - began) for name, moment in moments.items()}


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
