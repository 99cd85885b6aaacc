"""An embedded installation for a bench, by `tellback up` of this tree or of another one, and files for it to take."""

import csv
import random
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.home import NAMED_NOWHERE, free_port_base
from tests.support.processes import end, start

HERE = Path(__file__).parents[1]
STARTED = "Ctrl-C stops everything"
POLL_SECONDS, START_SECONDS, STOP_SECONDS = 0.2, 300.0, 90.0
DAYS = 400


@dataclass(frozen=True)
class Up:
    """The process of `tellback up`, and the port of its dashboard, which those of the services follow."""

    process: "subprocess.Popen[bytes]"
    port_base: int


@contextmanager
def up(data: Path, tree: Path = HERE) -> Iterator[Up]:
    """`tellback up` on a folder for the block, once it has said that all runs. Raises RuntimeError with the end of its
    log, which lies beside the folder, when it ends before or has not within five minutes."""
    log, port_base = data.with_suffix(".up"), free_port_base()
    process = command(tree, log, "up", "--data", str(data), "--port-base", str(port_base))
    try:
        _wait_until_started(process, log)
        yield Up(process, port_base)
    finally:
        end(process, seconds=STOP_SECONDS)


def command(tree: Path, log: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a `tellback` command of a tree, which has a `.venv` of its own, with what is embedded."""
    argv = (str(tree / ".venv/bin/python"), "-P", "-m", "services.cli.main", *arguments)
    return start(argv, log, {**NAMED_NOWHERE, "PYTHONPATH": str(tree)})


def write_rows(file: Path, rows: Iterable[Sequence[object]]) -> None:
    """A CSV file of these rows."""
    with file.open("w", newline="") as text:
        csv.writer(text).writerows(rows)


def answer_rows(answers: int, accounts: int, people: int) -> Iterator[Sequence[object]]:
    """A heading and so many NPS answers of the last 400 days, of so many people at each of the accounts; one in three
    has a comment."""
    dice, today = random.Random(answers), datetime.now(UTC).replace(microsecond=0)
    yield "account_id", "email", "survey_type", "score", "comment", "answered_at"
    for number in range(answers):
        account = dice.randrange(accounts)
        person = f"person{dice.randrange(people)}@client{account}.example"
        comment = ""
        if number % 3 == 0:
            comment = f"Support answers quickly and knows our set-up ({number})."
        moment = today - timedelta(seconds=dice.randrange(DAYS * 86_400))
        yield f"client{account}", person, "nps", dice.randrange(11), comment, moment.isoformat()


def _wait_until_started(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while STARTED not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(POLL_SECONDS)
