"""How soon a new answer moves the figures on open pages, beside how soon the scorer's API has it.

`make bench ARGS="live"`. Real services, a real Chromium without a window; the portfolio and the account are open side
by side all the time. For each answer that is posted both pages and the API are watched at once: the times start with
the post, end when the API counts one answer more and when the words of the score have changed on the screen. Nothing
is reloaded. `--answers-per-second` keeps other accounts busy meanwhile.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from playwright.async_api import Page

from bench.dashboard import WAIT_MS, _dashboard, _session
from services.dashboard.web.forms import SESSION
from shared.kafka.connection import KafkaConnection
from tests.support.browser import chromium
from tests.support.environment import fresh_environment
from tests.support.installation import Installation, installed
from tests.support.polling import eventually
from tests.support.processes import embedded_kafka, embedded_postgres

WATCHED = "watched"
PAUSE_SECONDS = 2.0
CHANGED = "before => document.querySelector('section[aria-label=Score]').innerText !== before"
WHOLE = "() => !document.querySelector('main .loading') && document.querySelector('main .figure.big .value')"
Times = dict[str, list[float]]


def main(arguments: Sequence[str]) -> int:
    """Open, post, watch, print."""
    parser = argparse.ArgumentParser(prog="bench live", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--answers-per-second", type=float, default=0.0)
    asked = parser.parse_args(arguments)
    with embedded_kafka() as kafka, embedded_postgres() as postgres:
        asyncio.run(_run(kafka, postgres, asked))
    return 0


async def _run(kafka: KafkaConnection, postgres: str, asked: argparse.Namespace) -> None:
    async with fresh_environment(kafka, postgres) as environment:
        with tempfile.TemporaryDirectory() as logs:
            folder = Path(logs)
            async with installed(environment, folder) as installation, _dashboard(installation, folder) as url:
                for number in range(12):
                    await _post(installation, WATCHED, number, 9)
                others = asyncio.create_task(_others(installation, asked.answers_per_second))
                try:
                    _print(await _watch(installation, url, await _session(environment), asked.rounds))
                finally:
                    others.cancel()


async def _watch(installation: Installation, url: str, token: str, rounds: int) -> Times:
    """What was seen where, in milliseconds after each post; the first round does not count."""
    found: Times = {"scorer's API": [], "account": [], "portfolio": []}
    async with chromium() as browser:
        opened: dict[str, Page] = {}
        for name, path in (("account", f"/accounts/{WATCHED}"), ("portfolio", "/")):
            # A window each: a browser lets pages behind others wait.
            context = await browser.new_context(viewport={"width": 1280, "height": 900})
            await context.add_cookies([{"name": SESSION, "value": token, "url": url}])
            page = opened[name] = await context.new_page()
            await page.goto(url + path)
            await page.wait_for_function(WHOLE, timeout=WAIT_MS)
        for number in range(rounds + 1):
            await asyncio.sleep(PAUSE_SECONDS)
            seen = await _round(installation, opened, 100 + number)
            if number:
                for name, after in seen.items():
                    found[name].append(after)
    return found


async def _round(installation: Installation, opened: dict[str, Page], number: int) -> dict[str, float]:
    texts = {name: await page.locator("section[aria-label=Score]").inner_text() for name, page in opened.items()}
    before = await _counted(installation)
    start = time.perf_counter()

    async def page_moved(name: str) -> float:
        await opened[name].wait_for_function(CHANGED, arg=texts[name], polling=20, timeout=WAIT_MS)
        return 1000 * (time.perf_counter() - start)

    async def api_moved() -> float:
        async def counted() -> bool:
            return await _counted(installation) != before

        await eventually(counted, timeout=WAIT_MS / 1000)
        return 1000 * (time.perf_counter() - start)

    watching = asyncio.gather(api_moved(), *(page_moved(name) for name in opened))
    await _post(installation, WATCHED, number, 10 * (number % 2))
    return dict(zip(("scorer's API", *opened), await watching, strict=True))


async def _counted(installation: Installation) -> int:
    answer = await installation.scorer.get(f"/v1/accounts/{WATCHED}/score")
    return int(answer.json().get("response_count", 0))


async def _post(installation: Installation, account_id: str, number: int, score: int) -> httpx.Response:
    person = f"person{number}@{account_id}.example"
    body = {"account_id": account_id, "email": person, "survey_type": "nps", "score": score}
    answer = await installation.collector.post("/v1/responses", json=body)
    return answer.raise_for_status()


async def _others(installation: Installation, answers_per_second: float) -> None:
    number = 0
    while answers_per_second:
        await _post(installation, f"other{number % 50}", number, number % 11)
        number += 1
        await asyncio.sleep(1 / answers_per_second)


def _print(found: Times) -> None:
    print(f"{'a new answer, seen on':<24} {'median, ms':>12} {'least–most':>14}")
    for name, times in found.items():
        print(f"{name:<24} {statistics.median(times):>12.0f} {min(times):>7.0f}–{max(times):.0f}")
