"""An import is undone, account by account: what it recorded first counts as withdrawn, what it changed is as before."""

from collections.abc import Sequence

from services.scorer.handlers.responses import refold
from services.scorer.store import changes, dirty_accounts, import_rows, responses
from shared.clock import Clock
from shared.db.transaction import WriteTx
from shared.events.files import undoing
from shared.events.responses import ImportUndone
from shared.verdicts import CHANGE, REPEAT, Received, Verdict

AT_ONCE = 2_000
"""Responses of one statement: it has 10 s."""


class Undoing:
    """The batch handler of `import.undone`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def apply(self, tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        """Undo the imports, each in its account; the accounts become dirty."""
        verdicts = []
        for record in records:
            data = record.event.data
            if not isinstance(data, ImportUndone):
                raise TypeError(f"not the undoing of an import: {record.event.name}")
            verdicts.append(await self._undo(tx, data))
        return verdicts

    async def _undo(self, tx: WriteTx, event: ImportUndone) -> Verdict:
        """No row of the import is read after it, so what it has brought is all there."""
        if not await import_rows.undo(tx, event.import_id, event.account_id, event.recorded_at):
            return REPEAT
        found = await responses.of_import(tx, event.account_id, event.import_id)
        if not found:
            return CHANGE
        response_ids = sorted(found)
        for start in range(0, len(response_ids), AT_ONCE):
            some = response_ids[start : start + AT_ONCE]
            undone = []
            for response_id in some:
                change = undoing(event.import_id, response_id, event.account_id, event.recorded_at)
                undone.append((response_id, change))
            await changes.insert(tx, undone)
            await refold(tx, some)
        first = min(owner["answered_at"] for owner in found.values())
        await dirty_accounts.mark(tx, {event.account_id: False}, self._clock.now(), {event.account_id: first})
        return CHANGE
