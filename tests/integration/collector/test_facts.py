"""Invitation and context facts."""

from shared.events.context import ContextRecorded
from shared.events.invitations import InvitationFact
from shared.topics import CONTEXT_EVENTS, INVITATION_KINDS, INVITATIONS
from tests.integration.collector.conftest import NOW, Running

SENT = {
    "invitation_id": "inv-1",
    "account_id": "acme",
    "email": "Ann@Acme.example",
    "kind": "sent",
    "at": "2026-05-31T09:30:00+02:00",
}


async def test_one_fact_and_the_same_again(collector: Running) -> None:
    answers = [await collector.client.post("/v1/invitation-events", json=SENT) for _ in "12"]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == {
        "event_id": answers[1].json()["event_id"],
        "recorded_at": "2026-06-01T12:00:00Z",
        "status": "accepted",
        "via": "kafka",
    }
    event, again = await collector.events(INVITATIONS, 2)
    assert event.id == again.id
    assert isinstance(event.data, InvitationFact)
    assert (event.data.stakeholder_id, event.data.kind, event.data.event_id) == ("ann@acme.example", "sent", event.id)
    assert event.data.at.isoformat() == "2026-05-31T07:30:00+00:00"


async def test_many_facts_are_answered_one_by_one(collector: Running) -> None:
    events = [SENT | {"kind": kind} for kind in INVITATION_KINDS] + [SENT | {"kind": "lost"}, {}]
    answer = await collector.client.post("/v1/invitation-events", json={"events": events})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (len(INVITATION_KINDS), 2)
    assert [result["status"] for result in body["results"][-2:]] == ["rejected", "rejected"]
    found = await collector.events(INVITATIONS, len(INVITATION_KINDS))
    assert [event.name for event in found] == [f"invitation.{kind}" for kind in INVITATION_KINDS]
    assert [str(event.id) for event in found] == [result["event_id"] for result in body["results"][:-2]]


async def test_a_context_fact(collector: Running) -> None:
    body = {"account_id": "acme", "kind": "incident", "at": "2026-06-01T10:00:00Z", "label": "Outage in Lyon"}
    answer = await collector.client.post("/v1/context-events", json=body)
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    (event,) = await collector.events(CONTEXT_EVENTS, 1)
    assert isinstance(event.data, ContextRecorded)
    assert (event.data.label, event.data.recorded_at, event.data.stakeholder_id) == ("Outage in Lyon", NOW, None)
    assert event.data.product is None


async def test_a_context_fact_names_the_person_by_address_and_the_product(collector: Running) -> None:
    body = {"account_id": "acme", "kind": "purchased", "at": "2026-06-01T10:00:00Z", "label": "Order 4711"}
    bought = body | {"email": "Ann@Acme.example", "product": "Freight"}
    ids = []
    for sent in (bought, bought, bought | {"product": "Storage"}, body | {"kind": "contract_ended"}):
        answer = await collector.client.post("/v1/context-events", json=sent)
        assert answer.status_code == 202
        ids.append(answer.json()["event_id"])
    assert (ids[0] == ids[1], len(set(ids))) == (True, 3)
    told = [event.data for event in await collector.events(CONTEXT_EVENTS, 4)]
    assert all(isinstance(data, ContextRecorded) for data in told)
    found = [(data.kind, data.stakeholder_id, data.product) for data in told if isinstance(data, ContextRecorded)]
    assert found[1:] == [
        ("purchased", "ann@acme.example", "Freight"),
        ("purchased", "ann@acme.example", "Storage"),
        ("contract_ended", None, None),
    ]
