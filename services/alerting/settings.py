"""Settings of alerting."""

from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import CommaList, Settings

EMAIL = r"^(|[^@\s]{1,64}@[^@\s]{1,255})$"


class AlertingSettings(Settings):
    """`TELLBACK_ALERTING_*`."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_ALERTING_")

    port: int = Field(default=8003, ge=1, le=65535, description="Port of alerting's HTTP server.")
    time_zone: str = Field(
        default="UTC", description="Where the supplier works, such as `Europe/London`: due times follow its clocks."
    )
    business_days: str = Field(
        default="mon-fri",
        pattern=r"^(mon|tue|wed|thu|fri|sat|sun)([-,](mon|tue|wed|thu|fri|sat|sun))*$",
        description="Days on which people work: `mon-fri`, `sun-thu`, or named one by one, `mon,wed,fri`.",
    )
    business_hours: str = Field(
        default="09:00-18:00",
        pattern=r"^\d{1,2}:\d{2}-\d{1,2}:\d{2}$",
        description="Hours in which people work, on the clocks of the time zone; `24:00` ends a day.",
    )
    holidays: CommaList = Field(
        default=(), description="Dates on which nobody works, `2026-12-25` separated by commas."
    )
    default_owner_name: str = Field(
        default="", max_length=200, description="Who takes the follow-ups of accounts that have no owner."
    )
    default_owner_email: str = Field(default="", pattern=EMAIL, description="The address of the default owner.")
    leader_name: str = Field(default="", max_length=200, description="Who leads: takes what rules send to a leader.")
    leader_email: str = Field(default="", pattern=EMAIL, description="The address of the leader.")
    follow_up_link: str = Field(
        default="http://127.0.0.1:8003/v1/follow-ups/{follow_up_id}",
        max_length=500,
        description="Link to a follow-up in messages; `{follow_up_id}` is filled in.",
    )
    response_link: str = Field(
        default="http://127.0.0.1:8002/v1/responses/{response_id}",
        max_length=500,
        description="Link to an answer whose comment was cut in a message; `{response_id}` is filled in.",
    )
    wake_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="How often snoozed follow-ups are looked at, in seconds."
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be a time zone of the IANA database, such as Europe/London") from None
        return value

    @field_validator("holidays")
    @classmethod
    def _dates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for day in value:
            try:
                date.fromisoformat(day)
            except ValueError:
                raise ValueError("must be dates such as 2026-12-25") from None
        return value

    @field_validator("follow_up_link")
    @classmethod
    def _names_the_follow_up(cls, value: str) -> str:
        return _template(value, "{follow_up_id}")

    @field_validator("response_link")
    @classmethod
    def _names_the_response(cls, value: str) -> str:
        return _template(value, "{response_id}")


def _template(value: str, field: str) -> str:
    rest = value.replace(field, "")
    if "{" in rest or "}" in rest:
        raise ValueError(f"may hold {field} and no other braces")
    return value
