"""Puts the sending of webhooks together from the settings, and takes it apart in the right order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from services.alerting import SCHEMA
from services.alerting.courier.domain.deliveries import SendingRules
from services.alerting.courier.domain.endpoint_health import HealthPolicy
from services.alerting.courier.domain.retry import RetryPolicy, parsed_schedule
from services.alerting.courier.gateways.sender import Sender
from services.alerting.courier.handlers.resources import Courier
from services.alerting.courier.jobs.dispatcher import Dispatcher
from services.alerting.courier.store.queue import TURNS
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Vault
from services.alerting.settings import AlertingSettings
from shared.db.engine import Database
from shared.runtime import Plumbing
from shared.settings import InvalidSettings


@asynccontextmanager
async def delivering(
    plumbing: Plumbing, settings: AlertingSettings, egress: Egress, vault: Vault
) -> AsyncIterator[Courier]:
    """Webhooks being sent in the background until the block ends. Raises `InvalidSettings`."""
    rules = rules_of(settings)
    turns = Database.of(plumbing.settings, SCHEMA, pool_size=1, settings=TURNS)
    dispatcher = Dispatcher(turns, plumbing.clock, Sender(egress, vault), rules)
    plumbing.background("webhooks", dispatcher.run)
    try:
        yield Courier(
            plumbing.database,
            plumbing.clock,
            egress,
            vault,
            dispatcher.wake,
            dispatcher.drop,
            recover_every=timedelta(seconds=1 / settings.recover_per_s),
        )
    finally:
        await dispatcher.stop()
        await turns.close()


def rules_of(settings: AlertingSettings) -> SendingRules:
    """The sender's numbers. Raises `InvalidSettings`."""
    try:
        schedule = parsed_schedule(settings.retry_schedule)
    except ValueError:
        raise InvalidSettings(
            "invalid_settings",
            "TELLBACK_ALERTING_RETRY_SCHEDULE: must be at most 50 numbers of seconds, separated by commas",
        ) from None
    return SendingRules(
        retry=RetryPolicy(schedule, settings.retry_busy_wait_s),
        health=HealthPolicy(
            in_a_row=settings.breaker_failures,
            probe_every=timedelta(seconds=settings.breaker_probe_s),
            disable_after=timedelta(seconds=settings.disable_after_s),
        ),
        lease=settings.attempt_timeout_s + settings.lease_margin_s,
        in_flight=settings.max_in_flight,
        body_days=settings.payload_days,
        held_days=settings.held_days,
        log_days=settings.delivery_log_days,
    )
