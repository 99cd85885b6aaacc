"""Erasure of a person: rows lose what leads to them, and whatever was recorded until then stays out for good."""

from collections.abc import Sequence

from services.scorer.store import erasures, marks
from shared.clock import Clock
from shared.db.erasures import Journal, Person, forget_parked_answers
from shared.db.transaction import WriteTx
from shared.events.response_fast_reader import Recorded
from shared.events.responses import StakeholderErased
from shared.verdicts import CHANGE, REPEAT, Verdict


class Erasure:
    """Erases people, and tells facts that an erasure has overtaken."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal

    async def erase(self, tx: WriteTx, event: StakeholderErased) -> Verdict:
        """Do it, once a receipt. The journal keeps the subject that the event carries, so that all services agree."""
        if await self._journal.known(tx, event.receipt_id):
            return REPEAT
        person = event.model_dump(include={"account_id", "stakeholder_id", "erased_at"})
        # What a projector has read of the person it tells before this, or not at all. The mark before anything else, as
        # for invitations.
        await marks.hold(tx, [event.account_id])
        await marks.mark(tx, {event.account_id: False}, self._clock.now())
        names = await erasures.names_of(tx, event.account_id, event.stakeholder_id)
        response_ids, elsewhere = await erasures.erase(tx, person, event.subject)
        await erasures.redact(tx, event.account_id, names)
        await forget_parked_answers(tx, event.account_id, response_ids)
        await self._journal.applied(
            tx,
            event,
            self._clock.now(),
            responses=len(response_ids),
            invitations=elsewhere["invitations"],
            context_marks=elsewhere["context_marks"],
        )
        return CHANGE

    async def overtaken(self, tx: WriteTx, people: Sequence[Person]) -> Sequence[bool]:
        """For each fact whether it was recorded at or before an erasure of its person."""
        return await self._journal.overtaken(tx, people)

    async def shadow(self, tx: WriteTx, recorded: Sequence[tuple[int, Recorded]]) -> tuple[set[int], set[str]]:
        """What erasures took of the responses (index, data): the indexes of those recorded at or before an erasure of
        their person, and the ids that are taken for good."""
        if not await erasures.any_yet(tx):
            return set(), set()
        people = [(data.account_id, data.stakeholder_id, data.recorded_at) for _, data in recorded]
        overtaken = await self._journal.overtaken(tx, people)
        gone = {index for (index, _), erased in zip(recorded, overtaken, strict=True) if erased}
        return gone, await erasures.dropped(tx, [data.response_id for _, data in recorded])

    async def dropped(self, tx: WriteTx, response_ids: Sequence[str]) -> set[str]:
        """Those of the responses that came only after the erasure of their person, and were not stored."""
        return await erasures.dropped(tx, response_ids) if await erasures.any_yet(tx) else set()
