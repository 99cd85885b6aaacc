"""All that is derived worked out anew from what was recorded, beside a running scorer: for an operator."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from services.scorer.handlers.projection import Projector
from services.scorer.store import known_accounts
from shared.db.engine import Database
from shared.errors import NotFound
from shared.isolation import Held


@dataclass(slots=True)
class Rebuilt:
    """How far a rebuild has come: accounts that were rebuilt, how many of them had other figures than were published,
    and those that cannot be worked out."""

    accounts: int = 0
    changed: int = 0
    failed: list[str] = field(default_factory=list)


class Rebuild:
    """Rebuilds some accounts in a transaction, and those of which one fails one by one."""

    def __init__(self, database: Database, projector: Projector, accounts: int) -> None:
        self._database = database
        self._projector = projector
        self._accounts = accounts
        self._held: Held[str] = Held("rebuild")

    async def count(self) -> int:
        """How many accounts there are. Raises `Unavailable`."""
        async with self._database.read() as tx:
            return await known_accounts.count_accounts(tx)

    async def run(self, only: str | None = None) -> AsyncIterator[Rebuilt]:
        """Rebuild every account, or only one, some in a transaction; yields how far it is after each. An account that
        fails stops no other. Raises `Unavailable`, `NotFound`."""
        rebuilt = Rebuilt()
        if only is not None:
            await self._require_known(only)
            await self._rebuild([only], rebuilt)
            yield rebuilt
            return
        last = ""
        while account_ids := await self._after(last):
            await self._rebuild(account_ids, rebuilt)
            yield rebuilt
            last = account_ids[-1]

    async def _rebuild(self, account_ids: Sequence[str], rebuilt: Rebuilt) -> None:
        async def act(some: Sequence[str]) -> None:
            rebuilt.changed += await self._projector.rebuild(some)

        done = await self._held.each(account_ids, act)
        rebuilt.accounts += len(done)
        rebuilt.failed += [account_id for account_id in account_ids if account_id not in done]

    async def _require_known(self, account_id: str) -> None:
        async with self._database.read() as tx:
            if not await known_accounts.is_known(tx, account_id):
                raise NotFound("unknown_account", "nothing is known of this account")

    async def _after(self, last: str) -> Sequence[str]:
        async with self._database.read() as tx:
            return await known_accounts.accounts_after(tx, last, self._accounts)
