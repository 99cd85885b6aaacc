"""Secrets at rest: what opens them again, and what becomes of an attempt when nothing does."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.alerting.courier.domain.deliveries import DueAttempt, Trigger
from services.alerting.courier.gateways.sender import Sender
from services.alerting.outbound.domain.addresses import AddressPolicy
from services.alerting.outbound.domain.outcomes import Failure
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Unsealable, Vault, headers_of, secret_of
from shared.clock import SystemClock

KEY, OTHER_KEY = "k" * 40, "o" * 40


def test_what_was_sealed_opens_again() -> None:
    sealed = Vault(KEY).seal("whsec_é", secret_of("ep_1"))
    assert Vault(KEY).open(sealed, secret_of("ep_1")) == "whsec_é"
    assert b"whsec" not in sealed


def test_the_same_text_is_sealed_differently_each_time() -> None:
    vault = Vault(KEY)
    assert vault.seal("x", "a") != vault.seal("x", "a")


def test_nothing_else_opens_it() -> None:
    sealed = Vault(KEY).seal("x", secret_of("ep_1"))
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for vault, given, owner in (
        (Vault(OTHER_KEY), sealed, secret_of("ep_1")),
        (Vault(KEY), sealed, secret_of("ep_2")),
        (Vault(KEY), sealed, headers_of("ep_1")),
        (Vault(KEY), flipped, secret_of("ep_1")),
        (Vault(KEY), b"\x02" + sealed[1:], secret_of("ep_1")),
        (Vault(KEY), b"", secret_of("ep_1")),
    ):
        with pytest.raises(Unsealable):
            vault.open(given, owner)


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
        sealed_secrets=(Vault(OTHER_KEY).seal("whsec_", secret_of("ep_1")),),
    )
    egress = Egress(AddressPolicy(), SystemClock())
    outcome = await Sender(egress, Vault(KEY)).send(work, datetime.now(UTC))
    with_headers = replace(work, sealed_secrets=(), sealed_headers=b"\x01")
    headers_outcome = await Sender(egress, Vault(KEY)).send(with_headers, datetime.now(UTC))
    await egress.aclose()
    assert (outcome.failure, headers_outcome.failure) == (Failure.SEALED, Failure.SEALED)
