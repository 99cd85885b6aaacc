"""Secrets at rest: what opens them again, and what becomes of an attempt when nothing does."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.alerting.courier.domain.deliveries import DueAttempt, Trigger
from services.alerting.courier.gateways.sender import Sender
from services.alerting.outbound.domain.addresses import AddressPolicy
from services.alerting.outbound.domain.outcomes import Failure
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Unsealable, Vault, headers_of, notification_of, secret_of
from shared.clock import SystemClock

KEY, OTHER_KEY = "k" * 40, "o" * 40


def test_what_belongs_to_an_endpoint_is_told_apart() -> None:
    sealed = Vault((KEY,)).seal("x", secret_of("ep_1"))
    assert Vault((KEY,)).open(sealed, secret_of("ep_1")) == "x"
    for other in (secret_of("ep_2"), headers_of("ep_1"), notification_of("ep_1")):
        with pytest.raises(Unsealable):
            Vault((KEY,)).open(sealed, other)


async def test_an_attempt_whose_secrets_do_not_open_fails_as_sealed() -> None:
    work = DueAttempt(
        delivery_id="dlv_1",
        endpoint_id="ep_1",
        url="http://127.0.0.1:9/",
        format="json",
        max_in_flight=4,
        number=1,
        trigger=Trigger.AUTOMATIC,
        actor=None,
        message_id="msg_1",
        event_type="follow_up.opened",
        body=b"{}",
        sealed_headers=None,
        sealed_secrets=(Vault((OTHER_KEY,)).seal("whsec_", secret_of("ep_1")),),
    )
    egress = Egress(AddressPolicy(), SystemClock())
    outcome = await Sender(egress, Vault((KEY,))).send(work, datetime.now(UTC))
    with_headers = replace(work, sealed_secrets=(), sealed_headers=b"\x01")
    headers_outcome = await Sender(egress, Vault((KEY,))).send(with_headers, datetime.now(UTC))
    await egress.aclose()
    assert (outcome.failure, headers_outcome.failure) == (Failure.SEALED, Failure.SEALED)
