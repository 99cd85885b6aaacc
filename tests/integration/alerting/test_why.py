"""`GET /v1/follow-ups/{id}/why`: everything that led to a follow-up and came of it, in one answer."""

from datetime import timedelta

import pytest

from services.alerting.domain.people import NO_OWNER
from tests.integration.alerting.cases import OLIVIA, Case
from tests.integration.alerting.running_alerting import running_alerting
from tests.support.environment import Environment
from tests.support.mail import mail_server
from tests.support.polling import eventually
from tests.support.receiver import FAIL, receiving

SETTINGS = {"NOTICE_POLL_S": "0.05", "NOTICE_WAIT_S": "0", "ALLOW_NETWORKS": "127.0.0.1/32", "RETRY_SCHEDULE": "0.05"}


async def test_why_lists_event_rule_policy_inhibitions_notices_and_attempts(
    environment: Environment, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a follow-up whose webhook failed once and whose owner got a mail, when asking why, then the event, the
    rule's version, the policy of then, what stood back, each notice and each attempt are there."""
    async with mail_server() as post, receiving(FAIL) as crm:
        given = post.settings() | {f"TELLBACK_ALERTING_{name}": value for name, value in SETTINGS.items()}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        async with running_alerting(environment) as alerting:
            await alerting.client.post("/v1/notifications", json={"channel": "mail"})
            await alerting.client.post(
                "/v1/webhook-endpoints", json={"url": crm.url, "event_types": ["follow_up.opened"]}
            )
            event = acme.answered("r1", 2, falls_in_a_row=2)
            await alerting.emit(acme.account(), event)
            task = await alerting.only(acme)

            async def notices_sent() -> bool:
                alerting.clock.advance(timedelta(seconds=1))
                why = await alerting.get(task["follow_up_id"], "/why")
                (message,) = why["messages"]
                (delivery,) = message["deliveries"]
                assert [notice["status"] for notice in why["notices"]] == ["sent"]
                return bool(delivery["status"] == "delivered")

            await eventually(notices_sent, 30)
            why = await alerting.get(task["follow_up_id"], "/why")
    own, taken_in = sorted(why["triggers"], key=lambda trigger: trigger["role"])
    assert (own["occasion"], own["role"], own["facts"]["score"]) == (acme.id("r1"), "own", 2)
    assert (taken_in["kind"], taken_in["role"]) == ("two_falls_in_a_row", "taken_in")
    assert (why["rule"]["rule_id"], why["rule"]["version"], why["rule"]["due"]) == (
        "detractor_0_3",
        1,
        {"amount": 4, "unit": "business_hours"},
    )
    assert (why["business_time"]["time_zone"], why["inhibited"]) == ("UTC", ["two_falls_in_a_row"])
    assert [(notice["channel"], notice["recipient"], notice["status"]) for notice in why["notices"]] == [
        ("mail", OLIVIA, "sent")
    ]
    ((delivery,),) = [message["deliveries"] for message in why["messages"]]
    assert delivery["status"] == "delivered"
    assert [
        (attempt["number"], attempt["trigger"], attempt["status_code"], attempt["failure"])
        for attempt in delivery["attempts"]
    ] == [
        (1, "automatic", 500, "http_5xx"),
        (2, "automatic", 200, None),
    ]


async def test_why_of_a_follow_up_opened_by_hand_names_no_rule(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as alerting:
        made = await alerting.client.post("/v1/follow-ups", json={"account_id": acme.account_id, "reason": "a call"})
        why = await alerting.get(made.json()["follow_up_id"], "/why")
    assert (why["rule"], why["triggers"], why["reasons"]) == (None, [], ["a call", NO_OWNER])
