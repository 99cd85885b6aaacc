"""The benchmark API on real PostgreSQL and Kafka; the scorer is a real HTTP server that answers what a test says."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from services.benchmark.app import build
from services.benchmark.gateways.scorer import Scorer
from shared.db.engine import Database
from shared.events.directory import AccountUpserted
from shared.events.envelope import Event
from shared.events.scores import AccountScoreChanged
from shared.ids import uuid7
from shared.kafka.producer import Publisher
from shared.records import OutRecord
from shared.topics import ACCOUNT_SCORE_CHANGED, ACCOUNT_SCORES, ACCOUNT_UPSERTED, DIRECTORY
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class FigureServer:
    """The scorer's API with fixed figures: +50 now, +44 a year ago, nothing before that."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, list[str]], str]] = []
        self.down = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        query = parse_qs(scope["query_string"].decode())
        self.asked.append((scope["path"], query, headers[b"authorization"].decode()))
        status, body = self._answer(scope["path"], query)
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    def _answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        if self.down:
            return 500, {}
        if "unknown" in path:
            return 404, {"code": "account_not_found", "detail": "no such account"}
        nps = 44.0 if query.get("as_of", ["2026"])[0] < "2026" else 50.0
        figures = {"nps": nps, "response_count": 20, "stakeholder_count": 20, "window": "365d", "method": "latest"}
        if path.startswith("/v1/accounts/"):
            return 200, figures
        groups = [figures | {"group": {"industry": slug}} for slug in ("logistics", "space", None)]
        return 200, {"window": "365d", "groups": groups if "group_by" in query else [figures | {"group": {}}]}


@pytest.fixture
def figures() -> FigureServer:
    return FigureServer()


@pytest.fixture
async def client(environment: Environment, figures: FigureServer) -> AsyncIterator[httpx.AsyncClient]:
    scorer = Scorer("http://scorer.test", httpx.ASGITransport(app=figures))
    async with running(build(environment.common, FrozenClock(NOW), scorer)) as client:
        client.headers.update(bearer(await api_key(environment, ["read"])))
        yield client


async def publish(environment: Environment, *records: OutRecord) -> None:
    publisher = Publisher(environment.kafka, environment.topic_prefix)
    await publisher.start()
    await publisher.send_many(records)
    await publisher.stop()


def account(account_id: str, industry: str | None) -> OutRecord:
    data = AccountUpserted(account_id=account_id, industry=industry, event_id=uuid7(), recorded_at=NOW)
    return OutRecord.of(DIRECTORY, Event(data.event_id, ACCOUNT_UPSERTED, "/tests", NOW, account_id, data))


async def test_the_six_industries_of_both_years_are_shipped_with_their_source(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/benchmarks")).json()["items"]
    figures = {(item["industry"], item["year"]): item["nps"] for item in items}
    assert figures == {
        ("facilities_management", 2025): 32,
        ("facilities_management", 2026): 41,
        ("contract_catering", 2025): 32,
        ("contract_catering", 2026): 39,
        ("logistics", 2025): 43,
        ("logistics", 2026): 41,
        ("manufacturing", 2025): 46,
        ("manufacturing", 2026): 49,
        ("bpo", 2025): 48,
        ("bpo", 2026): 52,
        ("it_services", 2025): 40,
        ("it_services", 2026): 42,
    }
    assert {item["source"] for item in items} == {"Clientshare"}


@pytest.mark.parametrize("name", ["logistics", "Logistics", "freight", "LOGISTICS!"])
async def test_an_industry_is_known_by_slug_name_and_synonym(client: httpx.AsyncClient, name: str) -> None:
    items = (await client.get("/v1/benchmarks", params={"industry": name, "year": 2026})).json()["items"]
    assert [(item["industry"], item["nps"]) for item in items] == [("logistics", 41)]


async def test_an_account_against_its_past_and_its_industry(
    environment: Environment, client: httpx.AsyncClient, figures: FigureServer
) -> None:
    await publish(environment, account("acme", "logistics"))

    async def known() -> dict[str, Any] | None:
        body: dict[str, Any] = (await client.get("/v1/comparisons/accounts/acme")).json()
        return body if body["industry"] else None

    found = await eventually(known, timeout=20)
    assert found["account_id"] == "acme"
    assert found["figures"]["nps"] == 50
    assert (found["benchmark"]["set"], found["benchmark"]["nps"]) == ("clientshare-2026", 41)
    assert (found["gap"], found["own_change"], found["benchmark_change"]) == (9, 6, -2)
    assert found["past"]["year"] == {"nps": 44, "response_count": 20, "change": 6}
    assert found["sentence"].startswith("+50 from 20 people, up 6 on last year while the industry lost 2, 9 above")
    asked_by = {authorization for _, _, authorization in figures.asked}
    assert asked_by == {client.headers["authorization"]}


async def test_the_portfolio_by_industry(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/comparisons/portfolio", params={"group_by": "industry"})).json()
    groups = {group["group"]["industry"]: group for group in body["groups"]}
    assert groups["logistics"]["gap"] == 9
    assert "no_published_benchmark" in groups["space"]["warnings"]
    assert "no_industry" in groups[None]["warnings"]


async def test_the_whole_portfolio_has_its_own_past_and_no_industry(client: httpx.AsyncClient) -> None:
    (group,) = (await client.get("/v1/comparisons/portfolio")).json()["groups"]
    assert group["group"] == {}
    assert (group["benchmark"], group["own_change"]) == (None, 6)


async def test_what_the_scorer_does_not_show_is_not_found_here(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/comparisons/accounts/unknown")
    assert (answer.status_code, answer.json()["code"]) == (404, "account_not_found")


async def test_a_scorer_that_fails_is_said_to_be_away(client: httpx.AsyncClient, figures: FigureServer) -> None:
    figures.down = True
    answer = await client.get("/v1/comparisons/accounts/acme")
    assert (answer.status_code, answer.json()["code"]) == (503, "scorer_unavailable")
    assert answer.headers["retry-after"]


@pytest.mark.parametrize("query", [{"window": "0d"}, {"method": "best"}, {"as_of": "2026-01-01"}, {"year": "1"}])
async def test_bad_questions_are_refused(client: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert (await client.get("/v1/comparisons/accounts/acme", params=query)).status_code == 422


async def test_the_highest_sequence_of_a_snapshot_stands(environment: Environment, client: httpx.AsyncClient) -> None:
    def snapshot(sequence: int, nps: float) -> OutRecord:
        data = AccountScoreChanged(
            account_id="acme",
            sequence=sequence,
            computed_at=NOW,
            account_class="steady",
            figures={"365d": {"latest": {"nps": nps}}},
        )
        event = Event(uuid7(), ACCOUNT_SCORE_CHANGED, "/tests", NOW, "acme", data)
        return OutRecord.of(ACCOUNT_SCORES, event)

    await publish(environment, snapshot(2, 20.0), snapshot(3, 30.0), snapshot(1, 10.0))
    database = Database(environment.database_url, "benchmark")

    async def stored() -> bool:
        async with database.read() as tx:
            read = await tx.scalar("select sum(read_count) from cursors where topic like '%account-scores'")
            row = await tx.one("select sequence, figures from snapshots")
        assert read == 3
        assert row is not None
        return bool(row["sequence"] == 3 and row["figures"] == {"365d": {"latest": {"nps": 30.0}}})

    await eventually(stored, timeout=20)
    await database.close()
