"""One person by several ids: what they say, and the follow-ups about them, are one person's."""

from datetime import timedelta
from typing import Any

import pytest

from shared.erasure import subject_by
from shared.events.directory import StakeholderRemoved, StakeholderUpserted
from shared.events.envelope import Event
from shared.events.invitations import InvitationFact
from shared.events.responses import ErasedId
from shared.ids import uuid7
from shared.topics import STAKEHOLDER_ERASED, STAKEHOLDER_REMOVED, STAKEHOLDER_UPSERTED
from tests.integration.alerting.cases import MONDAY, TOPIC_OF, Case, event
from tests.integration.alerting.running_alerting import RunningAlerting
from tests.integration.alerting.test_any_order import opened, read
from tests.support.environment import Environment
from tests.support.events import record_of
from tests.support.polling import eventually

MAIL = "jane@acme.example"
LATER = MONDAY + timedelta(hours=1)
OCCASIONS = "select occasion from task_occasions where account_id = :account_id and stakeholder_id = :mail"
WAITING = (
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    " and query like 'select pg_advisory_xact_lock%'"
)


def person(acme: Case, stakeholder_id: str, *aliases: str, minutes: int = 0, **fields: Any) -> Event:
    """stakeholder.upserted with further ids."""
    at, event_id = MONDAY + timedelta(minutes=minutes), uuid7()
    values: dict[str, Any] = {"name": "Jane Doe", "recorded_at": at, "aliases": aliases} | fields
    data = StakeholderUpserted(account_id=acme.account_id, stakeholder_id=stakeholder_id, event_id=event_id, **values)
    return event(STAKEHOLDER_UPSERTED, data, at, event_id)


def gone(acme: Case, stakeholder_id: str, minutes: int, **fields: Any) -> Event:
    """stakeholder.removed."""
    at, event_id = MONDAY + timedelta(minutes=minutes), uuid7()
    data = StakeholderRemoved(
        account_id=acme.account_id, stakeholder_id=stakeholder_id, event_id=event_id, recorded_at=at, **fields
    )
    return event(STAKEHOLDER_REMOVED, data, at, event_id)


def invited(acme: Case, kind: Any, who: str, minutes: int) -> Event:
    """An invitation fact."""
    at = MONDAY + timedelta(minutes=minutes)
    data = InvitationFact(
        event_id=uuid7(),
        invitation_id=acme.id("i1"),
        account_id=acme.account_id,
        stakeholder_id=who,
        kind=kind,
        at=at,
        recorded_at=at,
    )
    return event(f"invitation.{kind}", data, at)


async def test_an_answer_by_another_id_ends_the_follow_up(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), person(acme, "C-17", MAIL), acme.response("r1", 2, stakeholder_id="C-17"))
    task = await alerting.only(acme)
    assert (task["kind"], task["stakeholder_id"]) == ("detractor", "C-17")
    await alerting.emit(acme.response("r2", 10, stakeholder_id=MAIL, answered_at=LATER, recorded_at=LATER))
    closed = await alerting.get(task["follow_up_id"])
    assert (closed["state"], closed["outcome"]) == ("closed", "improved")


async def test_a_follow_up_opens_under_the_persons_own_id(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), person(acme, "C-17", MAIL), acme.response("r1", 2, stakeholder_id=MAIL))
    assert (await alerting.only(acme))["stakeholder_id"] == "C-17"
    assert len(await alerting.items(acme, stakeholder_id=MAIL)) == 1
    everywhere = await alerting.client.get("/v1/follow-ups", params={"stakeholder_id": MAIL})
    assert acme.account_id in [item["account_id"] for item in everywhere.json()["items"]]


