"""Sends notices to people: takes what is due, hands it over, writes down how it went. No transaction is open meanwhile.

A process that dies between handing over and writing down leaves a lease behind; when it has passed the notice goes
again, a mail under the same Message-ID.
"""

import asyncio
import json
from collections.abc import Sequence

from services.alerting.domain.notices import AWAY_WAIT, chat_message_of, retried_at, subject_of, text_of
from services.alerting.gateways.mail import AWAY, INVALID_ADDRESS, NOT_CONFIGURED, Mail, Mailer
from services.alerting.handlers.notices import Bundle, claim, due
from services.alerting.handlers.resources import Resources
from services.alerting.outbound.domain.chat import slack, teams
from services.alerting.outbound.domain.outcomes import Failure
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Unsealable, Vault, notification_of
from services.alerting.store.notices import BundleKey, mark_failed, mark_sent
from shared.background import Periodic
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.isolation import Held, of_the_items
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
FINAL = (NOT_CONFIGURED, INVALID_ADDRESS, Failure.BLOCKED.value, Failure.SEALED.value)
"""Failures that another try does not mend."""
NOBODY_ASKED = (AWAY, Failure.PROXY.value)
"""The mail server or the proxy is away: notices wait, however long, and use up no try."""


class NoticeSender:
    """Looks for due notices every `seconds`."""

    def __init__(
        self, database: Database, resources: Resources, mailer: Mailer, egress: Egress, vault: Vault, seconds: float
    ) -> None:
        self._database = database
        self._resources = resources
        self._mailer = mailer
        self._egress = egress
        self._vault = vault
        self._seconds = seconds
        self._held: Held[BundleKey] = Held("notices")

    def periodic(self) -> Periodic:
        """The look every few seconds."""
        return Periodic("notices", self._seconds, self._look, self._held)

    async def _look(self) -> bool:
        return await self.once() > 0

    async def once(self) -> int:
        """Send what is due; answers how many messages were tried."""
        bundles: list[Bundle] = []

        async def take(keys: Sequence[BundleKey]) -> None:
            bundles.extend(await self._database.retrying(lambda tx: claim(tx, self._resources, keys)))

        async with self._database.read() as tx:
            keys = await due(tx, self._resources, self._held.now())
        await self._held.each(keys, take)
        results = await asyncio.gather(*(self._deliver(bundle) for bundle in bundles), return_exceptions=True)
        for bundle, error in zip(bundles, results, strict=True):
            if isinstance(error, Exception):
                if not of_the_items(error):
                    raise error
                # Whether the message was sent is unknown; after its lease it is sent again under the same Message-ID.
                log.error("notice_not_recorded", notices=len(bundle.notices), exc_info=error)
        return len(bundles)

    async def _deliver(self, bundle: Bundle) -> None:
        message_id = message_id_of(bundle)
        try:
            failure = await self._send(bundle, message_id)
        except Exception as error:  # a fault of ours with one message must not stop the others; it is tried again
            log.error("notice_broke", notification_id=bundle.notification.notification_id, exc_info=error)
            failure = Failure.INTERNAL.value
        now = self._resources.clock.now()
        again = None
        if failure in NOBODY_ASKED:
            again = now + AWAY_WAIT
        elif failure not in FINAL:
            again = retried_at(now, bundle.attempts)

        async def record(tx: WriteTx) -> None:
            if failure is None:
                await mark_sent(tx, bundle.ids, message_id, now)
            else:
                await mark_failed(tx, bundle.ids, failure, again, asked=failure not in NOBODY_ASKED)

        await self._database.retrying(record)
        outcome = "failed"
        if failure is None:
            outcome = "sent"
        metrics.notices_total.labels(bundle.notification.channel, outcome).inc()
        if failure is not None:
            facts = {"notification_id": bundle.notification.notification_id, "failure": failure}
            log.warning("notice_failed", attempts=bundle.attempts, given_up=again is None, **facts)

    async def _send(self, bundle: Bundle, message_id: str) -> str | None:
        payload_settings, now = self._resources.payload_settings, self._resources.clock.now()
        if bundle.notification.channel == "mail":
            text = text_of(bundle.items, payload_settings.links, payload_settings.calendar)
            to = bundle.notices[0].recipient
            return await self._mailer.send(Mail(to, subject_of(bundle.items), text, message_id, now))
        try:
            url = self._vault.open(bundle.sealed_url or b"", notification_of(bundle.notification.notification_id))
        except Unsealable:
            return Failure.SEALED.value
        chat_message = chat_message_of(bundle.items, payload_settings.links, payload_settings.calendar)
        card = teams(chat_message)
        if bundle.notification.channel == "slack":
            card = slack(chat_message)
        outcome = await self._egress.post(url, {}, json.dumps(card, ensure_ascii=False).encode())
        if outcome.failure is None:
            return None
        return outcome.failure.value


def message_id_of(bundle: Bundle) -> str:
    """The Message-ID, made of the notices in the bundle: sent again it is the same, with one notice more another."""
    first, last, count = bundle.ids[0], bundle.ids[-1], len(bundle.ids)
    return f"<notice-{first}-{last}-{count}.{bundle.notification.notification_id}@tellback>"
