"""Reminds owners of business reviews: a follow-up by hand when an account has had none for a quarter, one an account
and quarter, which is closed when the review is made."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.outreach.domain import reviews as rules
from services.outreach.store import due_reviews as store
from services.outreach.store import reviews
from services.outreach.store.outgoing import OutgoingCall, queue
from services.outreach.store.reviews import Row
from shared.api.calls import CLOSE
from shared.api.questions import ACCOUNT_TREND, FOLLOW_UPS
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import Conflict, NotFound
from shared.http.client import Api
from shared.ids import derived_uuid

KIND = "review_due"
AT_ONCE = 50
LOOK_AGAIN = timedelta(hours=20)
"""The scorer is asked about an account at most so often: once a day, at whatever hour the job comes by."""
LOOK_BACK = {"interval": "quarter", "points": 12, "window": "365d"}
NOT_CLOSED = "open,acknowledged,in_progress,snoozed"
SETTLED = {"outcome": "resolved", "comment": "A business review was made."}
PLAYBOOK = (
    "Agree on a day with the customer. Show what they said, what was done about it and what was promised, also where it"
    " is not good. Send the review round afterwards; it ends with the question."
)


@dataclass(frozen=True, slots=True)
class ReviewReminders:
    """Looks once a day. `api` asks with the key of outreach."""

    database: Database
    clock: Clock
    api: Api

    async def look(self) -> bool:
        """Ask the scorer about accounts that seem due, remind of those that are, close what is settled. Returns whether
        there may be more to do. Raises `Away`. Before a survey for business reviews is published nobody is reminded:
        whoever holds none with Tellback need not hear of them."""
        more = await self._close()
        async with self.database.read() as tx:
            if await reviews.last_published(tx) is None:
                return more
        more |= await self._look_up()
        return await self._remind() or more

    async def _look_up(self) -> bool:
        """Which reviews the scorer knows of: those before outreach was there, and those that others told of."""
        now = self.clock.now()
        async with self.database.read() as tx:
            accounts = await store.to_look_at(tx, now.date(), now - LOOK_AGAIN, AT_ONCE)
        for account_id in accounts:
            await self._note_held(account_id, await self._last_held(account_id), now)
        return len(accounts) == AT_ONCE

    async def _note_held(self, account_id: str, held_on: date | None, now: datetime) -> None:
        async def write(tx: WriteTx) -> None:
            await store.note_held(tx, account_id, held_on, now)

        await self.database.retrying(write)

    async def _last_held(self, account_id: str) -> date | None:
        try:
            trend = await self.api.ask(ACCOUNT_TREND, account_id=account_id, **LOOK_BACK)
        except NotFound:
            return None
        return rules.last_held([mark.model_dump(mode="json") for mark in trend.marks])

    async def _remind(self) -> bool:
        now = self.clock.now()
        quarter = rules.quarter_of(now.date())

        async def write(tx: WriteTx) -> int:
            rows = await store.to_remind(tx, now.date(), quarter, now - LOOK_AGAIN, AT_ONCE)
            for row in rows:
                if await store.note_reminder(tx, row["account_id"], quarter, key_of(row["account_id"], quarter), now):
                    await queue(tx, now, _reminder(row, quarter, now))
            return len(rows)

        return await self.database.retrying(write) == AT_ONCE

    async def _close(self) -> bool:
        """Close the follow-ups of accounts that have had their review; returns whether there may be more."""
        now = self.clock.now()
        async with self.database.read() as tx:
            rows = await store.to_close(tx, now.date(), AT_ONCE)
        for row in rows:
            await self._close_one(row["account_id"], row["quarter"], now)
        return len(rows) == AT_ONCE

    async def _close_one(self, account_id: str, quarter: str, now: datetime) -> None:
        for follow_up in await self.api.ask_all(FOLLOW_UPS, account_id=account_id, kind=KIND, state=NOT_CLOSED):
            try:
                await self.api.call(CLOSE, SETTLED, follow_up_id=follow_up.follow_up_id)
            except (Conflict, NotFound):
                continue  # somebody was quicker

        async def write(tx: WriteTx) -> None:
            await store.note_closed(tx, account_id, quarter, now)

        await self.database.retrying(write)


def key_of(account_id: str, quarter: str) -> str:
    """The key of the call that opens a reminder; derived, since an account's id need not fit into a header."""
    return f"review_due:{derived_uuid('review_due', account_id, quarter)}"


def _reminder(row: Row, quarter: str, now: datetime) -> OutgoingCall:
    reason = "no business review is known"
    if row["last_held_on"] is not None:
        reason = f"the last business review was held on {row['last_held_on'].isoformat()}"
    return OutgoingCall(
        key=key_of(row["account_id"], quarter),
        service="alerting",
        method="POST",
        path="/v1/follow-ups",
        body={
            "account_id": row["account_id"],
            "kind": KIND,
            "title": _title(row["account_name"] or row["account_id"]),
            "severity": "low",
            "reason": reason,
            "playbook": PLAYBOOK,
        },
        account_id=row["account_id"],
        due_at=now,
    )


def _title(name: str) -> str:
    return f"Business review due: {name}"[:130]
