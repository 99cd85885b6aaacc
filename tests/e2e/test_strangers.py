"""Requests of strangers with a publishable key change nobody else's answer, stop no service, and reveal nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.alerting.app import build as alerting
from services.cli.reconcile import read_lines
from services.collector.app import build as collector
from services.scorer.app import build as scorer
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually

pytestmark = pytest.mark.slow
PAGE = {"origin": "https://app.acme.example"}
PERSON = {"account_id": "acme", "stakeholder_id": "ann"}
ANSWER: dict[str, Any] = PERSON | {"response_id": "r1", "survey_type": "nps", "score": 9, "comment": "Always on time."}


@dataclass
class World:
    """Collector, scorer and alerting, with a key of all scopes and a publishable key of a page."""

    environment: Environment
    collector: httpx.AsyncClient
    scorer: httpx.AsyncClient
    page: dict[str, str]
    sent: int = 0

    async def post(self, **fields: Any) -> dict[str, Any]:
        """Post a response from a page."""
        answer = await self.collector.post("/v1/responses", json=ANSWER | fields, headers=self.page)
        assert answer.status_code == 202, answer.text
        self.sent += 1
        return dict(answer.json())

    async def amend(self, taken: dict[str, Any], **changes: Any) -> None:
        """Amend a response from a page with its token."""
        body = {"account_id": "acme", "amend_token": taken["amend_token"]} | changes
        answer = await self.collector.patch(f"/v1/responses/{taken['response_id']}", json=body, headers=self.page)
        assert answer.status_code == 202, answer.text
        self.sent += 1

    async def read(self) -> dict[str, int]:
        """The outcomes in all services once they have read all records."""

        async def all_read() -> dict[str, int]:
            lines = await read_lines(self.environment.common, ["scorer", "alerting"])
            lines = [line for line in lines if line.topic == "responses"]
            outcomes: dict[str, int] = {}
            for line in lines:
                for name, count in line.outcomes.items():
                    outcomes[name] = outcomes.get(name, 0) + count
            return outcomes if sum(line.read for line in lines) == 2 * self.sent else {}

        return await eventually(all_read, 60)

    async def answer(self) -> dict[str, Any]:
        """The answer as the scorer shows it."""
        found = await self.scorer.get("/v1/responses/r1")
        assert found.status_code == 200, found.text
        return dict(found.json())


@pytest.fixture
async def world(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    common = environment.common.model_copy(update={"dead_letter_limit": 1})
    headers = bearer(await api_key(environment, ["ingest", "read", "manage"]))
    async with (
        running(collector(common)) as taking,
        running(scorer(common)) as scoring,
        running(alerting(common)),
    ):
        for client in (taking, scoring):
            client.headers.update(headers)
        wanted = {"name": "pages", "publishable": True, "origins": [PAGE["origin"]]}
        made = (await taking.post("/v1/keys", json=wanted)).json()
        yield World(environment, taking, scoring, bearer(made["key"]) | PAGE)


async def test_a_stranger_who_knows_id_account_and_person_cannot_rewrite_an_answer(world: World) -> None:
    await world.post()
    stranger = await world.post(comment="I was here", score=8)
    await world.amend(stranger, comment="owned")
    assert (await world.read())["conflict"] == 2
    found = await world.answer()
    assert (found["score"], found["comment"]) == (9, "Always on time.")


async def test_a_page_whose_first_answer_was_lost_posts_again_and_amends(world: World) -> None:
    await world.post()
    await world.amend(await world.post(), comment="Always on time, and friendly.")
    assert "conflict" not in {name for name, count in (await world.read()).items() if count}
    assert (await world.answer())["comment"] == "Always on time, and friendly."


async def test_amendments_that_do_not_fit_stop_nobody_and_their_sender_learns_that_they_were_not_taken(
    world: World,
) -> None:
    """Past the limit of dead letters, which is 1 here, a service halts; nothing that a client sends counts towards
    it."""
    key = bearer(await api_key(world.environment, ["ingest"]))
    ids = set()
    for response_id in ("r1", "later"):
        for score in (8, 9, 10):
            body = {"account_id": "acme", "score": score}
            answer = await world.collector.patch(f"/v1/responses/{response_id}", json=body, headers=key)
            ids.add(answer.json()["event_id"])
    world.sent += 6
    for response_id in ("r1", "later"):
        await world.post(response_id=response_id, survey_type="csat", score=4)
    for score in (8, 9, 10):
        body = {"account_id": "acme", "score": score}
        ids.add((await world.collector.patch("/v1/responses/r1", json=body, headers=key)).json()["event_id"])
    world.sent += 3
    assert (await world.read())["dead_lettered"] == 0
    assert (await world.answer())["score"] == 4
    items = (await world.scorer.get("/v1/conflicts", headers=key)).json()["items"]
    assert {item["event_id"] for item in items} == ids
    assert {(item["reason"], item["account_id"]) for item in items} == {("not_taken", "acme")}
    assert {item["reason"] for item in (await world.scorer.get("/v1/conflicts")).json()["items"]} == {"invalid_change"}
    assert (await world.scorer.get("/v1/conflicts", headers=world.page)).status_code == 403
