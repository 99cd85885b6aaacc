"""Score-events become follow-ups: through the real consumer, from real Kafka topics, into real PostgreSQL."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.events.directory import Contact
from shared.ids import derived_uuid
from shared.topics import FOLLOW_UP_CLOSED, FOLLOW_UP_OPENED, FOLLOW_UP_UPDATED
from tests.integration.alerting.cases import MONDAY, OLIVIA, Case
from tests.integration.alerting.running_alerting import RunningAlerting, running_alerting
from tests.support.environment import Environment

LATER = MONDAY + timedelta(hours=1)
ITEM = {
    "follow_up_id", "version", "kind", "severity", "state", "account_id", "stakeholder_id", "response_id", "owner",
    "due_at", "occurrences", "reasons", "inhibited", "playbook", "opened_at", "reason_holds", "closed_at", "closed_by",
    "outcome", "promise",
}  # fmt: skip


async def test_a_deep_detractor_opens_a_critical_follow_up_with_owner_due_time_and_playbook(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(tier="key"), acme.person(), acme.answered("r1", 2))
    item = await alerting.only(acme)
    assert set(item) == ITEM
    assert (item["kind"], item["severity"], item["state"]) == ("detractor", "critical", "open")
    assert (item["account_id"], item["stakeholder_id"], item["response_id"]) == (acme.account_id, "jane", acme.id("r1"))
    assert item["owner"] == {"name": "Olivia Owner", "email": OLIVIA}
    assert item["due_at"] == "2026-06-08T14:00:00Z", "four business hours after Monday ten"
    assert item["opened_at"] == "2026-06-08T10:00:00Z"
    assert item["reasons"] == ["scored 2 of 10: a deep detractor"]
    assert item["playbook"].startswith("The same day, together with a leader.")
    assert (item["occurrences"], item["version"], item["inhibited"]) == (1, 1, [])
    (published,) = await alerting.published(acme, FOLLOW_UP_OPENED)
    assert published.data.follow_up_id == item["follow_up_id"]  # type: ignore[attr-defined]


async def test_a_fall_from_promoter_to_passive_opens_a_follow_up(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.fell("r1", 9, 7))
    item = await alerting.only(acme)
    assert (item["kind"], item["severity"], item["due_at"]) == ("promoter_to_passive", "high", "2026-06-10T10:00:00Z")
    assert item["reasons"] == ["fell from promoter (9) to passive (7)"]


async def test_who_asks_for_a_follow_up_gets_the_sponsor_whatever_the_score(
    alerting: RunningAlerting, acme: Case
) -> None:
    sponsor = Contact(name="Sam Sponsor", email="Sam@Supplier.example")
    await alerting.emit(acme.account(sponsor=sponsor), acme.answered("r1", 10, follow_up_requested=True))
    item = await alerting.only(acme)
    assert (item["kind"], item["severity"]) == ("follow_up_requested", "high")
    assert item["owner"] == {"name": "Sam Sponsor", "email": "sam@supplier.example"}


async def test_one_of_a_group_opens_and_who_asked_for_a_call_gets_one_besides(
    alerting: RunningAlerting, acme: Case
) -> None:
    fall = acme.fell("r1", 9, 5, follow_up_requested=True, falls_in_a_row=2)
    await alerting.emit(acme.account(tier="premium"), fall)
    items = {item["kind"]: item for item in await alerting.items(acme)}
    assert set(items) == {"detractor", "follow_up_requested"}
    assert (items["detractor"]["severity"], items["detractor"]["inhibited"]) == ("critical", ["two_falls_in_a_row"])
    assert items["detractor"]["reasons"][-1] == "premium account: severity raised from high to critical"


@pytest.mark.parametrize(
    ("score", "said", "expected"),
    [
        (7, {"falls_in_a_row": 2}, ("two_falls_in_a_row", "medium", "2026-06-11T10:00:00Z")),
        (1, {"survey_type": "csat"}, ("low_csat", "critical", "2026-06-09T10:00:00Z")),
        (2, {"survey_type": "csat"}, ("low_csat", "high", "2026-06-09T10:00:00Z")),
        (2, {"survey_type": "ces"}, ("high_effort", "high", "2026-06-09T10:00:00Z")),
    ],
    ids=["two falls", "csat 1", "csat 2", "effort"],
)
async def test_what_is_no_detractor_and_still_a_warning_opens_a_follow_up(
    alerting: RunningAlerting, acme: Case, score: int, said: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", score, **said))
    item = await alerting.only(acme)
    assert (item["kind"], item["severity"], item["due_at"]) == expected


async def test_a_passive_or_a_promoter_opens_nothing(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 8), acme.answered("r2", 9, stakeholder_id="bob"))
    assert await alerting.items(acme) == []


async def test_an_account_without_owner_goes_to_the_default_owner_and_is_listed(
    environment: Environment, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_ALERTING_DEFAULT_OWNER_EMAIL", "Desk@Supplier.example")
    async with running_alerting(environment) as alerting:
        await alerting.emit(acme.answered("r1", 2))
        item = await alerting.only(acme)
        assert item["owner"] == {"name": None, "email": "desk@supplier.example"}
        assert "the account has no owner in the directory: goes to the default owner" in item["reasons"]
        summary = (await alerting.client.get("/v1/follow-ups/summary")).json()
        assert summary["accounts_without_owner"] == [acme.account_id]
        await alerting.emit(acme.account())
        item = await alerting.only(acme)
        assert item["owner"]["email"] == OLIVIA, "the directory has caught up"
        assert item["version"] == 2


async def test_a_second_detractor_answer_adds_an_occurrence_and_a_third_after_closing_opens_anew(
    alerting: RunningAlerting, acme: Case
) -> None:
    """Given a second detractor response while open, then the same task, occurrences 2, severity not lower, due not
    later; after closing a third opens a new task."""
    await alerting.emit(acme.account(), acme.answered("r1", 5))
    first = await alerting.only(acme)
    await alerting.emit(acme.answered("r2", 2, LATER))
    second = await alerting.only(acme)
    assert second["follow_up_id"] == first["follow_up_id"]
    assert (second["occurrences"], second["severity"], second["response_id"]) == (2, "critical", acme.id("r2"))
    assert second["due_at"] == "2026-06-08T15:00:00Z", "earlier than a business day after the first"
    await alerting.emit(acme.answered("r3", 6, LATER + timedelta(hours=1)))
    third = await alerting.only(acme)
    assert (third["occurrences"], third["severity"], third["due_at"]) == (3, "critical", second["due_at"])
    await alerting.do(first["follow_up_id"], "close", outcome="resolved")
    await alerting.emit(acme.answered("r4", 4, LATER + timedelta(hours=2)))
    fresh = await alerting.only(acme, state="open")
    assert fresh["follow_up_id"] != first["follow_up_id"]
    assert fresh["occurrences"] == 1


async def test_two_people_and_two_kinds_have_tasks_of_their_own(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(
        acme.account(),
        acme.fell("r1", 9, 8),
        acme.answered("r2", 7, LATER, follow_up_requested=True),
        acme.fell("r3", 9, 8, stakeholder_id="bob"),
    )
    found = {(item["stakeholder_id"], item["kind"]) for item in await alerting.items(acme)}
    assert found == {
        ("jane", "promoter_to_passive"),
        ("jane", "follow_up_requested"),
        ("bob", "promoter_to_passive"),
    }


async def test_an_open_detractor_task_takes_in_a_drop_of_the_same_person(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(
        acme.account(),
        acme.answered("r1", 3),
        acme.fell("r3", 9, 8, LATER, nps_kind="transactional"),
    )
    item = await alerting.only(acme)
    assert (item["kind"], item["inhibited"], item["occurrences"]) == ("detractor", ["promoter_to_passive"], 1)


async def test_every_event_twice_changes_nothing_the_second_time(alerting: RunningAlerting, acme: Case) -> None:
    """Given the same Kafka event twice, then one task and one message for each endpoint."""
    once = (
        acme.account(),
        acme.response("r1", comment="too slow"),
        acme.answered("r1", 2),
        acme.fell("r2", 9, 8, stakeholder_id="bob"),
    )
    await alerting.emit(*once)
    before = await alerting.items(acme)
    published = [event.id for event in await alerting.published(acme)]
    repeats = (await alerting.outcomes()).get("repeat", 0)
    await alerting.emit(*once, *once)
    assert await alerting.items(acme) == before
    assert [event.id for event in await alerting.published(acme)] == published
    assert (await alerting.outcomes())["repeat"] == repeats + 8


async def test_ids_follow_from_the_event_so_that_a_replay_says_the_same(alerting: RunningAlerting, acme: Case) -> None:
    event = acme.answered("r1", 2)
    await alerting.emit(event)
    item = await alerting.only(acme)
    named = ("detractor", acme.account_id, "jane", acme.id("r1"), "0")
    assert UUID(item["follow_up_id"]) == derived_uuid("follow_up", *named)
    (opened,) = await alerting.published(acme)
    assert opened.id == derived_uuid(FOLLOW_UP_OPENED, item["follow_up_id"], "1")
    (line,) = (await alerting.get(item["follow_up_id"]))["history"]
    assert line["webhook_id"] == f"msg_{opened.id}"


async def test_the_events_of_a_task_leave_in_the_order_of_its_versions(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), acme.answered("r1", 5))
    await alerting.emit(acme.answered("r2", 5, LATER))
    task = (await alerting.only(acme))["follow_up_id"]
    await alerting.do(task, "acknowledge")
    await alerting.do(task, "close")
    published = await alerting.published(acme)
    assert [event.name for event in published] == [
        FOLLOW_UP_OPENED,
        FOLLOW_UP_UPDATED,
        FOLLOW_UP_UPDATED,
        FOLLOW_UP_CLOSED,
    ]
    assert [event.data.version for event in published] == [1, 2, 3, 4]  # type: ignore[attr-defined]
    assert [event.data.state for event in published][-2:] == ["acknowledged", "closed"]  # type: ignore[attr-defined]


async def test_starting_again_from_offset_zero_changes_nothing(environment: Environment, acme: Case) -> None:
    async with running_alerting(environment) as first:
        await first.emit(acme.account(), acme.answered("r1", 2), acme.answered("r2", 4, LATER))
        before = await first.items(acme)
        published = len(await first.published(acme))
        async with first.plumbing.database.write() as tx:
            await tx.execute(
                "update cursors set epoch = epoch + 1, next_offset = 0, read_count = 0,"
                " last_offset = null, last_fingerprint = null"
            )
    async with running_alerting(environment) as second:
        second.sent.extend(first.sent)
        await second.all_read()
        assert await second.items(acme) == before
        assert len(await second.published(acme)) == published
