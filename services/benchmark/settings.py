"""Settings of the benchmark service."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings


class BenchmarkSettings(Settings):
    """`TELLBACK_BENCHMARK_*`."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_BENCHMARK_")

    port: int = Field(default=8004, ge=1, le=65535, description="Port of the benchmark service's HTTP server.")
    scorer_url: str = Field(
        default="http://127.0.0.1:8002", description="Where the scorer's API is; figures are asked of it."
    )
    alerting_url: str = Field(
        default="http://127.0.0.1:8003", description="Where alerting's API is; follow-ups are asked of it."
    )
    few_voices: int = Field(
        default=10, ge=1, description="Fewer respondents than this and a comparison warns that it says little."
    )
    few_invitations: int = Field(
        default=30, ge=1, description="Fewer recipients than this and a funnel warns that its rates say little."
    )
