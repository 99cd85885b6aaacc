"""Settings of the collector."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import CommaList, Settings

MEGABYTE = 1024 * 1024


class CollectorSettings(Settings):
    """`TELLBACK_COLLECTOR_*`."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_COLLECTOR_")

    port: int = Field(default=8001, ge=1, le=65535, description="Port of the collector's HTTP server.")
    workers: int = Field(
        default=1,
        ge=0,
        le=64,
        description="Processes behind the one port; 0: one a core that it may use. Rate limits hold for each of them.",
    )
    import_max_megabytes: int = Field(
        default=512, ge=1, le=100_000, description="Largest file that `POST /v1/imports` takes."
    )
    import_keep_days: int = Field(
        default=90, ge=1, le=3650, description="How long the report of a finished import is kept."
    )
    disk_low_megabytes: int = Field(
        default=1_000,
        ge=0,
        description="With less than so many megabytes free nothing is taken in (503 `disk_low`), so that Kafka and "
        "PostgreSQL never stop for want of room; 0: whatever is free.",
    )
    disk_folders: CommaList = Field(
        default=(),
        description="Folders on whose disks the data of Kafka and PostgreSQL lie, separated by commas; `tellback up` "
        "names those of its embedded parts. Empty: the disk of `TELLBACK_DATA_DIR`.",
    )
