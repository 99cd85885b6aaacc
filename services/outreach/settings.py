"""Settings of outreach."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings


class OutreachSettings(Settings):
    """`TELLBACK_OUTREACH_*`."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_OUTREACH_")

    port: int = Field(default=8005, ge=1, le=65535, description="Port of outreach's HTTP server.")
    public_url: str = Field(
        default="http://127.0.0.1:8005",
        pattern=r"^https?://[^/\s?#{}]+(/[^\s?#{}]*)?$",
        max_length=300,
        description="What links to surveys begin with: a host of its own, never the dashboard's. The default works on"
        " this machine only.",
    )
    collector_url: str = Field(
        default="http://127.0.0.1:8001", description="Where the collector's API is; answers are posted to it."
    )
    scorer_url: str = Field(
        default="http://127.0.0.1:8002", description="Where the scorer's API is: who was asked and answered before."
    )
    alerting_url: str = Field(
        default="http://127.0.0.1:8003", description="Where alerting's API is: owners are reminded by follow-ups."
    )
    benchmark_url: str = Field(
        default="http://127.0.0.1:8004", description="Where the benchmark API is: business reviews are copied from it."
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="Key with the scopes ingest, read and act, with which outreach asks the other services;"
        " `tellback up` and `tellback setup` make it.",
    )
    retention_months: int = Field(
        default=36,
        ge=12,
        le=120,
        description="How many months asks and business reviews are kept after they fell due. What people answered is"
        " kept by the collector and the scorer; outreach forgets it once their link has ended.",
    )
