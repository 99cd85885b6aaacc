"""How soon the portfolio is painted with many responses stored, beside an empty page of NiceGUI in the same run.

`make bench ARGS="dashboard"`. A million takes minutes to load: first `--responses 1000000 --keep FOLDER --load-only`,
then the same without `--load-only`, as often as one likes. Real services, a real Chromium without a window, started
anew for every look, so that nothing is cached. The pages are interleaved. First contentful paint is what the browser
says; the figures are there when nothing is loading any more and every chart is drawn; the grid of accounts is there
when it shows rows and knows how many there are.
"""

import argparse
import asyncio
import math
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from playwright.async_api import Page

from bench import stored
from services.cli.embedded.process import free_port
from services.dashboard.domain.users import Role
from services.dashboard.gateways.passwords import Passwords
from services.dashboard.handlers.people import Desk
from services.dashboard.handlers.signing_in import SigningIn
from services.dashboard.web.forms import SESSION
from shared.clock import SystemClock
from shared.db.engine import Database
from shared.kafka.connection import KafkaConnection
from tests.support.browser import chromium
from tests.support.environment import Environment, fresh_environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.processes import SOURCES, embedded_kafka, embedded_postgres, end, start, tellback

WAIT_MS = 60_000
CHOSEN = "looks at everything 4"
COUNTED = ("tellback_records_read_total", "tellback_outbox_published_total")
THERE = "document.querySelector('#app > *') !== null"
FIGURES = """() => !document.querySelector('main .loading') && document.querySelector('main .figure.big .value')
    && [...document.querySelectorAll('main .chart')].every(chart => chart.querySelector('svg, canvas'))"""
GRID = """() => document.querySelector('.ag-center-cols-container [role=row]')
    && /\\d (account|accounts)$/.test(document.querySelector('main .filters [role=status]').textContent)"""
