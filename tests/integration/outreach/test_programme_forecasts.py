"""What programmes would do and have done: dry-runs that are kept, the calendar of waves, asks by programme, mails sent
once more."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from services.outreach.handlers.forecasts import Forecasts
from tests.support.mailing import Mailroom, deployment
from tests.support.outreach import DAY, NOW, Asking, account, person

BERLIN = ZoneInfo("Europe/Berlin")


def forecasts_of(room: Mailroom) -> Forecasts:
    asking = room.asking
    return Forecasts(asking.database, asking.clock, asking.tokens, deployment())


async def calendar_of(asking: Asking) -> list[tuple[str, str | None, int]]:
    return [
        (item["week"], item["owner"], item["count"]) for item in (await asking.get("/v1/programmes/calendar"))["items"]
    ]


async def test_what_a_dry_run_found_is_kept_for_all_who_see_all_accounts(room: Mailroom) -> None:
    programme_id = await room.programme(started=False)
    assert (await room.call("GET", f"/{programme_id}/dry-run", 404))["code"] == "no_dry_run"
    found = await room.call("POST", f"/{programme_id}/dry-run")
    assert await room.call("GET", f"/{programme_id}/dry-run") == found
    assert found["waves"] == [{"week": found["by_week"][0]["week"], "owner": None, "count": 2}]
    reader = await room.asking.with_key("read")
    assert (await reader.client.get(f"/v1/programmes/{programme_id}/dry-run")).json() == found
    owner = await room.asking.with_key("read", owner_email="olga@supplier.example")
    assert (await owner.client.get(f"/v1/programmes/{programme_id}/dry-run")).status_code == 403


async def test_the_calendar_has_the_waves_of_running_programmes_by_owner(room: Mailroom) -> None:
    later = NOW + timedelta(seconds=1)
    await room.asking.take(
        account(name="Acme Ltd", owner="olga@supplier.example", recorded_at=later),
        account("bolt"),
        person("zoe", "bolt"),
    )
    programme_id = await room.programme(when={"type": "once", "on": "2026-06-16"})
    await room.programme(started=False, name="Not begun")
    olgas = ("2026-06-15", "olga@supplier.example", 2)
    assert await calendar_of(room.asking) == [("2026-06-15", None, 1), olgas]
    owner = await room.asking.with_key("read", owner_email="olga@supplier.example")
    assert await calendar_of(owner) == [olgas]
    await room.call("POST", f"/{programme_id}/pause")
    assert await calendar_of(room.asking) == []


async def test_what_running_programmes_would_do_is_looked_at_once_a_day_without_what_they_did(room: Mailroom) -> None:
    programme_id = await room.programme()
    forecasts = forecasts_of(room)
    assert not await forecasts.round(), "it was looked at before it was started"
    await room.until(NOW + 2 * DAY)
    assert await forecasts.round()
    assert not await forecasts.round()
    found = await room.call("GET", f"/{programme_id}/dry-run")
    assert (found["would_ask"], found["held"], found["skipped"]) == (0, 0, 0)
    assert await calendar_of(room.asking) == []


async def test_asks_are_listed_and_counted_by_programme(room: Mailroom) -> None:
    programme_id = await room.programme()
    await room.work()
    await room.asking.link("ann", survey_id="srv_other")
    listed = await room.asking.get("/v1/asks", programme_id=programme_id)
    assert {ask["stakeholder_id"] for ask in listed["items"]} == {"ann", "dora"}
    assert {ask["programme_name"] for ask in listed["items"]} == {"Wave"}
    summary = await room.asking.get("/v1/asks/summary", group_by="programme")
    counted = {group["key"]: (group["name"], group["planned"]) for group in summary["groups"]}
    assert counted == {programme_id: ("Wave", 2), None: (None, 1)}
    [only] = (await room.asking.get("/v1/asks/summary", programme_id=programme_id))["groups"]
    assert only["planned"] == 2


async def resent(room: Mailroom, ask_id: object, status: int = 200) -> str | None:
    """Why the mail of an ask is not sent again; None where it is."""
    answer = await room.asking.client.post(f"/v1/asks/{ask_id}/resend")
    assert answer.status_code == status, answer.text
    code: str | None = answer.json().get("code")
    return code


async def test_a_mail_is_sent_again_by_hand_in_hours_and_twice_at_most(room: Mailroom) -> None:
    programme_id = await room.programme(reminders=[], who={"type": "user"})
    await room.until(NOW + 2 * DAY)
    ask_id = (await room.ask_ids())["ann"]
    for number in (2, 3):
        assert await resent(room, ask_id) is None
        await room.until(room.asking.clock.now() + 8 * DAY)
        assert len(room.relay.contents) == number
    assert await resent(room, ask_id, 409) == "reminded_twice"
    history = (await room.asking.get(f"/v1/asks/{ask_id}"))["changes"]
    assert [change["note"] for change in history].count("sent again by hand") == 2
    await room.call("POST", f"/{programme_id}/pause")
    assert await resent(room, ask_id, 409) == "programme_rests"


async def test_only_a_mail_for_whose_answer_somebody_waits_is_sent_again(room: Mailroom) -> None:
    link = await room.asking.link("ann", survey_id="srv_other")
    assert await resent(room, link["invitation_id"], 409) == "not_mailed"
    await room.programme(who={"type": "decision_maker"})
    await room.work()
    ask_id = (await room.ask_ids())["dora"]
    assert await resent(room, ask_id, 409) == "not_open", "it was not sent yet"
    reader = await room.asking.with_key("read")
    assert (await reader.client.post(f"/v1/asks/{ask_id}/resend")).status_code == 403


assert NOW.astimezone(UTC).weekday() == 1, "the tests begin on a Tuesday, at noon in Berlin"
