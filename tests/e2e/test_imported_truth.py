"""What an import says is true: a file that comes again edited, its report, its undoing, and an export imported anew."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.collector.app import build as collector
from services.scorer.app import build as scorer
from shared.kafka.partition import partition_of
from shared.topics import RESPONSES
from tests.support.environment import PARTITIONS, Environment
from tests.support.http import api_key, bearer, running
from tests.support.polling import eventually
from tests.support.processes import run_tellback

pytestmark = pytest.mark.slow
HEADER = "response_id,account_id,stakeholder_id,score,comment,date\n"
ROWS = "r1,acme,ann,9,fine,2026-05-01\nr2,acme,bob,3,late,2026-05-02\nr3,acme,cas,7,,2026-05-03\n"


class Tellback(NamedTuple):
    """Collector and scorer."""

    door: httpx.AsyncClient
    figures: httpx.AsyncClient

    async def taken(self, content: bytes, **form: str) -> dict[str, Any]:
        """What the scorer says of a file once all its rows have come there."""
        files = {"file": ("answers.csv", content)}
        sent = await self.door.post("/v1/imports", data={"kind": "responses"} | form, files=files)
        assert sent.status_code == 202, sent.text

        async def settled() -> dict[str, Any]:
            job = (await self.door.get(sent.headers["location"])).json()
            rows: dict[str, Any] = (await self.figures.get(sent.headers["location"])).json()
            assert job["bad"] == 0, job["problems"]
            return rows if job["state"] == "done" and rows["read"] == job["taken"] else {}

        return await eventually(settled, 30)

    async def answer(self, response_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.figures.get(f"/v1/responses/{response_id}")).json()
        return found


@asynccontextmanager
async def tellback(environment: Environment) -> AsyncIterator[Tellback]:
    headers = bearer(await api_key(environment, ["ingest", "read", "manage", "erase"]))
    async with running(collector(environment.common)) as door, running(scorer(environment.common)) as figures:
        door.headers.update(headers)
        figures.headers.update(headers)
        yield Tellback(door, figures)


async def test_an_edited_file_changes_what_is_known_but_not_what_a_call_has_set(environment: Environment) -> None:
    async with tellback(environment) as here:
        assert (await here.taken((HEADER + ROWS).encode()))["new"] == 3
        amended = await here.door.patch("/v1/responses/r2", json={"account_id": "acme", "comment": "never mind"})
        assert amended.status_code == 202

        async def applied() -> bool:
            return bool((await here.answer("r2"))["comment"] == "never mind")

        await eventually(applied)
        edited = ROWS.replace("r1,acme,ann,9,fine", "r1,acme,ann,4,").replace(
            ",3,late,2026-05-02", ",3,late,2026-05-09"
        )
        other = "r3,acme,dan,1,,2026-05-03\nr4,acme,dan,8,,2026-05-03\n"
        rows = await here.taken((HEADER + edited + other).encode())
        counts = {name: rows[name] for name in ("new", "amended", "same", "kept", "conflict", "gone")}
        assert counts == {"new": 1, "amended": 1, "same": 1, "kept": 1, "conflict": 1, "gone": 0}
        assert [(line["line"], line["outcome"], line["code"], line["fields"]) for line in rows["lines"]] == [
            (2, "amended", "", []),
            (3, "kept", "kept_here", ["answered_at", "comment"]),
            (5, "conflict", "row_of_another", []),
        ]
        first, second = await here.answer("r1"), await here.answer("r2")
        assert (first["score"], first["comment"]) == (4, "fine"), "an empty cell clears nothing"
        assert (second["comment"], second["answered_at"][:10]) == ("never mind", "2026-05-02")

        undone = await here.door.post(f"/v1/imports/{rows['import_id']}/undo")
        assert undone.status_code == 200

        async def as_before() -> bool:
            return bool((await here.answer("r1"))["score"] == 9 and (await here.answer("r4"))["withdrawn"])

        await eventually(as_before)
        assert (await here.taken((HEADER + "r4,acme,dan,6,,2026-05-03\n").encode()))["new"] == 1
        assert (await here.answer("r4"))["withdrawn"] is False


async def test_another_body_under_an_idempotency_key_is_a_conflict_that_its_sender_reads(
    environment: Environment,
) -> None:
    body = {"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps"}
    async with tellback(environment) as here:
        sender = bearer(await api_key(environment, ["ingest"]))
        answers = []
        for score in (9, 1):
            headers = sender | {"Idempotency-Key": "K1"}
            answers.append(await here.door.post("/v1/responses", json=body | {"score": score}, headers=headers))
        first, second = [answer.json() for answer in answers]

        async def told() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await here.figures.get("/v1/conflicts", headers=sender)).json()["items"]
            return found

        [conflict] = await eventually(told)
        assert (conflict["reason"], conflict["response_id"]) == ("not_taken", second["response_id"])
        assert (await here.answer(first["response_id"]))["score"] == 9


async def test_an_export_imported_into_a_fresh_tellback_gives_the_same_figures(
    environment: Environment, module_environment: Environment
) -> None:
    ann = {"account_id": "acme", "stakeholder_id": "ann", "survey_type": "nps", "score": 9}
    answers = [
        {"question_id": "q1", "type": "rating", "attribute": "speed", "value": 4},
        {"question_id": "q2", "type": "text", "value": 'all, of "it"'},
    ]
    items = [
        ann | {"response_id": "1", "comment": "good", "attributes": {"plan": "gold", "seats": 3}, "answers": answers},
        ann | {"response_id": "2", "stakeholder_id": "bob", "score": 2, "touchpoint": "support"},
        ann | {"response_id": "3", "stakeholder_id": "cas", "score": 8},
        ann | {"response_id": "4", "stakeholder_id": "dan", "score": 1},
        ann | {"response_id": "5", "stakeholder_id": "eve", "score": 0, "test": True},
    ]
    async with tellback(environment) as here, tellback(module_environment) as fresh:
        posted = await here.door.post("/v1/responses/batch", json={"responses": items})
        assert posted.status_code == 200, posted.text
        gone = await here.door.delete("/v1/responses/4", params={"account_id": "acme"})
        assert gone.status_code == 202

        async def there() -> bool:
            return (await here.answer("4")).get("withdrawn") is True and "score" in await here.answer("5")

        await eventually(there)
        for tests in ("false", "true"):
            exported = await here.figures.get("/v1/exports/responses.csv", params={"test": tests})
            rows = await fresh.taken(exported.content)
            assert rows["new"] == rows["read"]

        async def same() -> bool:
            path = "/v1/accounts/acme/score"
            figures = [(await installation.figures.get(path)).json() for installation in (here, fresh)]
            kept = [{name: found.get(name) for name in ("nps", "response_count", "mean_score")} for found in figures]
            return kept[0] == kept[1] and kept[0]["response_count"] == 3

        await eventually(same, 30)
        for item in items[:3] + items[4:]:
            first, second = [await installation.answer(str(item["response_id"])) for installation in (here, fresh)]
            for name in ("recorded_at", "updated_at", "revision"):
                del first[name], second[name]
            assert second == first | {"channel": "import"}
        assert (await fresh.figures.get("/v1/responses/4")).status_code == 404


async def most_bytes(environment: Environment, number: int) -> None:
    """Let Kafka refuse responses that take more bytes."""
    client = AIOKafkaAdminClient(**environment.kafka.options())
    await client.start()
    try:
        topic = environment.topic_prefix + RESPONSES.name
        config = {"max.message.bytes": str(number)}
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])
    finally:
        await client.close()


def in_partition(wanted: int) -> str:
    """The id of an account whose records are in this partition."""
    names = (f"account-{number}" for number in range(1_000))
    return next(name for name in names if partition_of(name, PARTITIONS) == wanted)


async def test_a_row_that_kafka_refuses_and_an_operator_drops_is_bad_and_the_import_settles(
    environment: Environment,
) -> None:
    refused, small = in_partition(0), in_partition(1)
    rows = [f"r{number},{refused},ann,9,{secrets.token_hex(4_000)},2026-05-0{number}\n" for number in (1, 2, 3)]
    content = HEADER + "".join(rows) + f"r4,{small},bob,3,late,2026-05-02\n"
    async with tellback(environment) as here:
        await most_bytes(environment, 2_000)
        sent = await here.door.post(
            "/v1/imports", data={"kind": "responses"}, files={"file": ("answers.csv", content.encode())}
        )
        path = sent.headers["location"]

        async def parked() -> list[str]:
            letters = (await here.door.get("/v1/dead-letters", params={"reason": "unpublishable"})).json()["items"]
            return [letter["id"] for letter in sorted(letters, key=lambda letter: letter["offset"])]

        async def all_parked() -> list[str]:
            found = await parked()
            return found if len(found) == 3 else []

        async def halves() -> tuple[dict[str, Any], dict[str, Any]]:
            return (await here.door.get(path)).json(), (await here.figures.get(path)).json()

        async def the_small_one_is_read() -> bool:
            job, seen = await halves()
            return (job["state"], job["taken"], job["bad"], seen["read"]) == ("done", 4, 0, 1)

        async def settled() -> tuple[dict[str, Any], dict[str, Any]] | None:
            job, rows = await halves()
            return (job, rows) if job["taken"] == rows["read"] else None

        by_call, by_command, published = await eventually(all_parked, 60)
        assert await eventually(the_small_one_is_read, 60)

        await most_bytes(environment, RESPONSES.max_message_bytes)
        assert (await here.door.post(f"/v1/dead-letters/{published}/replay")).status_code == 202
        assert (await here.door.delete(f"/v1/dead-letters/{by_call}")).status_code == 204
        assert (await run_tellback(environment, "dlq", "drop", by_command)).returncode == 0
        job, seen = await eventually(settled, 60)
        assert (job["taken"], job["bad"], seen["new"]) == (2, 2, 2)
        problems = [(problem["line"], problem["outcome"], problem["code"]) for problem in job["problems"]]
        assert problems == [(2, "bad", "unpublishable"), (3, "bad", "unpublishable")]
        assert (await here.door.delete(f"/v1/dead-letters/{published}")).status_code == 204
        assert (await halves())[0] == job, "one that was published after all is no lost row"
