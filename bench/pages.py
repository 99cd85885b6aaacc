"""How fast the page for respondents comes, beside a plain page of Starlette of the same size.

`make bench ARGS="pages"`. Requests are sent at a steady rate, whatever the answers take, so that a stall shows in all
that wait behind it: `--per-second` pages for `--seconds`, each of another ask; then as many forms, each the first of
its ask. Times are from when a request was to be sent to the last byte of its answer.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from services.cli.embedded.process import free_port
from services.outreach.domain.tokens import Purpose, Tokens
from shared.clock import SystemClock
from tests.support.environment import Environment, fresh_environment
from tests.support.polling import eventually
from tests.support.processes import SOURCES, embedded_postgres, end, start, tellback
from tests.support.respondents import put_ask, put_survey, relationship, schema

READY_SECONDS = 60.0
NO_KAFKA = "127.0.0.1:9"


def main(arguments: Sequence[str]) -> int:
    """Start, ask, print."""
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--per-second", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    asked = parser.parse_args(arguments)
    with embedded_postgres() as postgres:
        asyncio.run(_run(postgres, asked.per_second, asked.per_second * asked.seconds))
    return 0


async def _run(postgres: str, per_second: int, count: int) -> None:
    async with fresh_environment(NO_KAFKA, postgres, topics=False) as environment:
        with tempfile.TemporaryDirectory() as logs:
            links = await _asks(environment, count)
            outreach = tellback("serve", "outreach", "--port", str(free_port()), "--pause", "0")
            async with _serving(outreach, Path(logs) / "outreach.log", environment.variables()) as url:
                size = await _size(url + links[0])
                pages = await _paced(per_second, [_get(url + link) for link in links])
                forms = await _paced(per_second, [_post(url + link) for link in links])
            plain = (sys.executable, "-P", "-m", "bench.plain_pages", str(free_port()))
            async with _serving((*plain, str(size)), Path(logs) / "plain.log", SOURCES) as url:
                beside = await _paced(per_second, [_get(url) for _ in links])
    print(f"{count:,} requests of each kind, {per_second} a second, pages of {size:,} bytes; milliseconds")
    for name, times in (("page", pages), ("first form", forms), ("plain page of Starlette", beside)):
        quantiles = statistics.quantiles(times, n=100)
        print(f"{name:24} p50 {quantiles[49]:7.1f}  p99 {quantiles[98]:7.1f}  max {max(times):7.1f}")


async def _asks(environment: Environment, count: int) -> list[str]:
    """The paths of the pages of so many asks."""
    tokens = Tokens([environment.common.secret_key.get_secret_value()])
    now = SystemClock().now()
    links: list[str] = []
    async with schema(environment) as connection, connection.transaction():
        await put_survey(connection, now, relationship())
        for number in range(count):
            ask_id = await put_ask(connection, now, account_id=f"account{number % 1000}", stakeholder_id=f"p{number}")
            links.append(f"/s/{tokens.made(Purpose.ASK, ask_id.bytes)}")
    return links


@asynccontextmanager
async def _serving(argv: Sequence[str], log: Path, variables: dict[str, str]) -> AsyncIterator[str]:
    """The address of a program that serves at the port in its arguments."""
    port = next(argument for argument in argv if argument.isdecimal())
    child = start(argv, log, variables)

    async def answers() -> bool:
        if child.poll() is not None:
            raise RuntimeError(f"it ended: {log}")
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"http://127.0.0.1:{port}/")).status_code < 500
        except httpx.TransportError:
            return False

    try:
        await eventually(answers, READY_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        end(child)


Sent = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def _get(url: str) -> Sent:
    return lambda client: client.get(url)


def _post(url: str) -> Sent:
    return lambda client: client.post(url, data={"score": "9", "step": "score", "lang": "en"})


async def _size(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return len((await client.get(url)).content)


async def _paced(per_second: int, requests: Sequence[Sent]) -> list[float]:
    """Milliseconds of each request, sent at a steady rate."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=30) as client:
        began = time.perf_counter() + 0.1

        async def timed(place: int, send: Sent) -> float:
            due = began + place / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            answer = await send(client)
            assert answer.status_code in (200, 303), answer.status_code
            return 1000 * (time.perf_counter() - due)

        return await asyncio.gather(*(timed(place, send) for place, send in enumerate(requests)))
