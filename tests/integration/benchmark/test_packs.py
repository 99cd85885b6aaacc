"""The review pack, the funnel and the self-assessment, asked of a real scorer and real alerting."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.events.context import ContextRecorded
from shared.events.directory import AccountUpserted, Contact, Money, StakeholderUpserted
from shared.events.envelope import Event, EventData
from shared.events.invitations import InvitationFact
from shared.ids import uuid7
from shared.records import Record
from shared.topics import (
    ACCOUNT_UPSERTED,
    CONTEXT_EVENTS,
    CONTEXT_RECORDED,
    DIRECTORY,
    INVITATIONS,
    STAKEHOLDER_UPSERTED,
    Topic,
)
from tests.integration.benchmark.chain import Chain, chained
from tests.integration.benchmark.stand import publish
from tests.support.environment import Environment
from tests.support.events import NOW, record_of, recorded
from tests.support.polling import eventually

KIM, LEE = "kim@supplier.example", "lee@supplier.example"
REVIEW = NOW - timedelta(days=90)


def record(topic: Topic, name: str, data: EventData) -> Record:
    """Any event as a record."""
    account_id: str = data.account_id  # type: ignore[attr-defined]
    return Record.of(topic, Event(uuid7(), name, "/tests", NOW, account_id, data))


def client(account_id: str, name: str, owner: str) -> Record:
    """An account with revenue."""
    data = AccountUpserted(
        account_id=account_id,
        name=name,
        industry="logistics",
        tier="key",
        annual_revenue=Money(amount=250_000, currency="EUR"),  # type: ignore[arg-type]
        owner=Contact(name="Owner", email=owner),
        event_id=uuid7(),
        recorded_at=NOW,
    )
    return record(DIRECTORY, ACCOUNT_UPSERTED, data)


def person(name: str, kind: Any) -> Record:
    """Somebody at acme."""
    data = StakeholderUpserted(
        account_id="acme", stakeholder_id=name, name=name.title(), type=kind, event_id=uuid7(), recorded_at=NOW
    )
    return record(DIRECTORY, STAKEHOLDER_UPSERTED, data)


def invited(invitation_id: str, account_id: str, *kinds: Any) -> list[Record]:
    """An invitation of the last month and how far it came."""
    at = NOW - timedelta(days=5)
    return [
        record(
            INVITATIONS,
            f"invitation.{kind}",
            InvitationFact(
                event_id=uuid7(),
                invitation_id=invitation_id,
                account_id=account_id,
                stakeholder_id="ann" if invitation_id == "i1" else "ben",
                kind=kind,
                at=at + timedelta(hours=number),
                recorded_at=NOW,
                survey_id="q2",
            ),
        )
        for number, kind in enumerate(kinds)
    ]


def answer(response_id: str, who: str, score: int, days: float, **fields: Any) -> Record:
    """An answer of acme so many days ago."""
    return record_of(
        recorded(
            response_id,
            stakeholder_id=who,
            score=score,
            answered_at=NOW - timedelta(days=days),
            quiet=days > 30,
            **fields,
        )
    )


@dataclass(frozen=True)
class Story:
    """The services after a quarter: ann turned, was called and was promised something; ben is content."""

    chain: Chain
    follow_up: dict[str, Any]


@pytest.fixture(scope="module")
async def story(module_environment: Environment) -> AsyncIterator[Story]:
    async with chained(module_environment) as chain:
        await publish(
            module_environment,
            client("acme", "Acme Logistics", KIM),
            client("bolt", "Bolt", LEE),
            person("ann", "decision_maker"),
            person("ben", "user"),
            record(
                CONTEXT_EVENTS,
                CONTEXT_RECORDED,
                ContextRecorded(
                    event_id=uuid7(), account_id="acme", kind="review_held", at=REVIEW, label="tense", recorded_at=NOW
                ),
            ),
            *invited("i1", "acme", "sent", "delivered", "opened", "started"),
            *invited("i2", "acme", "sent", "bounced"),
            *invited("i3", "bolt", "sent", "delivered"),
            answer("r1", "ann", 9, 200),
            answer("r2", "ben", 9, 100),
            answer("r3", "ann", 2, 1, comment="Bolt is served better than we are.", invitation_id="i1"),
        )

        async def opened() -> Any:
            found = await chain.get("/v1/follow-ups", "alerting", account_id="acme", kind="detractor")
            return found["items"][0] if found["items"] else None

        follow_up = await eventually(opened, timeout=60)
        path = f"/v1/follow-ups/{follow_up['follow_up_id']}"
        steps: tuple[tuple[str, dict[str, Any]], ...] = (
            ("acknowledge", {}),
            ("comments", {"comment": "they are only bluffing"}),
            ("promise", {"what": "A driver of their own, as Bolt has", "by": "2026-07-01T00:00:00Z"}),
            ("close", {"root_cause": "night shift", "what_was_done": "Called Ann.", "told_customer": True}),
        )
        for step, body in steps:
            done = await chain.alerting.post(f"{path}/{step}", json=body)
            assert done.is_success, done.text
        yield Story(chain, follow_up)


async def pack(story: Story, chain: Chain | None = None, **query: Any) -> dict[str, Any]:
    """The review pack of acme, once the service knows the directory and the closing."""

    async def complete() -> Any:
        body = await (chain or story.chain).get("/v1/reviews/accounts/acme", **query)
        return body if body["account"]["name"] else None

    found: dict[str, Any] = await eventually(complete, timeout=30)
    return found


async def test_the_pack_holds_what_a_business_review_needs(story: Story) -> None:
    found = await pack(story)
    assert found["period"] == {
        "from": REVIEW.isoformat().replace("+00:00", "Z"),
        "to": "2026-06-01T12:00:00Z",
        "last_review_at": REVIEW.isoformat().replace("+00:00", "Z"),
    }
    scores = {
        score["stakeholder_type"]: (score["then"]["nps"], score["now"]["nps"], score["change"])
        for score in found["scores"]
    }
    assert scores == {None: (100, 0, -100), "decision_maker": (100, -100, -200), "user": (100, 100, 0)}
    assert [change["kind"] for change in found["changes"]] == ["promoter_to_detractor"]
    (said,) = found["said"]
    assert (said["name"], said["type"], said["score"]) == ("Ann", "decision_maker", 2)
    assert said["comment"] == "Bolt is served better than we are."
    (done,) = found["done"]
    assert (done["what_was_done"], done["root_cause"], done["outcome"]) == ("Called Ann.", "night shift", "resolved")
    assert [promise["promise"]["what"] for promise in found["promised"]] == ["A driver of their own, as Bolt has"]
    assert found["account"]["annual_revenue"] == {"amount": 250_000, "currency": "EUR"}
    assert [event["label"] for event in found["events"]] == []
    assert found["comparison"]["benchmark"]["set"] == "clientshare-2026"
    assert found["comparison"]["rank"] == {"position": 1, "of": 1}


async def test_a_client_sees_no_internal_note_no_revenue_and_no_other_name(story: Story) -> None:
    found = await pack(story, audience="client")
    text = str(found)
    for secret in ("Bolt", "bolt", "bluffing", "night shift", "250000", "tense", "EUR", "severity", "playbook"):
        assert secret not in text, secret
    assert "annual_revenue" not in found["account"]
    assert found["said"][0]["comment"] == "another customer is served better than we are."
    (done,) = found["done"]
    assert done["promise"]["what"] == "A driver of their own, as another customer has"
    assert "root_cause" not in done
    assert (found["comparison"]["rank"], found["comparison"]["rank_in_industry"]) == (None, None)


async def test_the_time_of_the_pack_can_be_chosen(story: Story) -> None:
    period: dict[str, Any] = {"from": "2025-01-01T00:00:00Z", "to": "2026-03-15T00:00:00Z"}
    early = await pack(story, **period)
    assert [answer["response_id"] for answer in early["said"]] == ["r1", "r2"]
    assert (early["done"], early["changes"][0]["kind"]) == ([], "new_promoter")
    assert [event["kind"] for event in early["events"]] == ["review_held"]
    for query in (
        {"from": "2026-03-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
        {"to": "yesterday"},
        {"audience": "x"},
    ):
        answer = await story.chain.benchmark.get("/v1/reviews/accounts/acme", params=query)
        assert answer.status_code == 422


async def test_only_who_may_see_the_account_gets_its_pack(story: Story) -> None:
    assert (await pack(story, await story.chain.limited_to(KIM)))["said"]
    stranger = await story.chain.limited_to(LEE)
    answers = [
        await stranger.benchmark.get(path)
        for path in (
            "/v1/reviews/accounts/acme",
            "/v1/reviews/accounts/nobody",
            "/v1/comparisons/accounts/acme",
            "/v1/comparisons/accounts/nobody",
        )
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "unknown_account")}


async def test_the_funnel_is_counted_by_the_scorer_and_judged_here(story: Story) -> None:
    async def counted() -> Any:
        body = await story.chain.get("/v1/funnel", group_by="owner,survey")
        groups = {(group["group"]["owner"], group["group"]["survey_id"]): group for group in body["groups"]}
        return groups if len(groups) == 2 else None

    groups = await eventually(counted, timeout=30)
    kim = groups[KIM, "q2"]
    assert (kim["sent_count"], kim["bounced_count"], kim["recipient_count"], kim["answered_count"]) == (2, 1, 1, 1)
    assert (kim["response_rate"], kim["open_rate"], kim["comment_rate"], kim["level"]) == (1, 1, 1, "above_target")
    assert kim["warnings"] == ["few_invitations"]
    assert (groups[LEE, "q2"]["response_rate"], groups[LEE, "q2"]["level"]) == (0, "below_ordinary")
    (whole,) = (await story.chain.get("/v1/funnel", industry="freight"))["groups"]
    assert (whole["group"], whole["sent_count"], whole["response_rate"]) == ({}, 3, 0.5)
    theirs = (await story.chain.get("/v1/portfolio/funnel", "scorer"))["groups"][0]
    assert set(whole.pop("warnings")) == {*theirs.pop("warnings"), "few_invitations"}
    assert {name: whole[name] for name in theirs} == theirs
    (own,) = (await (await story.chain.limited_to(LEE)).get("/v1/funnel"))["groups"]
    assert own["sent_count"] == 1
    for query in ({"group_by": "colour"}, {"group_by": "survey,survey_id"}, {"window": "x"}, {"touchpoint": "x"}):
        assert (await story.chain.benchmark.get("/v1/funnel", params=query)).status_code == 422


async def test_the_assessment_is_prefilled_from_what_the_system_knows(story: Story) -> None:
    body = await story.chain.get("/v1/maturity/questions")
    assert body["warnings"] == []
    found = {question["question_id"]: question["prefill"] for area in body["areas"] for question in area["questions"]}
    assert len(body["areas"]) == 11
    assert (found["coverage"]["value"], found["coverage"]["option"]) == (1, 3)
    assert (found["response"]["value"], found["response"]["option"]) == (0.5, 3)
    (loop,) = (await story.chain.get("/v1/follow-ups/summary", "alerting"))["groups"]
    assert (found["loop"]["value"], found["first_touch"]["value"]) == (loop["closed_loop_rate"], 0)
    assert found["cadence"]["value"] == await months(story)
    assert found["own_look"] is None


async def months(story: Story) -> int:
    """Months with an answer in their last 30 days, counted by hand from the trend."""
    trend = await story.chain.get("/v1/portfolio/trend", "scorer", interval="month", window="30d", points=12)
    ends = [min(NOW, datetime.fromisoformat(point["to"])) for point in trend["points"]]
    answered = [NOW - timedelta(days=days) for days in (200, 100, 1)]
    return sum(any(end - timedelta(days=30) < moment <= end for moment in answered) for end in ends)


async def test_answers_give_a_result_that_is_kept(story: Story) -> None:
    chain = await story.chain.limited_to(KIM)
    assert (await chain.benchmark.get("/v1/maturity")).json()["code"] == "no_assessment"
    first = await chain.benchmark.post("/v1/maturity", json={"answers": {"own_look": 0, "loop": 1}})
    assert first.status_code == 201, first.text
    result = first.json()
    areas = {area["area"]: area["score"] for area in result["areas"]}
    assert (areas["customise"], areas["cover_all_accounts"], areas["ownership"]) == (0, 100, None)
    assert result["recommendations"][0]["question_id"] == "own_look"
    second = await chain.benchmark.post("/v1/maturity", json={"answers": {"own_look": 3}, "prefill": False})
    assert (second.json()["score"], second.json()["previous_score"]) == (100, result["score"])
    kept = await chain.get("/v1/maturity")
    assert kept["assessment_id"] == second.json()["assessment_id"]
    assert kept["change"] == 100 - result["score"]
    listed = await chain.get("/v1/maturity/assessments", limit=1)
    assert [assessment["assessment_id"] for assessment in listed["items"]] == [kept["assessment_id"]]
    rest = await chain.get("/v1/maturity/assessments", cursor=listed["next_cursor"])
    assert [assessment["assessment_id"] for assessment in rest["items"]] == [result["assessment_id"]]
    assert (await story.chain.benchmark.get("/v1/maturity")).status_code == 404


@pytest.mark.parametrize(
    "body", [{"answers": {"colour": 1}}, {"answers": {"loop": 4}}, {"answers": {"loop": "1"}}, {"answer": {}}, []]
)
async def test_bad_answers_are_refused(story: Story, body: Any) -> None:
    assert (await story.chain.benchmark.post("/v1/maturity", json=body)).status_code == 422
