"""A key limited to the accounts of one owner knows no others: facts about them are refused as if there were none."""

from collections.abc import Iterable, Sequence

from services.collector.handlers.directory import is_visible
from services.collector.store import directory
from shared.db.engine import Database
from shared.db.transaction import ReadTx
from shared.errors import NotFound, TellbackError
from shared.events.envelope import Event


async def foreign(tx: ReadTx, owner_email: str | None, account_ids: Iterable[str]) -> frozenset[str]:
    """Those of the accounts that a key limited to `owner_email` does not know; none for a key without that limit."""
    if owner_email is None:
        return frozenset()
    asked = frozenset(account_ids)
    found = await directory.accounts(tx, asked)
    return frozenset(account_id for account_id in asked if not is_visible(found.get(account_id), owner_email))


async def own_only(
    database: Database, owner_email: str | None, events: Sequence[Event | TellbackError]
) -> list[Event | TellbackError]:
    """The items of a batch; those about accounts that the key does not know as their error, the same for another
    owner's account and for one that does not exist.

    Raises `Unavailable` when PostgreSQL is away, and only for limited keys.
    """
    if owner_email is None:
        return list(events)
    async with database.read() as tx:
        others = await foreign(tx, owner_email, (event.account_id for event in events if isinstance(event, Event)))
    return [unknown() if isinstance(event, Event) and event.account_id in others else event for event in events]


async def require_own(database: Database, owner_email: str | None, event: Event) -> None:
    """Raises `NotFound` when the key does not know the event's account; `Unavailable` as above."""
    (result,) = await own_only(database, owner_email, (event,))
    if isinstance(result, TellbackError):
        raise result


def unknown() -> NotFound:
    """The account is not there for this key."""
    return NotFound("not_found", "there is no such record")
