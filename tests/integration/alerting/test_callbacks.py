"""A CRM calls back: signed as our webhooks are, each message once, and never a loop of errors."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from shared.ids import uuid7
from shared.topics import FOLLOW_UP_CLOSED
from tests.integration.alerting.cases import OLIVIA, Case
from tests.integration.alerting.running_alerting import RunningAlerting


@dataclass
class Crm:
    """A CRM that knows its endpoint and secret."""

    running_alerting: RunningAlerting
    endpoint_id: str
    secret: str

    async def send(self, body: Any, message_id: str | None = None, **changed: Any) -> httpx.Response:
        """A message; `changed` are headers, or `seconds` by which its clock is off, or `raw` bytes sent instead."""
        raw = json.dumps(body).encode()
        at = self.running_alerting.clock.now() + timedelta(seconds=changed.pop("seconds", 0))
        message_id = message_id or f"msg_{uuid7()}"
        secret = changed.pop("secret", self.secret)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(message_id, at, raw.decode()),
            "authorization": "",
        }
        raw = changed.pop("raw", raw)
        path = f"/v1/callbacks/{changed.pop('endpoint_id', self.endpoint_id)}"
        return await self.running_alerting.client.post(path, content=raw, headers=headers | changed.pop("headers", {}))


async def crm_of(running_alerting: RunningAlerting, description: str | None = None, **options: Any) -> Crm:
    body = {
        "url": "https://crm.example/hook",
        "event_types": ["account_score.dropped"],
        "description": description,
    }
    answer = await running_alerting.client.post("/v1/webhook-endpoints", json=body, **options)
    assert answer.status_code == 201, answer.text
    return Crm(running_alerting, answer.json()["id"], answer.json()["secret"])


@pytest.fixture
async def crm(alerting: RunningAlerting) -> Crm:
    return await crm_of(alerting)


@pytest.fixture
async def task(alerting: RunningAlerting, acme: Case) -> str:
    await alerting.emit(acme.account(), acme.answered("r1", 2))
    return str((await alerting.only(acme))["follow_up_id"])


async def test_a_crm_acknowledges_comments_and_closes(
    alerting: RunningAlerting, acme: Case, crm: Crm, task: str
) -> None:
    taken = await crm.send({"follow_up_id": task, "action": "acknowledge", "by": "Eve Example"})
    assert (taken.status_code, taken.json()["state"], taken.json()["changed"]) == (200, "acknowledged", True)
    await crm.send({"follow_up_id": task, "action": "comment", "by": "Eve Example", "comment": "called, no answer"})
    closing = {"outcome": "resolved", "what_was_done": "invoice corrected", "told_customer": True}
    closed = await crm.send({"follow_up_id": task, "action": "close"} | closing)
    assert (closed.json()["state"], closed.json()["outcome"]) == ("closed", "resolved")
    detail = await alerting.get(task)
    assert (detail["what_was_done"], detail["told_customer"]) == ("invoice corrected", True)
    lines = [(line["action"], line["actor"], line["comment"]) for line in detail["history"][1:]]
    assert lines == [
        ("acknowledged", f"crm:{crm.endpoint_id}", "Eve Example"),
        ("commented", f"crm:{crm.endpoint_id}", "Eve Example: called, no answer"),
        ("closed", f"crm:{crm.endpoint_id}", None),
    ]


async def test_the_same_message_again_changes_nothing_and_another_under_its_id_is_refused(
    alerting: RunningAlerting, crm: Crm, task: str
) -> None:
    body = {"follow_up_id": task, "action": "comment", "comment": "called"}
    first = await crm.send(body, "msg_1")
    again = await crm.send(body, "msg_1", seconds=30)
    assert (first.json()["changed"], again.json()["changed"], again.json()["repeated"]) == (True, False, True)
    assert again.json()["version"] == first.json()["version"]
    other = await crm.send(body | {"comment": "something else"}, "msg_1")
    assert (other.status_code, other.json()["code"]) == (409, "id_used_before")
    comments = [line for line in (await alerting.get(task))["history"] if line["action"] == "commented"]
    assert len(comments) == 1


async def test_what_is_so_already_is_no_error_and_is_told_once(
    alerting: RunningAlerting, acme: Case, crm: Crm, task: str
) -> None:
    for expected in (True, False):
        answer = await crm.send({"follow_up_id": task, "action": "close"})
        assert (answer.status_code, answer.json()["changed"]) == (200, expected)
    late = await crm.send({"follow_up_id": task, "action": "acknowledge"})
    assert (late.status_code, late.json()["changed"], late.json()["state"]) == (200, False, "closed")
    assert len(await alerting.published(acme, FOLLOW_UP_CLOSED)) == 1


async def test_a_stale_version_is_refused_and_may_be_sent_again(crm: Crm, task: str) -> None:
    await crm.send({"follow_up_id": task, "action": "acknowledge", "version": 1})
    stale = await crm.send({"follow_up_id": task, "action": "start", "version": 1}, "msg_stale")
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")
    again = await crm.send({"follow_up_id": task, "action": "start", "version": 1}, "msg_stale")
    assert again.json()["code"] == "stale_version", "a refused message is not taken down as done"


@pytest.mark.parametrize(("description", "name"), [("Salesforce", "Salesforce"), (None, "crm.example")])
async def test_the_history_names_the_crm(
    alerting: RunningAlerting, task: str, description: str | None, name: str
) -> None:
    crm = await crm_of(alerting, description=description)
    await crm.send({"follow_up_id": task, "action": "acknowledge"})
    opened, taken = (await alerting.get(task))["history"]
    assert (opened["actor"], opened["actor_name"]) == ("system", None)
    assert (taken["actor"], taken["actor_name"]) == (f"crm:{crm.endpoint_id}", name)


async def test_only_a_fresh_signature_with_a_live_secret_counts(alerting: RunningAlerting, crm: Crm, task: str) -> None:
    body = {"follow_up_id": task, "action": "acknowledge"}
    other = await crm_of(alerting)
    forged = [
        await crm.send(body, secret=other.secret),
        await crm.send(body, seconds=-301),
        await crm.send(body, seconds=301),
        await crm.send(body, raw=json.dumps(body | {"action": "close"}).encode()),
        await crm.send(body, headers={"webhook-signature": "v1,AAAA"}),
        await crm.send(body, headers={"webhook-signature": ""}),
        await crm.send(body, headers={"webhook-signature": "v1,not base64 v2,x"}),
        await crm.send(body, headers={"webhook-id": "msg_other"}),
        await crm.send(body, headers={"webhook-timestamp": "soon"}),
        await crm.send(body, raw=b"\xff\xfe"),
        await crm.send(body, endpoint_id="ep_unknown"),
        await crm.send("not even an object", secret=other.secret),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in forged} == {(401, "invalid_signature")}
    assert len({answer.json()["detail"] for answer in forged}) == 1
    assert (await alerting.get(task))["state"] == "open"

    rotated = (await alerting.client.post(f"/v1/webhook-endpoints/{crm.endpoint_id}/secret/rotate")).json()["secret"]
    for secret in (crm.secret, rotated):
        assert (await crm.send(body, secret=secret)).status_code == 200, "both sign while the old one has its grace"
    assert (await crm.send(body, headers={"webhook-signature": "v1,AAAA v1a,BBBB"})).status_code == 401
    await alerting.client.delete(f"/v1/webhook-endpoints/{crm.endpoint_id}")
    assert (await crm.send(body)).status_code == 401


async def test_a_disabled_endpoint_is_refused_and_its_message_may_be_sent_again_once_it_is_enabled(
    alerting: RunningAlerting, crm: Crm, task: str
) -> None:
    body = {"follow_up_id": task, "action": "acknowledge"}
    path = f"/v1/webhook-endpoints/{crm.endpoint_id}"
    assert (await alerting.client.patch(path, json={"enabled": False})).status_code == 200
    refused = await crm.send(body, "msg_1")
    assert (refused.status_code, refused.json()["code"]) == (403, "endpoint_disabled")
    assert (await alerting.get(task))["state"] == "open"
    forged = await crm.send(body, headers={"webhook-signature": "v1,AAAA"})
    assert forged.status_code == 401, "only who has the secret learns that the endpoint is disabled"

    assert (await alerting.client.patch(path, json={"enabled": True})).status_code == 200
    assert (await crm.send(body, "msg_1")).json()["changed"] is True


async def test_an_endpoint_of_one_owner_acts_on_its_accounts_only(
    alerting: RunningAlerting, acme: Case, task: str
) -> None:
    body = {"follow_up_id": task, "action": "acknowledge"}
    stranger = await crm_of(alerting, headers=await alerting.key("manage", owner_email="else@supplier.example"))
    assert (await stranger.send(body)).status_code == 404
    hers = await crm_of(alerting, headers=await alerting.key("manage", owner_email=OLIVIA))
    assert (await hers.send(body)).json()["changed"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "acknowledge"}, "follow_up_id"),
        ({"follow_up_id": "x", "action": "acknowledge"}, "follow_up_id"),
        ({"follow_up_id": str(uuid7()), "action": "explode"}, "action"),
        ({"follow_up_id": str(uuid7()), "action": "comment"}, "comment"),
        ({"follow_up_id": str(uuid7()), "action": "close", "told_customer": "yes"}, "told_customer"),
        ({"follow_up_id": str(uuid7()), "action": "close", "colour": "red"}, "colour"),
    ],
)
async def test_a_genuine_message_that_makes_no_sense_is_refused_by_field(
    crm: Crm, body: dict[str, Any], field: str
) -> None:
    answer = await crm.send(body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_unknown_follow_up_is_not_found_and_json_is_needed(crm: Crm) -> None:
    unknown = await crm.send({"follow_up_id": str(uuid7()), "action": "close"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "follow_up_not_found")
    form = await crm.send({}, headers={"content-type": "text/plain"})
    assert form.status_code == 415
