"""What every use case of alerting needs besides the transaction."""

from dataclasses import dataclass

from services.alerting.domain.payloads import Context
from services.alerting.domain.triggers import Policy
from shared.clock import Clock
from shared.erasure import Subject


@dataclass(frozen=True, slots=True)
class Resources:
    """The settings as the domain sees them, the clock, and the keyed hash that names the erased."""

    policy: Policy
    context: Context
    clock: Clock
    subject: Subject
