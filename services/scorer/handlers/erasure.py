"""Erasure of a person or of an account: rows lose what leads to them, and whatever was recorded or given until then
stays out for good."""

from collections.abc import Collection, Sequence
from itertools import compress

from services.scorer.store import dirty_accounts, erasures
from shared.clock import Clock
from shared.db.account_erasures import forget_parked_of, forget_rows, note_erased
from shared.db.erasures import Journal, Person, account_subject, forget_parked_answers
from shared.db.transaction import WriteTx
from shared.events.directory import AccountRemoved
from shared.events.response_fast_reader import Recorded
from shared.events.responses import StakeholderErased
from shared.verdicts import CHANGE, REPEAT, Verdict


class Erasure:
    """Erases people, and recognises facts that an erasure has overtaken."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal

    async def erase(self, tx: WriteTx, event: StakeholderErased) -> Verdict:
        """Do it, once a receipt, for all ids of the person. The journal keeps the subjects that the event carries, so
        that all services agree."""
        if await self._journal.known(tx, event):
            return REPEAT
        ids = [erased.stakeholder_id for erased in event.every_id()]
        # What a projector has read of the person it publishes before this, or not at all. The account becomes dirty
        # before anything else is written, as for invitations.
        await dirty_accounts.hold(tx, [event.account_id])
        await dirty_accounts.mark(tx, {event.account_id: False}, self._clock.now())
        names = await erasures.names_of(tx, event.account_id, ids)
        person = {"account_id": event.account_id, "ids": ids, "erased_at": event.erased_at}
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

    async def erase_account(self, tx: WriteTx, account: AccountRemoved) -> None:
        """Take an account out of every row of until then. Its figures become those of nobody with the next projection,
        which waits for this."""
        await dirty_accounts.hold(tx, [account.account_id])
        response_ids = await erasures.erase_answers_of(tx, account, account_subject(account.account_id))
        await dirty_accounts.mark(tx, {account.account_id: False}, self._clock.now())
        await forget_rows(tx, account, erasures.ROWS_OF_ACCOUNTS)
        await forget_parked_of(tx, account.account_id)
        await forget_parked_answers(tx, account.account_id, response_ids)
        await note_erased(tx, account, self._clock.now())

    async def overtaken(self, tx: WriteTx, people: Sequence[Person]) -> Sequence[bool]:
        """For each fact whether it was recorded, or happened, at or before an erasure of its person."""
        return await self._journal.overtaken(tx, people)

    async def shadow(self, tx: WriteTx, recorded: Sequence[tuple[int, Recorded]]) -> tuple[set[int], set[str]]:
        """What erasures took of the responses (index, data): the indexes of those recorded or given at or before an
        erasure of their person, and the ids that are taken for good."""
        if not await erasures.any_yet(tx):
            return set(), set()
        people, indexes, response_ids = [], [], []
        for index, data in recorded:
            people.append((data.account_id, data.stakeholder_id, min(data.recorded_at, data.answered_at)))
            indexes.append(index)
            response_ids.append(data.response_id)
        overtaken = await self._journal.overtaken(tx, people)
        return set(compress(indexes, overtaken)), await erasures.dropped(tx, response_ids)

    async def dropped(self, tx: WriteTx, response_ids: Collection[str]) -> set[str]:
        """Those of the responses that came only after the erasure of their person, and were not stored."""
        if not await erasures.any_yet(tx):
            return set()
        return await erasures.dropped(tx, response_ids)