async def test_ids_merged_the_task_moves_to_the_person(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.subscribe("follow_up.updated")
    await alerting.emit(acme.account(), acme.response("r1", 2, stakeholder_id=MAIL))
    task = await alerting.only(acme)
    await alerting.emit(person(acme, "C-17", MAIL, minutes=5))
    moved = await alerting.only(acme)
    assert (moved["follow_up_id"], moved["stakeholder_id"], moved["state"]) == (task["follow_up_id"], "C-17", "open")
    changes = [message["data"]["change"] for message in await alerting.messages(acme)]
    assert {"kind": "person", "from": MAIL, "to": "C-17"} in changes


async def test_ids_merged_of_two_of_one_kind_the_first_stays_and_takes_over(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.response("r1", 2, stakeholder_id=MAIL))
    first = await alerting.only(acme)
    alerting.clock.advance(timedelta(minutes=1))
    await alerting.emit(acme.response("r2", 1, stakeholder_id="C-17"))
    second = await alerting.only(acme, stakeholder_id="C-17")
    await alerting.do(second["follow_up_id"], "start")
    by = (MONDAY + timedelta(days=3)).isoformat()
    await alerting.do(second["follow_up_id"], "promise", what="a new contact", by=by)
    await alerting.emit(person(acme, "C-17", MAIL, minutes=5))
    kept, merged = await alerting.get(first["follow_up_id"]), await alerting.get(second["follow_up_id"])
    assert (kept["state"], kept["stakeholder_id"]) == ("in_progress", "C-17")
    assert kept["promise"]["what"] == "a new contact"
    assert (merged["state"], merged["outcome"], merged["closed_by"]) == ("closed", "merged", "facts")


@pytest.mark.parametrize("batches", ["one", "in order", "the other way round"])
async def test_ids_merged_and_undone_the_task_stays_with_the_person_and_the_other_gets_their_own(
    alerting: RunningAlerting, acme: Case, batches: str
) -> None:
    await alerting.emit(acme.account(), person(acme, "s"), person(acme, "t"))
    await alerting.emit(acme.response("r1", 2, stakeholder_id="s"))
    await alerting.emit(person(acme, "t", "s", minutes=5), gone(acme, "s", 6, merged_into="t"))
    assert (await alerting.only(acme))["stakeholder_id"] == "t"
    parted, back = person(acme, "t", minutes=7), person(acme, "s", minutes=8)
    undone = {"one": [[parted, back]], "in order": [[parted], [back]], "the other way round": [[back], [parted]]}
    for batch in undone[batches]:
        await read(alerting, acme, batch)
    await opened(alerting, acme)
    states = {task["stakeholder_id"]: task["state"] for task in await alerting.items(acme)}
    assert states == {"t": "closed", "s": "open"}


async def test_what_was_settled_under_one_id_stays_settled_for_the_person(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.response("r1", 2, stakeholder_id=MAIL))
    task = await alerting.only(acme)
    await alerting.do(task["follow_up_id"], "close", outcome="resolved")
    await alerting.emit(person(acme, "C-17", MAIL, minutes=5))
    await alerting.emit(acme.amended("r1", comment="still"))
    assert await alerting.items(acme, state="open") == []


async def test_two_ids_that_become_one_persons_at_once_leave_one_of_what_both_had(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), acme.response("r1", 2, stakeholder_id=MAIL))
    copied = (
        "insert into task_occasions (follow_up_id, kind, stakeholder_id, occasion, settled, account_id, role, event,"
        " facts, matches, holds) select follow_up_id, kind, :person, :occasion, :settled, account_id, role, event,"
        " facts, matches, holds from task_occasions where account_id = :account_id and stakeholder_id = :mail"
    )
    async with alerting.plumbing.database.write() as tx:
        named = {"account_id": acme.account_id, "mail": MAIL}
        (its_own,) = await tx.column(OCCASIONS, **named)
        for person_id, settled in (("j@acme.example", False), ("jd", True), ("C-17", False)):
            await tx.execute(copied, person=person_id, occasion=its_own, settled=settled, **named)
        for person_id, settled in ((MAIL, True), ("jd", False)):
            await tx.execute(copied, person="", occasion=f"{person_id}/x", settled=settled, **named)
    await alerting.emit(person(acme, "C-17", MAIL, "j@acme.example", "jd", minutes=5))
    assert (await alerting.only(acme))["stakeholder_id"] == "C-17"
    async with alerting.plumbing.database.read() as tx:
        rows = await tx.rows(
            "select stakeholder_id, occasion, settled from task_occasions where account_id = :account_id order by 1",
            account_id=acme.account_id,
        )
    assert list(map(tuple, rows)) == [("", "C-17/x", True), ("C-17", its_own, True)]


