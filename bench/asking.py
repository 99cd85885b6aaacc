"""How fast a great programme is planned, looked at and sent.

`make bench ARGS="asking --rounds 3"`. On an embedded PostgreSQL, with the service's planner, API and sender:
- planning: a wave to 100,000 people of 5,000 accounts, until all asks are written; beside it the bare copy of the same
  rows from one table into another, and the most memory that the process has taken;
- dry-run: `POST /v1/programmes/{id}/dry-run` for 10,000 people, half of whom were asked last week;
- sending: mails a second through one connection to a relay on this machine; beside it a bare loop of aiosmtplib that
  gives the same relay mails of the same size.
The aims: 60 s and 300 MB, 3 s, 20 mails a second. Where other work runs beside, the seconds of processor that this
process takes say more than those of the clock; PostgreSQL's are not among them.
"""

import argparse
import asyncio
import contextlib
import resource
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from typing import Any

import aiosmtplib

from services.outreach.handlers.planner import ProgrammePlanner
from shared.ids import uuid7
from tests.support.environment import NO_KAFKA, fresh_environment
from tests.support.mailing import Mailroom, deployment, mailroom, with_relay
from tests.support.outreach import DAY, Asking, asking
from tests.support.processes import embedded_postgres

PEOPLE_OF_DRY_RUN = 10_000
ACCOUNT_OF_MANY = 20
"""People an account."""
Figures = dict[str, list[float]]
_ACCOUNTS = """
    insert into accounts (account_id, name, region, tier, owner_name, owner_email, record, recorded_at, event_id)
    select 'account-' || n, 'Account ' || n, 'EMEA', 'key', 'Lea Maier', 'lea@supplier.example', '{}', :at, :event
    from generate_series(1, :accounts) n
"""
_PEOPLE = """
    insert into stakeholders (account_id, stakeholder_id, name, email, type, record, recorded_at, event_id)
    select 'account-' || a, 'person-' || p, 'Person ' || p, 'person-' || p || '@account-' || a || '.example',
        case when p % 5 = 0 then 'decision_maker' else 'user' end, '{}', :at, :event
    from generate_series(1, :accounts) a, generate_series(1, :people) p
"""
_ASKED = """
    insert into contacts (account_id, stakeholder_id, last_asked_at, relationship_asked_at)
    select account_id, stakeholder_id, :at, :at from stakeholders where right(stakeholder_id, 1) in ('1', '3', '5')
"""


def main(argv: list[str]) -> int:
    """Run the benchmark and print what it found."""
    options = argparse.ArgumentParser(prog="bench asking", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--people", type=int, default=100_000)
    options.add_argument("--accounts", type=int, default=5_000)
    options.add_argument("--mails", type=int, default=1_000, help="of a round")
    asked = options.parse_args(argv)
    with embedded_postgres() as postgres:
        figures = asyncio.run(_measured(postgres, asked))
    _print(figures)
    return 0


async def _measured(postgres: str, asked: argparse.Namespace) -> Figures:
    figures: Figures = {}
    for _ in range(asked.rounds):
        async with _outreach(postgres, asked.accounts, asked.people // asked.accounts) as found:
            await _planning(found, figures)
        _note(figures, "memory, MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        async with _outreach(postgres, PEOPLE_OF_DRY_RUN // ACCOUNT_OF_MANY, ACCOUNT_OF_MANY) as found:
            await _dry_run(found, figures)
        async with _outreach(postgres, asked.mails // ACCOUNT_OF_MANY, ACCOUNT_OF_MANY) as found:
            await _sending(found, figures)
    return figures


@contextlib.asynccontextmanager
async def _outreach(postgres: str, accounts: int, people: int) -> AsyncIterator[Mailroom]:
    """Outreach with a directory, on a Tuesday at noon."""
    async with (
        fresh_environment(NO_KAFKA, postgres, topics=False) as environment,
        asking(environment) as found,
        mailroom(found, daily_cap=1_000_000) as room,
    ):
        with_relay(found, daily_cap=1_000_000)
        await room.survey()
        await _directory(found, accounts, people)
        yield room


async def _directory(found: Asking, accounts: int, people: int) -> None:
    bound: dict[str, Any] = {"at": found.clock.now() - 100 * DAY, "event": uuid7(), "accounts": accounts}
    async with found.database.write() as tx:
        await tx.execute(_ACCOUNTS, **bound)
        await tx.execute(_PEOPLE, people=people, **bound)
        await tx.execute("analyze")


async def _planning(room: Mailroom, figures: Figures) -> None:
    await _wave(room)
    planner = ProgrammePlanner(room.asking.database, room.asking.clock, deployment())
    with _timed(figures, "planning"):
        await planner.round()
    async with room.asking.database.write() as tx:
        await tx.execute("create table copied (like asks including indexes)")
        began = time.perf_counter()
        await tx.execute("insert into copied select * from asks")
    _note(figures, "  bare copy, s", time.perf_counter() - began)


async def _dry_run(room: Mailroom, figures: Figures) -> None:
    async with room.asking.database.write() as tx:
        await tx.execute(_ASKED, at=room.asking.clock.now() - 7 * DAY)
    programme_id = await room.programme(started=False)
    with _timed(figures, "dry-run"):
        await room.call("POST", f"/{programme_id}/dry-run")


async def _sending(room: Mailroom, figures: Figures) -> None:
    await _wave(room)
    await room.planner.round()
    room.asking.clock.advance(DAY + timedelta(hours=3))  # the next noon: all are due
    began = time.perf_counter()
    await room.work()
    _note(figures, "sending, mails/s", len(room.relay.contents) / (time.perf_counter() - began))
    contents = list(room.relay.contents)
    began = time.perf_counter()
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=room.relay.port, start_tls=False) as bare:
        for content in contents:
            await bare.sendmail("lea@supplier.example", ["ann@acme.example"], content)
    _note(figures, "  bare loop, mails/s", len(contents) / (time.perf_counter() - began))


async def _wave(room: Mailroom) -> None:
    await room.programme(caps={"programme": 100_000, "account": 100_000})


@contextlib.contextmanager
def _timed(figures: Figures, name: str) -> Iterator[None]:
    """Note what the block takes by the clock, and of the processor."""
    began, used = time.perf_counter(), time.process_time()
    yield
    _note(figures, f"{name}, s", time.perf_counter() - began)
    _note(figures, f"  {name}, processor s", time.process_time() - used)


def _note(figures: Figures, name: str, value: float) -> None:
    figures.setdefault(name, []).append(value)


def _print(figures: Figures) -> None:
    print(f"\n{'':<26}{'median':>10}{'least':>10}{'most':>10}")
    for name, values in figures.items():
        print(f"{name:<26}" + "".join(f"{value:>10.1f}" for value in _spread(values)))


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)
