"""Notices to people: written in the transaction of what they are about, sent later in bundles, in the words of then."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.alerting.courier.interface import claim_disabled_notices, disabled_endpoints, disabled_notices
from services.alerting.domain.notices import (
    ENDPOINT,
    Announcement,
    DisabledWebhook,
    Item,
    Notification,
    sent_at,
    still_news,
)
from services.alerting.domain.tasks import Contact, Task
from services.alerting.domain.wording import read_on
from services.alerting.handlers.context import Context
from services.alerting.handlers.resources import Resources
from services.alerting.store import notices as store
from services.alerting.store.answers import answers_by_id
from services.alerting.store.notices import BundleKey, NewNotice, Notice
from services.alerting.store.tasks import tasks_by_id
from shared.db.transaction import ReadTx, WriteTx
from shared.ids import derived_uuid

KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes to one recipient as one message. `sealed_url` is the encrypted address of a room."""

    notification: Notification
    notices: tuple[Notice, ...]
    items: tuple[Item, ...]
    sealed_url: bytes | None

    @property
    def ids(self) -> list[int]:
        """The notices that it holds."""
        return [notice.notice_id for notice in self.notices]

    @property
    def attempts(self) -> int:
        """How often it has been tried, this time included."""
        return max(notice.attempts for notice in self.notices)


async def announce(tx: WriteTx, resources: Resources, context: Context, announcements: Sequence[Announcement]) -> None:
    """Write a notice for every recipient whose notification covers an announcement, in the caller's transaction."""
    owners = {}
    for announcement in announcements:
        owners[announcement.account_id] = context.account(announcement.account_id).owner.email
    await _write(tx, resources, announcements, owners)


async def to_announce_disabled(tx: WriteTx, _resources: Resources, held: Sequence[int]) -> Sequence[int]:
    """The ids of courier notices about endpoints that were disabled by themselves, which people have not been told."""
    return await disabled_notices(tx, held)


async def announce_disabled(tx: WriteTx, resources: Resources, notice_ids: Sequence[int]) -> int:
    """Tell people of endpoints that were disabled by themselves: whoever takes what nobody owns, and who leads; of an
    endpoint with an owner, that owner. Answers how many there were.
    """
    disabled = await claim_disabled_notices(tx, notice_ids, resources.clock.now())
    staff = resources.policy.staff
    announcements, owners = [], {}
    for number, endpoint_id, owner in disabled:
        name = f"{ENDPOINT}{endpoint_id}"
        concerned: tuple[Contact, ...] = (staff.default_owner, staff.leader)
        if owner:
            concerned = (Contact(email=owner),)
        event_id = derived_uuid("endpoint_disabled", endpoint_id, str(number))
        announcements.append(Announcement("webhooks", event_id, name, "critical", concerned))
        owners[name] = owner
    await _write(tx, resources, announcements, owners)
    return len(disabled)


async def _write(
    tx: WriteTx, resources: Resources, announcements: Sequence[Announcement], owners: Mapping[str, str | None]
) -> None:
    if not announcements:
        return
    notifications, now = await store.notifications(tx), resources.clock.now()
    notices = []
    for announcement in announcements:
        owner = owners[announcement.account_id]
        for notification in notifications:
            if not notification.wants(announcement.topic, announcement.severity, owner):
                continue
            at = sent_at(now, resources.notice_wait, notification.quiet_hours, resources.policy.calendar)
            for recipient in notification.recipients(announcement.concerned):
                notices.append(NewNotice(notification.notification_id, recipient, announcement, at))
    await store.add_notices(tx, notices, now)


async def due(tx: ReadTx, resources: Resources, held: Sequence[BundleKey]) -> Sequence[BundleKey]:
    """The bundles that are due now."""
    return await store.due_bundles(tx, resources.clock.now(), held)