async def test_ids_change_under_the_lock_of_the_account_also_when_the_last_one_goes(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), person(acme, "C-17", MAIL))
    async with alerting.plumbing.database.write() as tx:
        await tx.lock_accounts([acme.account_id])
        last = person(acme, "C-17", minutes=5)
        await alerting.publisher.send(record_of(last, TOPIC_OF[last.name]))
        alerting.sent.append(1)
        await eventually(lambda: alerting.number(WAITING))
    await alerting.all_read()
    assert await alerting.number("select count(*) from aliases where account_id = :one", one=acme.account_id) == 0


async def test_email_changed_at_after_a_bounce_ends_the_follow_up(alerting: RunningAlerting, acme: Case) -> None:
    await alerting.emit(acme.account(), person(acme, "C-17", MAIL), invited(acme, "bounced", MAIL, 1))
    task = await alerting.only(acme)
    assert (task["kind"], task["stakeholder_id"]) == ("bounced_contact", "C-17")
    changed = MONDAY + timedelta(minutes=5)
    await alerting.emit(person(acme, "C-17", MAIL, "new@acme.example", minutes=5, email_changed_at=changed))
    closed = await alerting.get(task["follow_up_id"])
    assert (closed["state"], closed["outcome"]) == ("closed", "over")


async def test_previous_somebody_who_went_to_another_account_is_gone_at_the_first(
    alerting: RunningAlerting, acme: Case
) -> None:
    await alerting.emit(acme.account(), person(acme, "C-17"), acme.response("r1", 2, stakeholder_id="C-17"))
    task = await alerting.only(acme)
    there = Case(f"{acme.account_id}-there")
    line = {"account_id": acme.account_id, "stakeholder_id": "C-17"}
    await alerting.emit(gone(acme, "C-17", 5), person(there, "b", minutes=5, previous=line))
    closed = await alerting.get(task["follow_up_id"])
    assert (closed["state"], closed["outcome"]) == ("closed", "gone")
    assert await alerting.items(there) == []


async def test_an_erasure_takes_what_is_kept_under_every_id(
    alerting: RunningAlerting, acme: Case, module_environment: Environment
) -> None:
    await alerting.emit(acme.account(), acme.response("r1", 2, stakeholder_id=MAIL, comment="x"))
    await alerting.emit(person(acme, "C-17", MAIL, minutes=5), acme.response("r2", 9, stakeholder_id="C-17"))
    subject = subject_by(module_environment.common.secret_key.get_secret_value())
    ids = tuple(ErasedId(stakeholder_id=any_id, subject=subject(acme.account_id, any_id)) for any_id in ("C-17", MAIL))
    erased = acme.erased(module_environment, "C-17")
    data = erased.data.model_copy(update={"ids": ids})
    await alerting.emit(event(STAKEHOLDER_ERASED, data, erased.time))
    left = 0
    for table in ("responses", "aliases", "stakeholders"):
        counted = f"select count(*) from {table} where account_id = :account"  # noqa: S608 - names of ours
        left += await alerting.number(counted, account=acme.account_id)
    assert left == 0
    assert await alerting.items(acme, state="open") == []
    await alerting.emit(acme.response("r3", 1, stakeholder_id=MAIL))
    assert await alerting.items(acme, state="open") == []
