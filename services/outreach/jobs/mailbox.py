"""Reads the mailbox to which bounces come. A mail and how far was read are one transaction, and a report has a key, so
neither a restart nor a second replica takes one twice."""

import asyncio
from typing import Final

from services.outreach.domain.bounces import Report, read_report
from services.outreach.domain.mailbox import MailboxSettings, ReadUntil
from services.outreach.domain.tokens import Tokens
from services.outreach.gateways.mailbox import fetch
from services.outreach.handlers.bounces import Bounces
from services.outreach.store import mailboxes
from shared.background import Periodic
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx

SECONDS: Final = 60.0


class MailboxReader:
    """The reader of one process; others may work beside it."""

    def __init__(self, database: Database, clock: Clock, tokens: Tokens, settings: MailboxSettings) -> None:
        self._database, self._clock, self._tokens, self._settings = database, clock, tokens, settings

    def periodic(self) -> Periodic:
        """The task."""
        return Periodic("mailbox", SECONDS, self.read)

    async def read(self) -> bool:
        """Take what is new; returns whether there is more. Raises `Unavailable`."""
        async with self._database.read() as tx:
            until = await mailboxes.read_until(tx, self._settings.name)
        fetched = await asyncio.to_thread(fetch, self._settings, until)
        for read, content in fetched.mails:
            await self._take(read, await asyncio.to_thread(read_report, content))
        return fetched.more

    async def _take(self, read: ReadUntil, report: Report) -> None:
        async def take(tx: WriteTx) -> None:
            await Bounces(self._tokens, self._clock.now()).take(tx, report, "mail")
            await mailboxes.note(tx, self._settings.name, read)

        await self._database.retrying(take)
