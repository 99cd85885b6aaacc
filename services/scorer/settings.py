"""Settings of the scorer."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.scorer.domain.classes import Thresholds
from services.scorer.domain.drops import DropRule
from services.scorer.domain.projection import Policy
from services.scorer.domain.states import SilentAfter
from shared.settings import Settings


class ScorerSettings(Settings):
    """`TELLBACK_SCORER_*`."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_SCORER_")

    port: int = Field(default=8002, ge=1, le=65535, description="Port of the scorer's HTTP server.")
    silent_days: int = Field(
        default=21, ge=1, le=365, description="Days after an invitation until a person without an answer is silent."
    )
    silent_days_decision_makers: int = Field(default=14, ge=1, le=365, description="The same for decision-makers.")
    at_risk_detractor_percent: float = Field(
        default=30, ge=0, le=100, description="Share of detractors from which an account can be at risk."
    )
    ambassador_promoter_percent: float = Field(
        default=60, ge=0, le=100, description="Share of promoters from which an account can be an ambassador."
    )
    ambassador_detractor_percent: float = Field(
        default=15, ge=0, le=100, description="Largest share of detractors of an ambassador."
    )
    divided_percent: float = Field(
        default=20, ge=0, le=100, description="Share of promoters and of detractors from which an account is divided."
    )
    drop_points: float = Field(
        default=20, gt=0, le=200, description="Fall of the 90-day score, in points, that is published as a drop."
    )
    drop_voices: int = Field(
        default=5, ge=1, le=10_000, description="Respondents needed in both windows before a drop is published."
    )
    projector_accounts: int = Field(
        default=50, ge=1, le=5_000, description="Most accounts that the projector takes in one transaction."
    )
    self_check_seconds: float = Field(
        default=300.0, gt=0, le=86_400, description="How often a sample of snapshots is computed anew and compared."
    )
    pending_days: int = Field(
        default=30,
        ge=1,
        le=30,
        description="Days after which an amendment is given up whose response never came. Not above 30: it may hold "
        "the words of somebody who was erased meanwhile.",
    )
    streams: int = Field(default=200, ge=1, le=900, description="Most clients that may hold a stream open here.")
    stream_heartbeat_seconds: float = Field(
        default=15.0, gt=0, le=300, description="How often an idle stream shows that it is alive."
    )
    self_check_accounts: int = Field(default=50, ge=1, le=10_000, description="Accounts in such a sample.")

    def thresholds(self) -> Thresholds:
        """The shares that the account classes go by."""
        return Thresholds(
            at_risk_detractors=self.at_risk_detractor_percent,
            ambassador_promoters=self.ambassador_promoter_percent,
            ambassador_detractors=self.ambassador_detractor_percent,
            divided_share=self.divided_percent,
        )

    def silent_after(self) -> SilentAfter:
        """When an invited person is silent."""
        return SilentAfter(self.silent_days, self.silent_days_decision_makers)

    def drop_rule(self) -> DropRule:
        """When a fall of the score is published as a drop."""
        return DropRule(points=self.drop_points, respondents=self.drop_voices)

    def policy(self) -> Policy:
        """Everything that the projector goes by."""
        return Policy(self.thresholds(), self.drop_rule(), self.silent_after())
