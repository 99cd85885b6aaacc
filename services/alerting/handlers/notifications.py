"""People say whom to tell of what: by mail, or in a room of Slack or Teams."""

from services.alerting.domain.notices import Notification
from services.alerting.outbound.domain.addresses import without_path
from services.alerting.outbound.gateways.vault import Vault, notification_of
from services.alerting.store import notices as store
from shared.access.caller import Caller
from shared.clock import Clock
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import NotFound
from shared.ids import uuid7


def new_notification_id() -> str:
    """A fresh id."""
    return f"ntf_{uuid7().hex}"


async def create_notification(
    tx: WriteTx, clock: Clock, vault: Vault, notification: Notification, url: str | None, actor: str
) -> None:
    """Store a notification. The address of a room is a secret: kept encrypted, and shown without its path."""
    sealed = None
    if url:
        sealed = vault.seal(url, notification_of(notification.notification_id))
    await store.add_notification(tx, notification, sealed, actor, clock.now())


async def found_notification(tx: ReadTx, notification_id: str, caller: Caller) -> Notification:
    """The notification of this id. Raises `NotFound`, also for another owner's."""
    notification = await store.find_notification(tx, notification_id, caller.owner_email)
    if notification is None:
        raise NotFound("notification_not_found", "there is no such notification")
    return notification


async def delete_notification(tx: WriteTx, clock: Clock, notification_id: str, caller: Caller) -> None:
    """End a notification. Raises `NotFound`."""
    await found_notification(tx, notification_id, caller)
    await store.delete_notification(tx, notification_id, clock.now())


def host_of(url: str) -> str:
    """What may be shown of the address of a room."""
    return without_path(url)
