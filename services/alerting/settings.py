"""Settings of alerting."""

import os
from email.headerregistry import Address
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import CommaList, Settings

EMAIL = r"^(|[^@\s]{1,64}@[^@\s]{1,255})$"


class AlertingSettings(Settings):
    """`TELLBACK_ALERTING_*`."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_ALERTING_")

    port: int = Field(default=8003, ge=1, le=65535, description="Port of alerting's HTTP server.")
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
    default_owner_name: str = Field(
        default="", max_length=200, description="Who takes the follow-ups of accounts that have no owner."
    )
    default_owner_email: str = Field(default="", pattern=EMAIL, description="The address of the default owner.")
    leader_name: str = Field(default="", max_length=200, description="Who leads: takes what rules send to a leader.")
    leader_email: str = Field(default="", pattern=EMAIL, description="The address of the leader.")
    wake_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="How often snoozed follow-ups are looked at, in seconds."
    )
    escalation_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="How often due escalations are looked for, in seconds."
    )
    ack_timeout_hours: int = Field(
        default=18,
        ge=1,
        le=100,
        description="Business hours after which a follow-up that somebody took on, and then did nothing about, is open "
        "again: once, and never after 7 days.",
    )
    watch_seconds: float = Field(
        default=3600,
        gt=0,
        le=86400,
        description="How often the daily watch is looked for, which begins at 08:00 of a business day, in seconds.",
    )

    burst_hours: float = Field(
        default=24,
        gt=0,
        le=720,
        description="Hours within which detractors of one account count as one burst: from eight people on they share "
        "one follow-up of the account (rule `detractor_burst`).",
    )
    notice_wait_s: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="Seconds that notices to people wait for the comment and the rest of an account's burst.",
    )
    notice_poll_s: float = Field(
        default=2.0, gt=0, le=3600, description="How often due notices to people are looked for, in seconds."
    )
    notice_lease_s: float = Field(
        default=120,
        gt=0,
        le=3600,
        description="Seconds after which a notice whose process died is sent again; longer than a mail server may take "
        "(20 s).",
    )
    smtp_host: str = Field(default="", max_length=255, description="Mail server for notices; none: no mail is sent.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to the mail server is secured: starttls, tls or none."
    )
    smtp_user: str = Field(default="", max_length=320, description="User at the mail server, if it asks for one.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password at the mail server.")
    mail_from: str = Field(default="", pattern=EMAIL, description="The address that notices come from.")

    allow_networks: CommaList = Field(
        default=(),
        description="Networks of in-house receivers that webhooks may go to, on any port: `10.20.0.0/16` separated "
        "by commas. Private, loopback and other special addresses are refused otherwise.",
    )
    own_ports: CommaList = Field(
        default=("8000", "8001", "8002", "8003", "8004", "8005", "9093"),
        description="Ports of Tellback itself: no webhook goes there, even in an allowed network. Those that the "
        "addresses of Kafka and PostgreSQL name are added; 9093 is where Kafka's controllers usually listen. "
        "`tellback up` names all of its own.",
    )
    proxy: str = Field(
        default="",
        pattern=r"^(http://([^\s/@]+@)?(\[[0-9A-Fa-f:.]+\]|[^\s/@:\[\]]+):\d+/?)?$",
        repr=False,
        description="The company's proxy for webhooks and rooms: `http://proxy.example:3128`, also with "
        "`user:password@`. It has to allow CONNECT. Empty: none; `HTTPS_PROXY` of the environment is not used.",
    )
    no_proxy: CommaList = Field(
        default=(),
        description="Names of in-house receivers that are reached without that proxy, with all names below them: "
        "`crm.example, corp.example`. So are addresses in `TELLBACK_ALERTING_ALLOW_NETWORKS`.",
    )
    https_only: bool = Field(default=False, description="Whether webhooks may go to https addresses only.")
    retry_schedule: str = Field(
        default="5,300,1800,7200,18000,36000,50400,72000,86400",
        description="Seconds between the attempts of a webhook, separated by commas, each with 20 % jitter; set "
        "but empty: one attempt only.",
    )
    retry_busy_wait_s: float = Field(
        default=60, ge=0, le=3600, description="Least wait after a timeout or an answer 429, 502 or 504, in seconds."
    )
    connect_timeout_s: float = Field(default=5, gt=0, le=60, description="Seconds to connect to a receiver.")
    attempt_timeout_s: float = Field(
        default=20, gt=0, le=60, description="Seconds for a whole attempt, from the look-up to the end of the answer."
    )
    lease_margin_s: float = Field(
        default=20,
        gt=0,
        le=600,
        description="Seconds beyond the timeout after which an attempt whose process died is taken up again.",
    )
    breaker_failures: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Failures in a row after which messages to an endpoint wait, with a probe now and then; so they do "
        "when 70 % of at least ten attempts in five minutes failed.",
    )
    breaker_probe_s: float = Field(
        default=30, gt=0, le=3600, description="Seconds between the probes to an endpoint that keeps failing."
    )
    disable_after_s: float = Field(
        default=432_000,
        gt=0,
        le=31_536_000,
        description="Seconds of nothing but failures, on at least two days, after which an endpoint is disabled and "
        "its messages are held.",
    )
    recover_per_s: float = Field(default=50, gt=0, le=1000, description="Messages a second that a recovery makes due.")
    max_in_flight: int = Field(
        default=200, ge=1, le=5000, description="Attempts that one process makes at the same time."
    )
    payload_days: int = Field(
        default=30, ge=14, le=3650, description="Days for which what was sent is kept, to send it again."
    )
    held_days: int = Field(
        default=14, ge=1, le=365, description="Days for which messages to a disabled endpoint are held."
    )
    delivery_log_days: int = Field(
        default=90, ge=14, le=3650, description="Days for which deliveries and their attempts are kept."
    )

    @model_validator(mode="before")
    @classmethod
    def _an_empty_schedule_is_one(cls, data: Any) -> Any:
        # Elsewhere a variable that is set but empty counts as unset; here it says: do not try again.
        name = "TELLBACK_ALERTING_RETRY_SCHEDULE"
        if isinstance(data, dict) and "retry_schedule" not in data and os.environ.get(name) == "":
            return data | {"retry_schedule": ""}
        return data

    @field_validator("proxy")
    @classmethod
    def _with_a_port(cls, proxy: str) -> str:
        if proxy and not urlsplit(proxy).port:  # raises ValueError beyond 65,535
            raise ValueError("the port of the proxy must be 1 to 65535")
        return proxy

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        return Address(addr_spec=value).addr_spec if value else value
