"""Whom to tell of what, and notices: written beside what they tell of, claimed in bundles, marked when they went."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerting.courier.interface import SENDING
from services.alerting.domain.notices import Announcement, Notification
from services.alerting.tables.metadata import columns_of
from services.alerting.tables.notices import NOTIFICATIONS
from shared.db.erasures import nobody_waits
from shared.db.pieces import delete_piece
from shared.db.transaction import ReadTx, WriteTx

BUNDLES_AT_ONCE = 20
_NOTIFICATION = columns_of(NOTIFICATIONS)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one recipient."""

    notice_id: int
    notification_id: str
    recipient: str
    account_id: str
    topic: Any
    follow_up_id: UUID | None
    response_id: str | None
    cause: Any
    attempts: int


class BundleKey(NamedTuple):
    """What goes as one message: the notices to one recipient about one account, praise apart."""

    notification_id: str
    recipient: str
    account_id: str
    praise: bool


_BUNDLE_KEY = "notification_id, recipient, account_id, topic = 'praise'"
_BUNDLE_KEYS = """unnest(cast(:notifications as text[]), cast(:recipients as text[]), cast(:accounts as text[]),
    cast(:praises as boolean[])) as wanted (notification_id, recipient, account_id, praise)"""
_NOTICE = ", ".join(field.name for field in fields(Notice))


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice to be written: who is told of what, from when on."""

    notification_id: str
    recipient: str
    announcement: Announcement
    due_at: datetime


async def add_notification(
    tx: WriteTx, notification: Notification, sealed_url: bytes | None, actor: str, now: datetime
) -> None:
    """Store whom to tell."""
    row = {
        "notification_id": notification.notification_id,
        "channel": notification.channel,
        "topics": list(notification.topics),
        "address": notification.address,
        "host": notification.host,
        "sealed_url": sealed_url,
        "min_severity": notification.min_severity,
        "quiet_hours": notification.quiet_hours,
        "description": notification.description,
        "owner_email": notification.owner_email,
        "created_by": actor,
        "created_at": now,
    }
    await tx.execute_many(NOTIFICATIONS.insert(), [row])


async def notifications(tx: ReadTx, owner_email: str | None = None) -> list[Notification]:
    """All notifications, oldest first; for a caller limited to an owner those of that owner."""
    rows = await tx.all(
        f"select {_NOTIFICATION} from notifications where deleted_at is null"
        " and (cast(:owner as text) is null or owner_email = :owner) order by created_at, notification_id",
        owner=owner_email,
    )
    return [_notification(row) for row in rows]


async def find_notification(tx: ReadTx, notification_id: str, owner_email: str | None) -> Notification | None:
    """The notification of this id; None where there is none, or it is another owner's than `owner_email`."""
    for notification in await notifications(tx, owner_email):
        if notification.notification_id == notification_id:
            return notification
    return None


async def sealed_url_of(tx: ReadTx, notification_id: str) -> bytes | None:
    """The encrypted address of a room."""
    sealed: bytes | None = await tx.scalar(
        "select sealed_url from notifications where notification_id = :id", id=notification_id
    )
    return sealed


async def delete_notification(tx: WriteTx, notification_id: str, now: datetime) -> None:
    """Tell them no more; what waits is dropped, and the address of a room is gone."""
    await tx.execute(
        "update notifications set deleted_at = :now, sealed_url = case when channel = 'mail' then null else ''::bytea"
        " end where notification_id = :id",
        id=notification_id,
        now=now,
    )
    await tx.execute(
        "update notices set status = 'dropped', due_at = null where notification_id = :id and status = 'waiting'",
        id=notification_id,
    )


async def add_notices(tx: WriteTx, notices: Sequence[NewNotice], now: datetime) -> None:
    """Write notices; one that a recipient has of the same event already stays the only one."""
    rows = [
        {
            "notification_id": notice.notification_id,
            "recipient": notice.recipient,
            "account_id": notice.announcement.account_id,
            "topic": notice.announcement.topic,
            "event_id": notice.announcement.event_id,
            "follow_up_id": notice.announcement.follow_up_id,
            "response_id": notice.announcement.response_id,
            "cause": notice.announcement.cause,
            "due_at": notice.due_at,
            "now": now,
        }
        for notice in notices
    ]
    await tx.execute_many(
        "insert into notices (notification_id, recipient, account_id, topic, event_id, follow_up_id, response_id,"
        " cause, status, created_at, due_at) values (:notification_id, :recipient, :account_id, :topic, :event_id,"
        " :follow_up_id, :response_id, :cause, 'waiting', :now, :due_at)"
        " on conflict (notification_id, recipient, event_id) do nothing",
        rows,
    )


