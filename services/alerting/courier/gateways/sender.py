"""One attempt: opens the sealed secrets, signs the stored bytes, or the chat message made of them, and posts them."""

import json
from datetime import datetime

from services.alerting.courier.domain.chat import rendered
from services.alerting.courier.domain.deliveries import DueAttempt
from services.alerting.courier.gateways.signer import signed_headers
from services.alerting.outbound.domain.outcomes import Failure, Outcome
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Unsealable, Vault, headers_of, secret_of


class Sender:
    """Makes attempts; knows neither the database nor what follows."""

    def __init__(self, egress: Egress, vault: Vault) -> None:
        self._egress = egress
        self._vault = vault

    async def send(self, work: DueAttempt, at: datetime) -> Outcome:
        """Post the message with fresh signatures of every live secret."""
        try:
            secrets = [self._vault.open(sealed, secret_of(work.endpoint_id)) for sealed in work.sealed_secrets]
            custom = "{}"
            if work.sealed_headers:
                custom = self._vault.open(work.sealed_headers, headers_of(work.endpoint_id))
        except Unsealable:
            return Outcome(Failure.SEALED)
        body = rendered(work.format, work.body)
        headers = {
            **json.loads(custom),
            **signed_headers(work.message_id, at, body, secrets),
            "webhook-attempt": str(work.number),
            "tellback-event-type": work.event_type,
        }
        return await self._egress.post(work.url, headers, body)
