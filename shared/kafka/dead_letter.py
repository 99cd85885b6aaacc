"""Dead letters and conflicts: parked with their reason and original bytes, shown, and published for other tools."""

from collections.abc import Mapping, Sequence

from shared.db.erasures import Forgotten, Journal, forget_outbox, forget_parked, person_in
from shared.db.parked import Fault, RawRecord, put_aside
from shared.db.set_aside import UNDECODABLE
from shared.db.transaction import WriteTx
from shared.errors import Halt
from shared.events.responses import StakeholderErased
from shared.verdicts import Verdict

LIMIT_WINDOW = "10 minutes"
_RECENT = (
    "select count(*) from parked where kind = 'dead_letter' and reason <> 'handler_error'"
    " and parked_at > now() - interval '10 minutes'"
)


async def overtaken(tx: WriteTx, journal: Journal, records: Mapping[int, RawRecord]) -> list[int]:
    """The numbers of the records about an erased person that were recorded up to the erasure."""
    people = {number: person for number, raw in records.items() if (person := person_in(raw.value))}
    gone = await journal.overtaken(tx, list(people.values()))
    return [number for number, dropped in zip(people, gone, strict=True) if dropped]


async def forget_kept(tx: WriteTx, event: StakeholderErased) -> None:
    """Delete a person's parked records and outbox rows."""
    for erased in event.every_id():
        person = Forgotten(event.account_id, erased.stakeholder_id, event.erased_at)
        await forget_parked(tx, person)
        await forget_outbox(tx, person)


async def park(
    tx: WriteTx,
    prefix: str,
    records: Sequence[tuple[RawRecord, Verdict]],
    *,
    service: str,
    version: str,
    limit: int,
) -> None:
    """Park conflicts and dead letters in the batch's transaction; dead letters are published through the outbox too.
    `limit`: most dead letters in ten minutes, 0 for no limit; past it `Halt` is raised, so that reading stops instead
    of draining the topic. Records that a handler failed on have rules of their own."""
    if not records:
        return
    for raw, verdict in records:
        fault = Fault(None, version, None, None) if verdict.reason == UNDECODABLE else None
        await put_aside(tx, prefix, raw, verdict, service, fault)
    if limit:
        recent = await tx.scalar(_RECENT)
        if recent > limit:
            raise Halt(
                "dead_letter_limit",
                f"more than {limit} dead letters in {LIMIT_WINDOW}: see `tellback dlq list`, then raise"
                " TELLBACK_DEAD_LETTER_LIMIT or set it to 0",
            )
