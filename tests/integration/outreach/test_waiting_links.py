"""Asks that wait end: links that no mailer hands over, and what waits for an account that closes."""

from datetime import timedelta

import pytest

from services.outreach.handlers.closing import call_off_closed, skip_late
from tests.support.outreach import DAY, NOW, Asking, account, invited, person


@pytest.fixture(autouse=True)
async def people(desk: Asking) -> None:
    """Ann and Bob at Acme."""
    await desk.take(account(), person(), person("bob"))


async def test_c12_a_link_that_no_mailer_hands_over_in_a_fortnight_is_too_late(desk: Asking) -> None:
    ask_id = (await desk.link(handed_over=False))["invitation_id"]
    desk.clock.advance(14 * DAY - timedelta(seconds=1))
    assert await desk.database.retrying(lambda tx: skip_late(tx, desk.clock.now())) == 0
    desk.clock.advance(timedelta(seconds=1))
    assert await desk.database.retrying(lambda tx: skip_late(tx, desk.clock.now())) == 1
    ask = await desk.get(f"/v1/asks/{ask_id}")
    assert (ask["state"], ask["reason"]) == ("skipped", "too_late")
    assert [change["state"] for change in ask["changes"]] == ["waiting", "skipped"]
    assert await desk.database.retrying(lambda tx: skip_late(tx, desk.clock.now())) == 0
    assert await desk.reason() is None


async def test_c12_a_link_that_was_handed_over_in_time_stays(desk: Asking) -> None:
    ask_id = (await desk.link(handed_over=False))["invitation_id"]
    await desk.take(invited("sent", NOW + DAY, ask_id))
    desk.clock.advance(15 * DAY)
    assert await desk.database.retrying(lambda tx: skip_late(tx, desk.clock.now())) == 0
    assert (await desk.get(f"/v1/asks/{ask_id}"))["state"] == "sent"


async def test_c15_nobody_has_two_links_that_wait(desk: Asking) -> None:
    """Also not by another person with the same address, at another account."""
    await desk.take(account("beta"), person("eve", "beta", email="ann@acme.example"))
    first = await desk.link(handed_over=False)
    assert first["problem"] is None
    again = await desk.link(handed_over=False)
    assert again["problem"]["reason"] == "floor"
    assert again["problem"]["again_at"] == "2026-06-23T10:00:00Z"
    assert await desk.reason("eve", account_id="beta", handed_over=False) == "floor"
    assert await desk.reason("bob", handed_over=False) is None
    answer = await desk.client.post(f"/v1/asks/{first['invitation_id']}/withdraw")
    assert answer.status_code == 200
    assert await desk.reason(handed_over=False) is None


async def test_c13_what_waits_for_an_account_is_called_off_on_the_day_it_closes(desk: Asking) -> None:
    ask_id = (await desk.link(handed_over=False))["invitation_id"]
    await desk.take(account(closed_on=(NOW + DAY).date(), recorded_at=NOW + timedelta(minutes=1)))
    assert await desk.database.retrying(lambda tx: call_off_closed(tx, desk.clock.now())) == 0
    assert (await desk.get(f"/v1/asks/{ask_id}"))["state"] == "waiting"
    desk.clock.advance(DAY)
    assert await desk.database.retrying(lambda tx: call_off_closed(tx, desk.clock.now())) == 1
    ask = await desk.get(f"/v1/asks/{ask_id}")
    assert (ask["state"], ask["reason"]) == ("withdrawn", "removed")
    assert await desk.database.retrying(lambda tx: call_off_closed(tx, desk.clock.now())) == 0