ACTS = {"sorted by NPS": ("nps", "^−"), "at risk only": ("class", "risk"), "found by name": ("name", "-77")}
"""What is done with the grid, and how each row then seen looks in which column."""
SHOWN = """([column, look]) => {
    const cells = [...document.querySelectorAll(`.ag-center-cols-container [role=row] [col-id=${column}]`)];
    return cells.length && cells.every(cell => cell.textContent.match(look));
}"""
ASKED = r"^tellback_http_request_duration_seconds_{}{{(method=\"GET\",route=\"/v1[^}}]*)}} (\S+)"
PARTS = ("sum", "count")
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@dataclass(frozen=True, slots=True)
class Look:
    """A page to look at, and what must be there for it to be whole."""

    name: str
    url: str
    whole: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Milliseconds from the click: first contentful paint, and when the page was whole."""

    painted: float
    whole: float


def main(arguments: Sequence[str]) -> int:
    """Load, look, print."""
    parser = argparse.ArgumentParser(prog="bench dashboard", description=__doc__)
    parser.add_argument("--responses", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder where what is loaded stays for the next run")
    parser.add_argument("--load-only", action="store_true", help="measure nothing: a million takes minutes to load")
    asked = parser.parse_args(arguments)
    with embedded_postgres(kept=asked.keep) as postgres:
        template = asyncio.run(stored.template(postgres, asked.accounts, asked.responses))
        if not asked.load_only:
            with embedded_kafka() as kafka:
                asyncio.run(_run(kafka, postgres, template, asked))
    return 0


async def _run(kafka: KafkaConnection, postgres: str, template: str, asked: argparse.Namespace) -> None:
    async with fresh_environment(kafka, postgres, template=template) as environment:
        print(f"{asked.responses:,} responses of {asked.accounts:,} accounts", flush=True)
        with tempfile.TemporaryDirectory() as logs:
            folder = Path(logs)
            async with installed(environment, folder) as installation, _dashboard(installation, folder) as url:
                await _settled(installation)
                async with _empty_pages(folder) as empty:
                    looks = (
                        Look("an empty page of NiceGUI", f"{empty}/", THERE),
                        Look("the same with a chart and 10,000 rows", f"{empty}/full", THERE),
                        Look("portfolio, for the first time", f"{url}/", FIGURES),
                        Look("portfolio, once more", f"{url}/", FIGURES),
                        Look("accounts", f"{url}/accounts", GRID),
                    )
                    tokens = await _sessions(environment, asked.rounds + 1)
                    _print(await _measure(looks, tokens))
                    _print_acts(await _work(looks[-1], tokens[0], asked.rounds))
                    await _print_questions(installation)


@asynccontextmanager
async def _dashboard(installation: Installation, folder: Path) -> AsyncIterator[str]:
    """The dashboard as a process; its address."""
    key, port = folder / "key", free_port()
    key.write_text(installation.key)
    variables = installation.environment.variables() | {
        "TELLBACK_LOG_FORMAT": "json",
        "TELLBACK_DASHBOARD_API_KEY_FILE": str(key),
        **{f"TELLBACK_DASHBOARD_{name.upper()}_URL": installation.url(name) for name in installation.clients},
    }
    argv = tellback("serve", "dashboard", "--port", str(port), "--pause", "0")
    child = start(argv, folder / "dashboard.log", variables)
    try:
        await _ready(f"http://127.0.0.1:{port}/health/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        end(child)


async def _session(environment: Environment) -> str:
    """The token of somebody signed in, who sees everything."""
    return (await _sessions(environment, 1))[0]


async def _sessions(environment: Environment, number: int) -> list[str]:
    """The tokens of so many leaders, signed in."""
    database, clock, passwords = Database(environment.database_url, "dashboard"), SystemClock(), Passwords()
    desk, signing_in = Desk(database, clock, passwords), SigningIn(database, clock, passwords, timedelta(hours=1))
    try:
        await desk.first_admin()
        admin = (await desk.everybody())[0]
        leaders = [f"leader-{place}@bench.example" for place in range(number)]
        tokens = []
        for leader in leaders:
            link = await desk.add(admin, leader, "Leader", Role.LEADER)
            await signing_in.set_password(link.token, CHOSEN)
            tokens.append(await signing_in.sign_in(leader, CHOSEN, "bench"))
        return tokens
    finally:
        await database.close()


async def _settled(installation: Installation) -> None:
    """Wait until what the load brought about has gone through Kafka: the newest sequence stands still."""
    seen: list[object] = []

    async def still() -> bool:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            metrics = [(await client.get(f"{installation.url(name)}/metrics")).text for name in installation.clients]
        seen.append([line for text in metrics for line in text.splitlines() if line.startswith(COUNTED)])
        await asyncio.sleep(2)
        return len(seen) > 2 and seen[-1] == seen[-2] == seen[-3]

    await eventually(still, timeout=180)


async def _measure(looks: Sequence[Look], tokens: Sequence[str]) -> dict[str, list[Seen]]:
    """Page → what was seen of it in each round, by somebody who was not there before; the first round warms up the
    servers and does not count.
    """
    found: dict[str, list[Seen]] = {look.name: [] for look in looks}
    for number, token in enumerate(tokens):
        for look in looks:
            seen = await _look(look, token)
            if number:
                found[look.name].append(seen)
    return found


async def _look(look: Look, token: str) -> Seen:
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        await context.add_cookies([{"name": SESSION, "value": token, "url": look.url}])
        page = await context.new_page()
        await page.goto(look.url, wait_until="commit")
        whole = await _when(page, look.whole)
        painted = await (await page.wait_for_function(PAINTED, timeout=WAIT_MS)).json_value()
        for wrong in await page.locator("main .notice.bad:visible").all_inner_texts():
            print(f"{look.name}: {wrong}")
            whole = math.nan
        return Seen(float(painted), whole)


async def _work(look: Look, token: str, rounds: int) -> dict[str, list[float]]:
    """What is done with the grid → milliseconds from the click or the key until it shows."""
    found: dict[str, list[float]] = {name: [] for name in ACTS}
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        await context.add_cookies([{"name": SESSION, "value": token, "url": look.url}])
        for _ in range(rounds):
            page = await context.new_page()
            await page.goto(look.url)
            await _when(page, look.whole)
            for name, seen in ACTS.items():
                began = time.perf_counter()
                if name == "sorted by NPS":
                    await page.get_by_role("columnheader", name="NPS").click()
                elif name == "at risk only":
                    await page.get_by_label("Class").select_option("at_risk")
                else:
                    await page.get_by_label("Search").fill("-77")
                await page.wait_for_function(SHOWN, arg=list(seen), polling="raf", timeout=WAIT_MS)
                found[name].append(1000 * (time.perf_counter() - began))
            await page.close()
    return found


def _print_acts(found: Mapping[str, Sequence[float]]) -> None:
    print("\nthe grid of accounts, from the click until it shows, ms")
    for name, times in found.items():
        print(f"{name:<40} {_spread(times):>22}")


async def _print_questions(installation: Installation) -> None:
    """Where the time went: what the pages asked the services."""
    print("\nwhat was asked, as the services saw it: mean ms, times")
    spent: list[tuple[float, float, str]] = []
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        for name in installation.clients:
            text = (await client.get(f"{installation.url(name)}/metrics")).text
            sums, counts = ({m[1]: float(m[2]) for m in re.finditer(ASKED.format(kind), text, re.M)} for kind in PARTS)
            spent += [(1000 * sums[label] / counts[label], counts[label], label) for label in sums if counts.get(label)]
    for mean, count, label in sorted(spent, reverse=True)[:15]:
        print(f"{mean:>9.1f} {count:>6.0f}  {label}")


async def _when(page: Page, condition: str) -> float:
    """When the condition first held, on the clock of the page's own navigation."""
    test = f"() => ({condition if condition.startswith('()') else f'() => {condition}'})() ? performance.now() : false"
    found = await page.wait_for_function(test, polling="raf", timeout=WAIT_MS)
    return float(await found.json_value())


@asynccontextmanager
async def _empty_pages(folder: Path) -> AsyncIterator[str]:
    """The pages to compare with; their address."""
    port = free_port()
    child = start((sys.executable, "-P", "-m", "bench.empty_pages", str(port)), folder / "empty.log", SOURCES)
    try:
        await _ready(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        end(child)


async def _ready(url: str) -> None:
    """Wait for an answer."""

    async def answers() -> bool:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

    await eventually(answers, timeout=60)


def _print(found: Mapping[str, Sequence[Seen]]) -> None:
    names = list(found)
    print(f"\n{'':<40} {'painted, ms':>22} {'whole, ms':>22} {'whole after paint':>18}")
    for name, seen in found.items():
        painted, whole = [visit.painted for visit in seen], [visit.whole for visit in seen]
        after = statistics.median(end - start for start, end in zip(painted, whole, strict=True))
        print(f"{name:<40} {_spread(painted):>22} {_spread(whole):>22} {after:>15.0f} ms")
    empty = statistics.median(visit.painted for visit in found[names[0]])
    for name in names[1:]:
        print(f"{name}: painted after {statistics.median(s.painted for s in found[name]) / empty:.2f} × the empty page")


def _spread(times: Sequence[float]) -> str:
    """`420 (390–480)`: the median with the least and the most."""
    return f"{statistics.median(times):.0f} ({min(times):.0f}–{max(times):.0f})"
