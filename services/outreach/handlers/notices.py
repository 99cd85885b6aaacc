"""Mails that ask nothing: each is decided on, offered to the relay, decided on once more and noted as begun, and given
to it, as invitations are. What a kind of them says is its own maker's business."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.outreach.gateways.notes import Note
from services.outreach.gateways.relay import Trouble, again_after
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.store import notices as store
from services.outreach.store.asks import lock_asking
from services.outreach.store.notices import Notice, NoticeKind
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx

MOST_ATTEMPTS: Final = 50


@dataclass(frozen=True, slots=True)
class Later:
    """It waits until a moment at which it is looked at again."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Never:
    """It does not go any more, for a reason."""

    reason: str


class Maker(Protocol):
    """Decides on the mails of one kind, and says what they say."""

    async def note(self, tx: WriteTx, notice: Notice, now: datetime) -> Note | Later | Never:
        """The mail, if it may go now."""

    async def refused(self, tx: WriteTx, notice: Notice, now: datetime) -> None:
        """The recipient's server refuses the address for good."""


@dataclass(frozen=True, slots=True)
class Noticing:
    """Decides on mails that ask nothing, and writes down what became of them."""

    database: Database
    clock: Clock
    contents: MailContents
    makers: Mapping[NoticeKind, Maker]

    async def due(self, most: int) -> list[Notice]:
        """Mails to be looked at now; those that may have left when a process ended count as sent."""
        now = self.clock.now()
        async with self.database.read() as tx:
            begun = await store.interrupted(tx, now)
            found = await store.due(tx, now, most)
        for notice in begun:
            await self.taken(notice, notice.data_started_at or now, confirmed=False)
        return found

    async def look_at(self, notice: Notice) -> Note | None:
        """The mail, if it goes now; what waits, or never goes, is written down, and None."""
        return await self.database.retrying(lambda tx: self._look_at(tx, notice))

    async def begin(self, notice: Notice, note: Note) -> bool:
        """Decide once more, and note that the relay is given the mail now; False where it does not go any more."""

        async def work(tx: WriteTx) -> bool:
            await lock_asking(tx)
            if notice.account_id is not None:
                await tx.lock_accounts({notice.account_id})
            again = await self._look_at(tx, notice)
            if again is None or again.to.email != note.to.email:
                return False
            return await store.begin(tx, notice.notice_id, self.clock.now())

        return await self.database.retrying(work)

    async def taken(self, notice: Notice, at: datetime, *, confirmed: bool) -> None:
        """The relay has taken the mail, or may have, if it is not `confirmed`."""
        await self.database.retrying(lambda tx: store.end(tx, notice.notice_id, "sent", None, at, confirmed=confirmed))

    async def put_off(self, notice: Notice, pause: timedelta) -> None:
        """Look at it again after a while."""
        until = self.clock.now() + pause
        await self.database.retrying(lambda tx: store.put_off(tx, notice.notice_id, until))

    async def troubled(self, notice: Notice, trouble: Trouble) -> None:
        """The relay has not taken the mail, and said why."""
        now = self.clock.now()

        async def work(tx: WriteTx) -> None:
            attempts = await store.refused(tx, notice.notice_id, counts=trouble.counts)
            if trouble.kind == "recipient":
                await store.end(tx, notice.notice_id, "failed", "recipient_refused", now)
                await self.makers[notice.kind].refused(tx, notice, now)
            elif trouble.counts and attempts >= MOST_ATTEMPTS:
                await store.end(tx, notice.notice_id, "failed", "message_refused", now)
            else:
                await store.put_off(tx, notice.notice_id, now + again_after(attempts, trouble))

        await self.database.retrying(work)

    async def _look_at(self, tx: WriteTx, notice: Notice) -> Note | None:
        now = self.clock.now()
        if not await store.is_due(tx, notice.notice_id, now):
            return None
        decided = await self.makers[notice.kind].note(tx, notice, now)
        match decided:
            case Later(until):
                await store.put_off(tx, notice.notice_id, until)
            case Never(reason):
                await store.end(tx, notice.notice_id, "skipped", reason, now)
            case Note():
                return decided
        return None