async def claim(tx: WriteTx, resources: Resources, keys: Sequence[BundleKey]) -> list[Bundle]:
    """Claim what is due, in bundles; notices about what has been dealt with meanwhile are dropped."""
    now = resources.clock.now()
    today = resources.policy.calendar.local_date(now)
    claimed = await store.claim_notices(tx, keys, now, now + resources.notice_lease)
    if not claimed:
        return []
    notifications = {notification.notification_id: notification for notification in await store.notifications(tx)}
    bundles = []
    for notices in claimed:
        notification, kept, dropped = notifications.get(notices[0].notification_id), [], []
        for notice, item in await _items(tx, notices, today):
            if notification is not None and still_news(notice.topic, item):
                kept.append((notice, item))
            else:
                dropped.append(notice.notice_id)
        await store.mark_dropped(tx, dropped)
        if notification is not None and kept:
            sealed = await store.sealed_url_of(tx, notification.notification_id)
            bundles.append(Bundle(notification, tuple(notice for notice, _ in kept), _once(kept), sealed))
    return bundles


async def purge_notices(tx: WriteTx, resources: Resources) -> int:
    """Delete old notices; returns how many."""
    return await store.purge_notices(tx, resources.clock.now() - KEPT)


async def _items(tx: WriteTx, notices: Sequence[Notice], today: date) -> list[tuple[Notice, Item]]:
    """The notices, each with what it speaks of as that is now."""
    stored = await tasks_by_id(tx, [notice.follow_up_id for notice in notices if notice.follow_up_id])
    tasks = {task.follow_up_id: read_on(task, today) for task in stored}
    context = await _context(tx, notices, tasks.values())
    endpoints = await _endpoints(tx, notices)
    items = []
    for notice in notices:
        task, response_id, person_id = None, notice.response_id, None
        if notice.follow_up_id is not None:
            task = tasks.get(notice.follow_up_id)
        if task is not None:
            response_id, person_id = task.response_id, task.stakeholder_id
        answer = context.answer(notice.account_id, response_id)
        if task is None and answer is not None:
            person_id = answer.stakeholder_id
        account, person = context.account(notice.account_id), context.person(notice.account_id, person_id)
        item = Item(account, person, answer, task, notice.cause, endpoints.get(notice.account_id))
        items.append((notice, item))
    return items


async def _context(tx: WriteTx, notices: Sequence[Notice], tasks: Collection[Task]) -> Context:
    """The accounts, answers and people of the notices and of their follow-ups."""
    keys: set[tuple[str, str]] = set()
    people: set[tuple[str, str | None]] = set()
    for notice in notices:
        people.add((notice.account_id, None))
        if notice.response_id:
            keys.add((notice.account_id, notice.response_id))
    for task in tasks:
        people.add((task.account_id, task.stakeholder_id))
        if task.response_id:
            keys.add((task.account_id, task.response_id))
    answers = await answers_by_id(tx, keys)
    for kept in answers.values():
        people.add((kept.live.account_id, kept.live.stakeholder_id))
    return replace(await Context.read(tx, people, ()), answers=answers)


async def _endpoints(tx: WriteTx, notices: Sequence[Notice]) -> dict[str, DisabledWebhook]:
    """The endpoints that are still disabled, by the name under which a notice has them in the place of an account."""
    endpoint_ids = [notice.account_id.removeprefix(ENDPOINT) for notice in notices if notice.topic == "webhooks"]
    if not endpoint_ids:
        return {}
    disabled = {}
    for endpoint in await disabled_endpoints(tx, endpoint_ids):
        disabled[f"{ENDPOINT}{endpoint.endpoint_id}"] = DisabledWebhook(
            endpoint.endpoint_id,
            endpoint.host,
            endpoint.description,
            endpoint.reason,
            endpoint.disabled_at,
            endpoint.held_count,
        )
    return disabled


def _once(items: Sequence[tuple[Notice, Item]]) -> tuple[Item, ...]:
    """Of several notices about one follow-up only the newest, in its place."""
    newest: dict[object, Item] = {}
    for notice, item in items:
        key = notice.follow_up_id or notice.response_id or notice.account_id
        newest.pop(key, None)
        newest[key] = item
    return tuple(newest.values())
