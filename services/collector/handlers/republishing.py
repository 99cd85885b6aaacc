"""Publishes the whole directory once more, for a Kafka that may not have it: readers keep the newer of what they
know."""

from services.collector.handlers.records import envelope, is_merged
from services.collector.store import directory as store
from services.collector.store.directory import DirectoryEvent
from shared.db.transaction import WriteTx
from shared.topics import DIRECTORY

_AT_ONCE = 500


async def republish(tx: WriteTx) -> int:
    """Write the last event of every record into the outbox; returns how many there are. Records that were merged into
    others come last, so that whoever follows a person to another record knows that one."""
    count = 0
    merged: list[DirectoryEvent] = []
    waiting: list[DirectoryEvent] = []
    for source in (store.events_of_accounts(tx), store.events_of_people(tx)):
        async for event in source:
            count += 1
            if is_merged(event):
                merged.append(event)
            else:
                waiting.append(event)
            if len(waiting) == _AT_ONCE:
                await tx.emit(DIRECTORY, *map(envelope, waiting))
                waiting.clear()
    await tx.emit(DIRECTORY, *map(envelope, [*waiting, *merged]))
    return count
