"""Accounts without a business review for a quarter: the list, and the follow-up that reminds the owner."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.benchmark.stand import publish
from tests.integration.outreach.review_desk import KIM, LEE, ReviewDesk, client, held, removed, review_desk
from tests.support.environment import Environment
from tests.support.events import NOW
from tests.support.polling import eventually


@pytest.fixture
async def desk(environment: Environment) -> AsyncIterator[ReviewDesk]:
    async with review_desk(environment) as running:
        yield running


async def due(desk: ReviewDesk, **query: Any) -> list[str]:
    """The accounts on the list, in its order."""
    page = await desk.call("GET", "/due", params=query)
    return [item["account_id"] for item in page["items"]]


async def reminded(desk: ReviewDesk, account_id: str) -> list[dict[str, Any]]:
    """The follow-ups of an account that remind of a review."""
    found = await desk.chain.get("/v1/follow-ups", "alerting", account_id=account_id, kind="review_due")
    items: list[dict[str, Any]] = found["items"]
    return items


async def look(desk: ReviewDesk) -> None:
    """One look that works through all there is."""
    while await desk.reminders.look():
        pass


async def test_r6_accounts_without_a_review_are_listed_by_owner_and_former_ones_never(desk: ReviewDesk) -> None:
    assert await due(desk) == ["acme", "bolt"]
    assert await due(desk, owner="LEE@supplier.example") == ["bolt"]
    limited = await desk.with_key("read", owner_email=KIM)
    page = await desk.call("GET", "/due", headers=limited)
    assert [item["account_id"] for item in page["items"]] == ["acme"]
    review = await desk.made(held_on="2026-05-01")
    assert await due(desk) == ["bolt"]
    desk.clock.advance(timedelta(days=60))
    (item,) = [item for item in (await desk.call("GET", "/due"))["items"] if item["account_id"] == "acme"]
    assert (item["last_held_on"], item["due_since"], item["owner"]["email"]) == ("2026-05-01", "2026-07-31", KIM)
    assert await due(desk, limit=1) == ["bolt"]
    await desk.call("POST", f"/{review['review_id']}/withdraw")
    assert await due(desk) == ["acme", "bolt"]
    today = desk.clock.now().date()
    later = NOW + timedelta(seconds=1)
    await publish(desk.chain.environment, removed("bolt", LEE))
    await publish(desk.chain.environment, client("acme", "Acme", KIM, closed_on=today, recorded_at=later))

    async def gone() -> bool:
        return await due(desk) == []

    await eventually(gone, timeout=60)


async def test_the_owner_is_reminded_once_a_quarter_until_the_review_is_made(desk: ReviewDesk) -> None:
    await look(desk)
    await look(desk)
    assert len(await desk.calls("acme", "review_due:")) == 1
    await desk.made_calls("acme", "review_due:")
    (follow_up,) = await reminded(desk, "acme")
    assert (follow_up["state"], follow_up["owner"]["email"]) == ("open", KIM)
    assert follow_up["reasons"] == ["no business review is known"]
    (item,) = [item for item in (await desk.call("GET", "/due"))["items"] if item["account_id"] == "acme"]
    assert item["reminded_at"] is not None
    desk.clock.advance(timedelta(days=1))
    await look(desk)
    assert len(await desk.calls("acme", "review_due:")) == 1, "one an account and quarter"
    await desk.made()
    await look(desk)
    (follow_up,) = await reminded(desk, "acme")
    assert (follow_up["state"], follow_up["outcome"]) == ("closed", "resolved")
    desk.clock.advance(timedelta(days=92))
    await look(desk)
    await desk.made_calls("acme", "review_due:")
    assert sorted(item["state"] for item in await reminded(desk, "acme")) == ["closed", "open"]


async def test_a_review_that_the_scorer_knows_of_needs_no_reminder(desk: ReviewDesk) -> None:
    await publish(desk.chain.environment, client("crux", "Crux", LEE), held("crux", 30), held("bolt", 120))

    async def marked() -> bool:
        trend = await desk.chain.get("/v1/accounts/crux/trend", "scorer", interval="quarter", points=2)
        other = await desk.chain.get("/v1/accounts/bolt/trend", "scorer", interval="quarter", points=2)
        return bool(trend["marks"]) and bool(other["marks"])

    await desk.knows("crux")
    await eventually(marked, timeout=60)
    assert await due(desk) == ["acme", "bolt", "crux"]
    await look(desk)
    assert await due(desk) == ["acme", "bolt"]
    assert await desk.calls("crux", "review_due:") == []
    (call,) = await desk.calls("bolt", "review_due:")
    assert call["body"]["reason"] == "the last business review was held on 2026-02-01"


async def test_a_reminder_that_was_not_told_yet_is_closed_once_it_was(desk: ReviewDesk) -> None:
    await look(desk)
    await desk.made()
    await look(desk)
    assert await reminded(desk, "acme") == []
    await desk.made_calls("acme", "review_due:")
    await look(desk)
    (follow_up,) = await reminded(desk, "acme")
    assert follow_up["state"] == "closed"


async def test_nobody_is_reminded_before_a_survey_for_reviews_is_published(desk: ReviewDesk) -> None:
    await desk.write("delete from survey_versions where survey_id = :survey", survey=desk.survey_id)
    await look(desk)
    assert await desk.calls("acme", "review_due:") == []
    assert await desk.calls("bolt", "review_due:") == []
    body = {"account_id": "acme", "held_on": "2026-06-01", "recipients": [{"stakeholder_id": "ann"}]}
    assert (await desk.call("POST", "", 409, json=body))["code"] == "no_review_survey"
