"""One response_id sent to two collectors at the same moment: it counts once, and a contradicting response is parked."""

import asyncio
from typing import Any

import httpx
import pytest

from services.cli.reconcile import read_lines
from services.collector.app import build as collector
from services.scorer.app import build as scorer
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

pytestmark = pytest.mark.slow
TIMES = 5


def answer(response_id: str, score: int) -> dict[str, Any]:
    return {
        "response_id": response_id,
        "account_id": "acme",
        "stakeholder_id": "ann",
        "survey_type": "nps",
        "score": score,
    }


async def test_one_row_and_the_other_body_is_parked(environment: Environment) -> None:
    headers = bearer(await api_key(environment, ["ingest", "read"]))
    async with (
        running(collector(environment.common)) as first,
        running(collector(environment.common)) as second,
        running(scorer(environment.common)) as api,
    ):
        for client in (first, second, api):
            client.headers.update(headers)
        same = [post(client, answer("same", 9)) for _ in range(TIMES) for client in (first, second)]
        differing = [post(first, answer("differs", 9)), post(second, answer("differs", 2))]
        assert {status for status in await asyncio.gather(*same, *differing)} == {202}

        async def all_read() -> bool:
            lines = await read_lines(environment.common, ["scorer"])
            assert [line for line in lines if line.faults] == []
            return sum(line.read for line in lines) == 2 * TIMES + 2

        await eventually(all_read, 30)
        [conflict] = (await api.get("/v1/conflicts")).json()["items"]
        assert (conflict["reason"], conflict["detail"]) == ("response_id_taken", "differs in score")
        asked = {"window": "all", "method": "all"}
        figures = (await api.get("/v1/accounts/acme/score", params=asked)).json()
        assert (figures["response_count"], figures["stakeholder_count"]) == (2, 1)
        lines = [line for line in await read_lines(environment.common, ["scorer"]) if line.read]
        outcomes = {name: sum(line.outcomes[name] for line in lines) for name in ("new", "repeat", "conflict")}
        assert outcomes == {"new": 2, "repeat": 2 * TIMES - 1, "conflict": 1}


async def post(client: httpx.AsyncClient, body: dict[str, Any]) -> int:
    return (await client.post("/v1/responses", json=body)).status_code
