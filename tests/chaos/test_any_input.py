"""Whatever is sent to `up --demo`, and whatever is killed meanwhile, it goes on, and every record is accounted for.

`make chaos` takes ten minutes; TELLBACK_CHAOS_SECONDS says otherwise, TELLBACK_CHAOS_SEED repeats the dice of a run.
"""

import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.cli.connection import PORTS
from tests.chaos.anything import Api, Caller, Known, Pages, Source
from tests.chaos.parts import health, passing
from tests.support.home import Home, home_in
from tests.support.http import bearer
from tests.support.polling import eventually
from tests.support.processes import parts_folder
from tests.support.raw_calls import Wire, wired
from tests.support.strange import Call, operations_of
from tests.support.strange_pages import signed_in

SECONDS = float(os.environ.get("TELLBACK_CHAOS_SECONDS", "600"))
SEED = int(os.environ.get("TELLBACK_CHAOS_SEED", "0")) or secrets.randbelow(10**6)
BETWEEN_KILLS = (5.0, 20.0)
START_SECONDS = 300.0
BACK_SECONDS = 300.0
CALLERS = 2
"""Callers of each service."""
PAGES = "dashboard"

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(SECONDS + 900)]


async def test_nothing_that_is_sent_stops_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dice = random.Random(SEED)
    with parts_folder() as folder, home_in(folder) as home:
        home.up("--demo")
        await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)
        until = time.monotonic() + SECONDS
        async with calling(home, dice, until) as callers:
            kills = await killing_services(home, dice, until)
        with capsys.disabled():
            sys.stdout.write(_report(callers, kills))
        assert [fault for caller in callers for fault in caller.faults] == []
        assert {part["name"]: part["restarts"] for part in home.status()["parts"]} == {
            part["name"]: kills[part["name"]] for part in home.status()["parts"]
        }
        assert await set_aside(home) == [], "a record on which a handler failed is a bug that nobody foresaw"
        reconciled = home.run("reconcile", "--json")
        assert json.loads(reconciled.stdout)["ok"], reconciled.stdout


@contextlib.asynccontextmanager
async def calling(home: Home, dice: random.Random, until: float) -> AsyncIterator[list[Caller]]:
    """Callers of every service, which stop at the moment `until`; an error of theirs fails the test."""
    key = (home.data / "first_key").read_text().strip()
    known = Known(random.Random(dice.random()))
    known.ids["account_id"].append("northwind")
    async with contextlib.AsyncExitStack() as stack:
        callers = []
        for service in PORTS:
            wires = await stack.enter_async_context(
                wired(url_of(home, service), {} if service == PAGES else bearer(key), CALLERS)
            )
            source = await source_of(service, wires[0], home, known)
            callers += [Caller(wire, source, lambda: time.monotonic() >= until) for wire in wires]
        async with asyncio.TaskGroup() as tasks:
            for caller in callers:
                tasks.create_task(caller.run())
            yield callers


async def source_of(service: str, wire: Wire, home: Home, known: Known) -> Source:
    """The source of calls for a service: its OpenAPI document, or its pages."""
    if service == PAGES:
        return Pages(await signed_in(wire, (home.data / "first_admin").read_text().strip()), known)
    document = (await wire.send(Call("", "GET", b"/openapi.json"))).json()
    return Api(operations_of(document), known)


async def killing_services(home: Home, dice: random.Random, until: float) -> Counter[str]:
    """SIGKILL a random service, and wait until it is ready again; returns the kills of each."""
    kills: Counter[str] = Counter()
    while time.monotonic() < until:
        await passing(min(dice.uniform(*BETWEEN_KILLS), max(0.0, until - time.monotonic())))
        victim = dice.choice(sorted(PORTS))
        part = await asyncio.to_thread(home.part, victim)
        os.kill(part["pid"], signal.SIGKILL)
        kills[victim] += 1
        await eventually(lambda victim=victim: back(home, victim, kills[victim]), BACK_SECONDS)  # type: ignore[misc]
    return kills


async def back(home: Home, service: str, kills: int) -> bool:
    """Whether a service was restarted after so many kills, and is ready."""
    part = await asyncio.to_thread(home.part, service)
    return part["restarts"] >= kills and await asyncio.to_thread(health, url_of(home, service), "ready") == 200


async def set_aside(home: Home) -> list[str]:
    """The records set aside, by service: topic and error."""
    key = (home.data / "first_key").read_text().strip()
    found = []
    for service in sorted(set(PORTS) - {PAGES}):
        async with httpx.AsyncClient(base_url=url_of(home, service), headers=bearer(key), timeout=30) as client:
            answer = await client.get("/v1/dead-letters", params={"reason": "handler_error"})
        items = answer.raise_for_status().json()["items"]
        found += [f"{service}: {item['topic']}, {item['detail']}" for item in items]
    return found


def url_of(home: Home, service: str) -> str:
    """The address of a service."""
    return f"http://127.0.0.1:{home.port_base + PORTS[service]}"


def _report(callers: list[Caller], kills: Counter[str]) -> str:
    lines = [f"\nseed {SEED}: {SECONDS:.0f} s, kills {dict(kills)}"]
    lines += [f"{caller.wire.url}: {dict(caller.statuses)}, {caller.cut} cut off" for caller in callers]
    lines += [f"fault: {fault}" for caller in callers for fault in caller.faults[:20]]
    return "\n".join(lines) + "\n"
