"""Takes what is due for one sender. A row over which that fails is passed over for a while, and stops no other."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.alerting.courier.domain.deliveries import DueAttempt, SendingRules
from services.alerting.courier.store import queue
from services.alerting.courier.store.queue import Claimed, ClaimRequest
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.isolation import Held


class Claims:
    """What one sender takes: in its turns, or row by row after a turn that failed."""

    def __init__(self, database: Database, clock: Clock, sender: str, rules: SendingRules) -> None:
        self._database = database
        self._clock = clock
        self._sender = sender
        self._rules = rules
        self._endpoints: Held[str] = Held("webhook endpoints")
        self._deliveries: Held[str] = Held("webhook deliveries")

    async def take(self, tx: WriteTx, now: datetime, room: int, ahead: Mapping[str, int]) -> Claimed:
        """Take up to `room` deliveries in a turn; `ahead` says for which endpoints how many times their limit."""
        claimed = await queue.claim(tx, now, self._request(room, ahead))
        for work in claimed.work:
            self._endpoints.done(work.endpoint_id)
            self._deliveries.done(work.delivery_id)
        return claimed

    async def take_singly(self, room: int, ahead: Mapping[str, int]) -> tuple[list[DueAttempt], bool]:
        """Find the rows over which a turn has failed, pass over them from now on, and take the others.

        Returns what was taken, and whether there was such a row: if not, the turn failed over something else.
        """
        async with self._database.read() as tx:
            due = await queue.due(tx, self._clock.now(), self._request(room, ahead))
        endpoint_ids = list(dict.fromkeys(endpoint_id for endpoint_id, _ in due))
        usable = await self._endpoints.each(endpoint_ids, self._try_endpoints)
        delivery_ids = [delivery_id for endpoint_id, delivery_id in due if endpoint_id in usable]
        work: list[DueAttempt] = []

        async def take(only: Sequence[str]) -> None:
            request, now = self._request(room - len(work), ahead, only), self._clock.now()
            claimed = await self._database.retrying(lambda tx: queue.claim(tx, now, request))
            work.extend(claimed.work)

        taken = await self._deliveries.each(delivery_ids, take)
        failed = len(usable) < len(endpoint_ids) or len(taken) < len(delivery_ids)
        return work, failed

    async def _try_endpoints(self, endpoint_ids: Sequence[str]) -> None:
        now = self._clock.now()
        await self._database.retrying(lambda tx: queue.mark_served(tx, endpoint_ids, now))

    def _request(self, room: int, ahead: Mapping[str, int], only: Sequence[str] | None = None) -> ClaimRequest:
        return ClaimRequest(
            self._sender,
            room,
            timedelta(seconds=self._rules.lease),
            ahead,
            self._rules.health.probe_every,
            passed_over=(self._endpoints.now(), self._deliveries.now()),
            only=only,
        )
