"""A key limited to the accounts of one owner knows no others: facts about them are refused as if there were none."""

from collections.abc import Iterable, Sequence

from services.collector.handlers.directory import is_visible
from services.collector.store import directory
from shared.db.engine import Database
from shared.errors import NotFound, TellbackError
from shared.events.envelope import Event


async def foreign(database: Database, owner_email: str | None, account_ids: Iterable[str]) -> frozenset[str]:
    """Those of the accounts that a key limited to `owner_email` does not know; none for a key without that limit.

    Raises `Unavailable` when PostgreSQL is away, and only for limited keys.
    """
    if owner_email is None:
        return frozenset()
    asked = frozenset(account_ids)
    async with database.read() as tx:
        found = await directory.accounts(tx, asked)
    return frozenset(account_id for account_id in asked if not is_visible(found.get(account_id), owner_email))


async def require_own(database: Database, owner_email: str | None, account_id: str) -> None:
    """Raises `NotFound`, the same for another owner's account and for one that does not exist."""
    if await foreign(database, owner_email, (account_id,)):
        raise _unknown()


async def own_only(
    database: Database, owner_email: str | None, events: Sequence[Event | TellbackError]
) -> list[Event | TellbackError]:
    """The items of a batch, those about accounts that the key does not know as their error."""
    known = [event for event in events if isinstance(event, Event)]
    others = await foreign(database, owner_email, (event.account_id for event in known))
    return [_unknown() if isinstance(event, Event) and event.account_id in others else event for event in events]


def _unknown() -> NotFound:
    return NotFound("not_found", "there is no such record")
