"""Topic context-events: what happened at accounts is kept, since programmes ask about it."""

from collections.abc import Sequence

from services.outreach.store import planning
from shared.db.erasures import Journal
from shared.db.transaction import WriteTx, as_columns
from shared.events.context import ContextRecorded
from shared.verdicts import CHANGE, BatchHandler, Received, Verdict


def read_context(journal: Journal) -> BatchHandler:
    """The handler of context.recorded. Of equal event ids the first stands."""

    async def handle(tx: WriteTx, records: Sequence[Received]) -> Sequence[Verdict]:
        happened = [record.event.data for record in records if isinstance(record.event.data, ContextRecorded)]
        people = [(data.account_id, data.stakeholder_id or "", min(data.recorded_at, data.at)) for data in happened]
        overtaken = await journal.overtaken(tx, people)
        kept = []
        for data, erased in zip(happened, overtaken, strict=True):
            if not erased:
                kept.append(
                    {
                        "account_id": data.account_id,
                        "event_id": data.event_id,
                        "kind": data.kind,
                        "at": data.at,
                        "stakeholder_id": data.stakeholder_id,
                        "recorded_at": data.recorded_at,
                    }
                )
        if kept:
            await planning.note_happenings(tx, as_columns(kept))
        return [CHANGE] * len(records)

    return handle
