"""Settings of the dashboard."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings


class DashboardSettings(Settings):
    """`TELLBACK_DASHBOARD_*`."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_DASHBOARD_")

    port: int = Field(default=8000, ge=1, le=65535, description="Port of the pages.")
    collector_url: str = Field(default="http://127.0.0.1:8001", description="Where the collector's API is.")
    scorer_url: str = Field(default="http://127.0.0.1:8002", description="Where the scorer's API is.")
    alerting_url: str = Field(default="http://127.0.0.1:8003", description="Where alerting's API is.")
    benchmark_url: str = Field(default="http://127.0.0.1:8004", description="Where the benchmark API is.")
    outreach_url: str = Field(default="http://127.0.0.1:8005", description="Where outreach's API is.")
    api_key: SecretStr | None = Field(
        default=None,
        description="Key with all scopes, with which the dashboard makes a key for each person, since a key gives only"
        " what it has; `tellback up` and `tellback dashboard setup` make it, and make another where its scopes do not"
        " suffice.",
    )
    session_hours: int = Field(
        default=12, ge=1, le=720, description="Hours without a click after which one must sign in again."
    )
    audit_keep_days: int = Field(
        default=0, ge=0, le=36_500, description="How many days the audit is kept; 0: for ever."
    )
    secure_cookies: bool = Field(
        default=False, description="Send cookies over HTTPS only; set it behind a proxy that speaks HTTPS."
    )
    refresh_seconds: float = Field(
        default=1.0, gt=0, le=60, description="Seconds between two questions whether something has changed."
    )
