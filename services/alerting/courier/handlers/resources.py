"""What the use cases of the courier need besides the transaction, and what they share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from services.alerting.courier.domain.deliveries import EndpointStatus
from services.alerting.courier.store import endpoints as store
from services.alerting.outbound.gateways.egress import Egress
from services.alerting.outbound.gateways.vault import Vault
from shared.access.caller import Caller
from shared.clock import Clock
from shared.db.engine import Database
from shared.db.transaction import WriteTx
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class Courier:
    """The delivery of webhooks in this process.

    `wake` is called after the commit that made something due, `drop` after one that changed an endpoint;
    `recover_every` is the distance at which recovered deliveries become due.
    """

    database: Database
    clock: Clock
    egress: Egress
    vault: Vault
    wake: Callable[[], None]
    drop: Callable[[str], None]
    recover_every: timedelta


async def locked(tx: WriteTx, caller: Caller, endpoint_id: str) -> EndpointStatus:
    """Hold the endpoint's row. Raises `NotFound`, also for another owner's."""
    status = await store.lock(tx, endpoint_id, caller.owner_email)
    if status is None:
        raise NotFound("not_found", "there is no such endpoint")
    return status
