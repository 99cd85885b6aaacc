"""What strangers reach: one page for every token that is not ours, no query, limits, and headers that keep out foreign
script."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event

from services.outreach.domain.tokens import Purpose
from services.outreach.web.assets import STYLE, STYLE_NAME
from services.outreach.web.strangers import MOST, WINDOW, Strangers
from shared.db.engine import Database
from shared.telemetry import metrics
from tests.support.clock import FrozenClock
from tests.support.http import serving
from tests.support.raw_calls import Wire, wired
from tests.support.respondents import Respondents
from tests.support.strange import Call

GUESSES, WIRES = 20_000, 17
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}


@contextmanager
def counted(site: Respondents) -> Iterator[list[str]]:
    """The statements that the pages send to PostgreSQL meanwhile."""
    seen: list[str] = []
    engine = site.app.state.pages.database.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "outgoing" not in statement:  # the sender looks by itself
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def forged(site: Respondents) -> dict[str, str]:
    """Tokens that the page of surveys does not know."""
    good = site.tokens.made(Purpose.ASK, uuid4().bytes)
    last = "A"
    if good[-1] == "A":
        last = "B"
    return {
        "forged": good[:-1] + last,
        "other purpose": site.tokens.made(Purpose.REVIEW, uuid4().bytes),
        "unsubscribe": site.tokens.made(Purpose.UNSUBSCRIBE, uuid4().bytes),
        "short": "abc",
        "alphabet": "!" * 44,
    }


async def test_all_unknown_tokens_get_the_same_answer_without_a_query(site: Respondents) -> None:
    with counted(site) as statements:
        answers = [await site.client.get(f"/s/{token}") for token in forged(site).values()]
        answers.append(await site.client.post(f"/s/{forged(site)['forged']}", data={"score": "9"}))
        answers.append(await site.client.get(f"/u/{forged(site)['forged']}"))
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert "We do not know this link" in answers[0].text
    assert statements == []


async def test_twenty_thousand_unknown_tokens_cause_no_query_while_a_friend_is_served(
    site: Respondents, clock: FrozenClock
) -> None:
    """Over many connections to a real server, all of one network, as is the friend. The pages have connections to
    PostgreSQL of their own, so that what they ask is counted alone."""
    friend = Call("a friend", "GET", site.link(await site.ask()).encode())
    pages = site.app.state.pages
    database = Database(site.environment.database_url, "outreach", pool_size=2)
    site.app.state.pages = replace(pages, database=database, strangers=Strangers(clock))
    try:
        async with serving(site.app, lifespan="off") as url, wired(url, {}, WIRES) as wires:
            assert (await wires[0].send(friend)).status == 200
            with counted(site) as statements:
                statuses: list[int] = []

                async def guess(wire: Wire, first: int) -> None:
                    for place in range(first, GUESSES, WIRES - 1):
                        target = f"/s/{place:044d}".encode()
                        statuses.append((await wire.send(Call("a guess", "GET", target))).status)

                visits = 0
                guessing = asyncio.gather(*(guess(wire, first) for first, wire in enumerate(wires[1:])))
                while not guessing.done():
                    assert (await wires[0].send(friend)).status == 200
                    visits += 1
                await guessing
            assert len(statuses) == GUESSES
            assert statuses.count(404) == MOST
            assert statuses.count(429) == GUESSES - MOST
            assert len(statements) == visits, "a page is one statement, a guess none"
            refused = await wires[0].send(Call("a guess", "GET", b"/s/x"))
            assert (refused.status, int(refused.headers["retry-after"]) > 0) == (429, True)
            clock.advance(WINDOW)
            assert (await wires[0].send(Call("a guess", "GET", b"/s/x"))).status == 404
    finally:
        site.app.state.pages = pages
        await database.close()


async def test_every_page_has_its_headers_and_is_small(site: Respondents, clock: FrozenClock) -> None:
    ask_id, over = await site.ask(), await site.ask(closes_at=clock.now())
    pages: list[httpx.Response] = [
        await site.client.get(site.link(ask_id)),
        await site.client.get(site.link(over)),
        await site.client.get(site.stop_link("ada@acme.example")),
        await site.client.get(f"/s/{'x' * 44}"),
        await site.post(site.link(ask_id), step="score"),
        await site.post(site.link(ask_id), score="9", step="score"),
        await site.client.get(site.link(ask_id), params={"step": "details", "for": "promoter"}),
    ]
    for page in pages:
        assert {name: page.headers.get(name) for name in HEADERS} == HEADERS, page.url
        assert "set-cookie" not in page.headers
        assert len(page.content) + len(STYLE) < 20_000
    style = await site.client.get(f"/s/{STYLE_NAME}")
    assert (style.status_code, style.content) == (200, STYLE)
    assert style.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"score=9&comment=" + b"x" * 65_536, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"q.%d=1" % place for place in range(21)), "application/x-www-form-urlencoded", 400),
        (b'{"score": 9}', "application/json", 415),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 422),
        (b"score=9", "multipart/form-data", 400),
    ],
)
async def test_only_small_forms_are_read(site: Respondents, content: bytes, kind: str, status: int) -> None:
    ask_id = await site.ask()
    answer = await site.client.post(site.link(ask_id), content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert (await site.asked(ask_id))["revision"] == 0


async def test_tokens_stand_in_no_metric(site: Respondents) -> None:
    ask_id = await site.ask()
    link = site.link(ask_id)
    await site.client.get(link, params={"s": "9"})
    exposed = metrics.exposition().decode()
    assert 'route="/s/{token}"' in exposed
    assert link.rpartition("/")[2] not in exposed


async def test_the_page_works_on_a_real_server(site: Respondents) -> None:
    ask_id = await site.ask()
    async with serving(site.app, lifespan="off") as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        assert (await client.head(site.link(ask_id))).status_code == 200
        answer = await client.post(site.link(ask_id), data={"score": "9", "step": "score"})
        assert answer.status_code == 303
        shown = await client.get(site.link(ask_id) + answer.headers["location"])
        assert "What do you value most" in shown.text


def test_a_network_may_try_sixty_times_a_minute(clock: FrozenClock) -> None:
    strangers = Strangers(clock)
    assert [strangers.wait(f"198.51.100.{place}") for place in range(MOST)] == [0] * MOST
    assert strangers.wait("198.51.100.250") == 60
    assert strangers.wait("198.51.101.1") == 0
    for place in range(MOST):
        assert strangers.wait(f"2001:db8:1:{place:x}::1") == 0
    assert strangers.wait("2001:db8:1:ffff::1") > 0
    assert strangers.wait("::ffff:198.51.100.9") > 0
