"""Every service as a real process with a little of everything in it, for tests that send anything to any of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from shared.http.problem import MEDIA_TYPE, Problem
from tests.integration.outreach.survey_desk import LEGAL
from tests.support.environment import Environment
from tests.support.installation import SERVICES, Installation, installed
from tests.support.polling import eventually
from tests.support.raw_calls import Answer, Wire
from tests.support.strange import Call, Operation, operations_of

ANSWERS = ((9, 8), (9, 3), (2, 10))
"""Scores of a person, the earlier one first: changes of category."""


@dataclass(frozen=True)
class House:
    """The installation, and names of what is in it: parameter → value."""

    installation: Installation
    known: Mapping[str, str]
    operations: Mapping[str, list[Operation]] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def furnished(environment: Environment, logs: Path) -> AsyncIterator[House]:
    """The house, once what was put into it has arrived everywhere."""
    async with installed(environment, logs) as installation:
        known = await _fill(installation)
        documents = {name: await installation.get(name, "/openapi.json") for name in SERVICES}
        yield House(installation, known, {name: operations_of(documents[name]) for name in SERVICES})


async def _fill(installation: Installation) -> dict[str, str]:
    await _tell_the_collector(installation.collector)
    alerting, benchmark = installation.alerting, installation.benchmark
    await eventually(lambda: _has(installation.scorer, "/v1/changes", 2), 60)
    endpoints = [
        await _made(alerting, "/v1/webhook-endpoints", {"url": f"http://127.0.0.1:9/{name}"}) for name in ("a", "b")
    ]
    tasks = [
        await _made(alerting, "/v1/follow-ups", {"account_id": "acme", "stakeholder_id": "ann", "kind": kind})
        for kind in ("call", "visit")
    ]
    deliveries = f"/v1/webhook-endpoints/{endpoints[0]['id']}/deliveries"
    await eventually(lambda: _has(alerting, deliveries, 2), 60)
    line = {"industry": "logistics", "nps": 38, "n": 410}
    for source in ("one", "two"):
        await _made(benchmark, "/v1/benchmarks/sets", {"source": source, "year": 2026, "benchmarks": [line]})
        await _made(benchmark, "/v1/maturity", {"answers": {}})
    imports = [await _imported(installation.collector, name) for name in ("delta", "gamma")]
    return await _ask(installation.outreach) | {
        "account_id": "acme",
        "stakeholder_id": "ann",
        "response_id": "r-0-1",
        "endpoint_id": str(endpoints[0]["id"]),
        "follow_up_id": str(tasks[0]["follow_up_id"]),
        "delivery_id": str((await installation.get("alerting", deliveries))["items"][0]["id"]),
        "import_id": str(imports[0]["id"]),
        "key_id": str((await _made(installation.collector, "/v1/keys", {"name": "x", "scopes": ["read"]}))["id"]),
        "rule": "detractor",
    }


async def _tell_the_collector(collector: httpx.AsyncClient) -> None:
    for account in ("acme", "beta"):
        body = {"name": account.title(), "renewal_on": "2027-01-31", "annual_revenue": {"amount": 5, "currency": "EUR"}}
        assert (await collector.put(f"/v1/accounts/{account}", json=body)).is_success
        for person in ("ann", "bob"):
            path = f"/v1/accounts/{account}/stakeholders/{person}"
            assert (await collector.put(path, json={"name": person.title()})).is_success
    now = datetime.now(UTC)
    answers = [
        {
            "response_id": f"r-{pair}-{turn}",
            "account_id": ("acme", "beta")[pair % 2],
            "stakeholder_id": ("ann", "bob")[pair // 2],
            "survey_type": "nps",
            "score": score,
            "answered_at": (now - timedelta(days=2 - turn)).isoformat(),
        }
        for pair, scores in enumerate(ANSWERS)
        for turn, score in enumerate(scores)
    ]
    posted = await collector.post("/v1/responses/batch", json={"responses": answers})
    assert posted.json()["accepted"] == len(answers), posted.text


async def _imported(collector: httpx.AsyncClient, account_id: str) -> Any:
    content = f"account_id,name\n{account_id},{account_id.title()}\n".encode()
    answer = await collector.post("/v1/imports", data={"kind": "accounts"}, files={"file": content})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def _ask(outreach: httpx.AsyncClient) -> dict[str, str]:
    """Surveys in two versions, links, objections and business reviews; returns what names them."""
    surveys = []
    for us in ("Supplier", "Supplier Ltd"):
        survey = await _made(outreach, "/v1/surveys", {"template": "review", "us": us, "legal": LEGAL})
        path = f"/v1/surveys/{survey['survey_id']}"
        await _made(outreach, f"{path}/publish", {})
        assert (await outreach.patch(path, json={"name": f"Of {us}"})).is_success
        assert (await outreach.patch(path, json={"us": f"{us} and partners"})).is_success
        await _made(outreach, f"{path}/publish", {})
        surveys.append(str(survey["survey_id"]))
    await _made(outreach, "/v1/suppressions", {"addresses": ["a@other.example", "b@other.example"]})
    objections = (await outreach.get("/v1/suppressions")).json()["items"]
    for token in ("b+one", "b+two"):
        await _made(outreach, "/v1/bounces", {"token": token, "kind": "hard", "at": "2026-03-01T09:00:00Z"})
    people = [{"account_id": "acme", "stakeholder_id": person} for person in ("ann", "bob")]
    wanted = {"people": people, "override_quarantine": "A test asks whoever answered yesterday."}
    await eventually(lambda: _takes(outreach, f"/v1/surveys/{surveys[0]}/links", wanted), 60)
    held = {"account_id": "acme", "survey_id": surveys[0], "held_on": datetime.now(UTC).date().isoformat()}
    reviews = [
        await _made(outreach, "/v1/business-reviews", held | {"recipients": [{"stakeholder_id": person}]})
        for person in ("ann", "bob")
    ]
    programme = {"name": "Relationship", "survey_id": surveys[0], "when": {"type": "cadence"}}
    programmes = [await _made(outreach, "/v1/programmes", programme) for _ in range(2)]
    changed = {"account_id": "acme", "changed": "A second driver now has the night route."}
    for _ in range(2):
        await eventually(lambda: _takes(outreach, "/v1/loop-backs", changed, "nobody_answered"), 60)
    asks = (await outreach.get("/v1/asks")).json()["items"]
    return {
        "survey_id": surveys[0],
        "version": "1",
        "ask_id": str(asks[0]["ask_id"]),
        "suppression_id": str(objections[0]["suppression_id"]),
        "review_id": str(reviews[0]["review_id"]),
        "programme_id": str(programmes[0]["programme_id"]),
    }


async def _takes(client: httpx.AsyncClient, path: str, body: Mapping[str, Any], not_yet: str = "") -> bool:
    """Whether it is taken. It may be too early: 503, or the problem `not_yet`."""
    answer = await client.post(path, json=body)
    assert answer.is_success or answer.status_code == 503 or answer.json()["code"] == not_yet, answer.text
    return answer.is_success


async def _made(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> Any:
    answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def _has(client: httpx.AsyncClient, path: str, count: int) -> bool:
    answer = await client.get(path)
    assert answer.is_success, answer.text
    return len(answer.json()["items"]) >= count


async def sent(wires: Iterable[Wire], calls: Iterable[Call]) -> list[tuple[Call, Answer]]:
    """The answers to all calls, a few at a time."""
    waiting, answers = iter(calls), []

    async def work(wire: Wire) -> None:
        for call in waiting:
            answers.append((call, await wire.send(call)))

    await asyncio.gather(*(work(wire) for wire in wires))
    return answers


def fault_of(answer: Answer) -> str | None:
    """What is wrong with an answer of an API."""
    if answer.status >= 500:
        return f"{answer.status} {answer.body[:300]!r}"
    if answer.status >= 400:
        if answer.kind != MEDIA_TYPE:
            return f"{answer.status} as {answer.kind}: {answer.body[:300]!r}"
        Problem.model_validate(answer.json())
    return None
