"""What every use case of alerting needs besides the transaction."""

from dataclasses import dataclass, field
from datetime import timedelta

from services.alerting.domain.payloads import PayloadSettings
from services.alerting.domain.policy import Policy
from services.alerting.handlers.rules import RuleCache
from shared.clock import Clock
from shared.db.erasures import Journal
from shared.words import KEPT_FOR_EVER, WordRetention


@dataclass(frozen=True, slots=True)
class Resources:
    """The settings as the domain sees them, the clock, the journal of the erased, and how long notices to
    people wait for the comment and the burst. One that is being sent for longer than
    `notice_lease` goes again. Detractors of one account within `burst` are one. `retention` says how long words are
    kept.
    """

    policy: Policy
    payload_settings: PayloadSettings
    clock: Clock
    journal: Journal
    notice_wait: timedelta = timedelta(seconds=60)
    notice_lease: timedelta = timedelta(minutes=2)
    burst: timedelta = timedelta(hours=24)
    retention: WordRetention = KEPT_FOR_EVER
    rules: RuleCache = field(default_factory=RuleCache)
