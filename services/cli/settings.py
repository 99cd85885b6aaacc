"""Settings of the command line, besides the options of each command."""

from pathlib import Path

from pydantic import Field, SecretStr

from shared.settings import Settings


class CliSettings(Settings):
    """`TELLBACK_*`, read by `tellback` itself."""

    cache_dir: Path | None = Field(
        default=None, description="Folder for what is fetched once, Kafka's jars; default `~/.cache/tellback`."
    )
    jars_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s]+)?$",
        description="Mirror of Maven Central from which Kafka's jars are fetched, such as a company's Nexus or "
        "Artifactory; a user and password may stand in the address. Empty: Maven Central.",
    )
    jars_ca_file: Path | None = Field(
        default=None, description="The authorities that vouch for that mirror, PEM. Empty: those that are well known."
    )
    embedded_partition_megabytes: int = Field(
        default=6_000,
        ge=0,
        description="Most megabytes that the embedded Kafka keeps of each partition of a topic, read when it starts: "
        "what is older goes before its time, also what was never read; 0: no limit. A topic's own `retention.bytes` "
        "goes before.",
    )
    api_key: SecretStr | None = Field(
        default=None, description="Key that commands use against running services; default the first key of `up`."
    )
    collector_url: str | None = Field(default=None, description="Address of the collector, when it is not `up`'s.")
    scorer_url: str | None = Field(default=None, description="Address of the scorer, when it is not `up`'s.")
    alerting_url: str | None = Field(default=None, description="Address of alerting, when it is not `up`'s.")
    benchmark_url: str | None = Field(default=None, description="Address of benchmark, when it is not `up`'s.")
    outreach_url: str | None = Field(default=None, description="Address of outreach, when it is not `up`'s.")