async def due_bundles(tx: ReadTx, now: datetime, held: Sequence[BundleKey]) -> list[BundleKey]:
    """To whom something is due, the longest overdue first, but for those that are held. A lease that has passed is due
    again. Nothing goes out about an account of which somebody waits to be erased.
    """
    rows = await tx.rows(
        f"""
        select {_BUNDLE_KEY} from notices
        where {SENDING}
            and ((status = 'waiting' and due_at <= :now) or (status = 'sending' and lease_until <= :now))
            and {nobody_waits("account_id")} and ({_BUNDLE_KEY}) not in (select * from {_BUNDLE_KEYS})
        group by 1, 2, 3, 4 order by min(coalesce(due_at, lease_until)) limit :limit
        """,
        now=now,
        limit=BUNDLES_AT_ONCE,
        **_columns(held),
    )
    return [BundleKey(*row) for row in rows]


async def claim_notices(
    tx: WriteTx, keys: Sequence[BundleKey], now: datetime, lease_until: datetime
) -> list[list[Notice]]:
    """Take what is due to these, in bundles: with the first notice to a recipient about an account go all that wait
    behind it, praise apart. What another process has taken is left out.
    """
    rows = await tx.all(
        f"""
        with held as (
            select notice_id from notices join {_BUNDLE_KEYS} using (notification_id, recipient, account_id)
            where (status = 'waiting' or (status = 'sending' and lease_until <= :now))
                and (topic = 'praise') = wanted.praise and {nobody_waits("account_id")}
            order by notice_id for update of notices skip locked
        )
        update notices set status = 'sending', due_at = null, lease_until = :until, attempts = attempts + 1
        where notice_id in (select notice_id from held) returning {_NOTICE}
        """,
        now=now,
        until=lease_until,
        **_columns(keys),
    )
    bundles: dict[BundleKey, list[Notice]] = {}
    for row in sorted(rows, key=lambda row: row["notice_id"]):
        address = BundleKey(row["notification_id"], row["recipient"], row["account_id"], row["topic"] == "praise")
        bundles.setdefault(address, []).append(Notice(**row))
    return list(bundles.values())


def _columns(keys: Sequence[BundleKey]) -> dict[str, Any]:
    return {
        "notifications": [address.notification_id for address in keys],
        "recipients": [address.recipient for address in keys],
        "accounts": [address.account_id for address in keys],
        "praises": [address.praise for address in keys],
    }


async def mark_dropped(tx: WriteTx, notice_ids: Sequence[int]) -> None:
    """Mark notices whose news is over, so that they are not sent."""
    await tx.execute(
        "update notices set status = 'dropped', lease_until = null where notice_id = any(cast(:ids as bigint[]))",
        ids=list(notice_ids),
    )


async def mark_sent(tx: WriteTx, notice_ids: Sequence[int], message_id: str, now: datetime) -> None:
    """Mark notices as sent."""
    await tx.execute(
        "update notices set status = 'sent', lease_until = null, sent_at = :now, message_id = :message_id,"
        " last_failure = null where notice_id = any(cast(:ids as bigint[])) and status = 'sending'",
        ids=list(notice_ids),
        message_id=message_id,
        now=now,
    )


async def mark_failed(
    tx: WriteTx, notice_ids: Sequence[int], failure: str, again_at: datetime | None, *, asked: bool
) -> None:
    """Note that notices could not be sent. They are tried again at `again_at`; None gives them up. Where nobody could
    be `asked` to take them it was no attempt."""
    await tx.execute(
        "update notices set status = case when cast(:again as timestamptz) is null then 'failed' else 'waiting' end,"
        " due_at = :again, lease_until = null, last_failure = :failure,"
        " attempts = attempts - case when :asked then 0 else 1 end"
        " where notice_id = any(cast(:ids as bigint[])) and status = 'sending'",
        ids=list(notice_ids),
        again=again_at,
        failure=failure,
        asked=asked,
    )


async def notices_of(tx: ReadTx, follow_up_id: UUID) -> list[dict[str, Any]]:
    """What people were told of a follow-up, oldest first."""
    rows = await tx.all(
        "select channel, notification_id, recipient, topic, n.status, n.created_at, due_at, sent_at, attempts,"
        " last_failure from notices n join notifications using (notification_id) where follow_up_id = :id"
        " order by notice_id",
        id=follow_up_id,
    )
    return [dict(row) for row in rows]


async def purge_notices(tx: WriteTx, before: datetime) -> int:
    """Delete a piece of the notices that were sent, dropped or given up long ago; returns how many."""
    old = "created_at < :before and status in ('sent', 'dropped', 'failed')"
    return await delete_piece(tx, "notices", old, "created_at", before=before)


def _notification(row: RowMapping) -> Notification:
    return Notification(
        notification_id=row["notification_id"],
        channel=row["channel"],
        topics=tuple(row["topics"]),
        address=row["address"],
        host=row["host"],
        min_severity=row["min_severity"],
        quiet_hours=row["quiet_hours"],
        description=row["description"],
        owner_email=row["owner_email"],
        created_at=row["created_at"],
    )
