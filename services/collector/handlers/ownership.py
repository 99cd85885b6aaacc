"""Keys limited to the accounts of one owner: facts about other accounts are refused as if these did not exist."""

from collections.abc import Iterable, Sequence

from services.collector.handlers.records import is_visible, unknown
from services.collector.store import directory
from shared.db.engine import Database
from shared.db.transaction import ReadTx
from shared.errors import TellbackError
from shared.events.envelope import Event


async def foreign(tx: ReadTx, owner_email: str | None, account_ids: Iterable[str]) -> frozenset[str]:
    """The accounts among `account_ids` that a key limited to `owner_email` may not see; none for a key without that
    limit."""
    if owner_email is None:
        return frozenset()
    asked = frozenset(account_ids)
    accounts = await directory.accounts(tx, asked)
    return frozenset(account_id for account_id in asked if not is_visible(accounts.get(account_id), owner_email))


async def own_only(
    database: Database, owner_email: str | None, events: Sequence[Event | TellbackError]
) -> list[Event | TellbackError]:
    """The items of a batch. An event about an account that the key may not see becomes `NotFound`, which does not tell
    whether the account is another owner's or does not exist. Raises `Unavailable` when PostgreSQL is away, and only for
    limited keys."""
    if owner_email is None:
        return list(events)
    async with database.read() as tx:
        hidden = await foreign(tx, owner_email, (event.account_id for event in events if isinstance(event, Event)))
    results: list[Event | TellbackError] = []
    for event in events:
        if isinstance(event, Event) and event.account_id in hidden:
            results.append(unknown())
        else:
            results.append(event)
    return results


async def require_own(database: Database, owner_email: str | None, event: Event) -> None:
    """Raises `NotFound` when the key may not see the event's account; `Unavailable` when PostgreSQL is away, and only
    for limited keys."""
    (result,) = await own_only(database, owner_email, (event,))
    if isinstance(result, TellbackError):
        raise result
