"""Settings of outreach."""

from typing import Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from services.outreach.domain.hours import Zones
from services.outreach.domain.mailbox import MailboxSettings
from services.outreach.domain.relay import DkimKey, RelaySettings, Security
from shared.settings import CommaList, Settings, known_zone


def _is_here(host: str | None) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")


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
    smtp_host: str | None = Field(
        default=None, description="The mail relay. Without it nothing is ever sent; links work."
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_security: Security = Field(
        default="starttls",
        description="`starttls` and `tls` demand a certificate that is valid; `none` is for a relay on this machine.",
    )
    smtp_user: str = Field(default="", description="Who signs in there; empty: nobody.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="The password of the user.")
    sender_domains: CommaList = Field(
        default=(), description="Domains of addresses in whose name mails may go, such as `supplier.example`."
    )
    test_addresses: CommaList = Field(
        default=(), description="Addresses of other domains to which test mails may go, such as one's own at Gmail."
    )
    leaders: CommaList = Field(
        default=(),
        description="Addresses of those who lead, of `TELLBACK_OUTREACH_SENDER_DOMAINS`: they get a mail each Monday"
        " about last week, and one when a programme has paused itself. Empty: nobody does.",
    )
    bounce_domain: str | None = Field(
        default=None,
        description="Bounces come back to addresses of this domain that name the mail (VERP). Without it they come to"
        " the sender.",
    )
    postmark_secret: SecretStr | None = Field(
        default=None,
        min_length=20,
        description="The password with which Postmark calls `/v1/bounces/postmark`; mails carry what names them there.",
    )
    sendgrid_key: str | None = Field(
        default=None,
        max_length=1000,
        description="The verification key of SendGrid's signed event webhook, which calls `/v1/bounces/sendgrid`; mails"
        " carry what names them there.",
    )
    imap_host: str | None = Field(
        default=None,
        description="The server of a mailbox of its own to which bounces come; it is read and not changed. Without it"
        " reports are handed on by `POST /v1/bounces`.",
    )
    imap_port: int = Field(default=993, ge=1, le=65535, description="Its port.")
    imap_security: Security = Field(
        default="tls",
        description="`starttls` and `tls` demand a certificate that is valid; `none` is for a server on this machine.",
    )
    imap_user: str = Field(default="", description="Who signs in there.")
    imap_password: SecretStr = Field(default=SecretStr(""), description="The password of the user.")
    imap_folder: str = Field(default="INBOX", min_length=1, max_length=200, description="The folder that is read.")
    dkim_domain: str | None = Field(default=None, description="The domain for which mails are signed (DKIM).")
    dkim_selector: str = Field(default="tellback", max_length=63, description="Names the key in the DNS.")
    dkim_key: SecretStr | None = Field(
        default=None, description="The private key, PEM, by `_FILE` as a rule. Without it the relay has to sign."
    )
    region_zones: CommaList = Field(
        default=(),
        description="The clocks of regions of the directory, `emea=Europe/Berlin` separated by commas, for people and"
        " accounts without a time zone.",
    )
    daily_cap: int = Field(default=2000, ge=1, le=1_000_000, description="The most mails of a day, all programmes.")
    mails_per_minute: int = Field(default=20, ge=1, le=10_000, description="To one recipient domain.")

    @field_validator("region_zones")
    @classmethod
    def _zones(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            region, _, zone = part.partition("=")
            if not region.strip():
                raise ValueError("must be regions with their zones, such as emea=Europe/Berlin")
            known_zone(zone.strip())
        return value

    @model_validator(mode="after")
    def _signs_or_not(self) -> Self:
        if (self.dkim_key is None) != (self.dkim_domain is None):
            raise ValueError("dkim_key and dkim_domain go together")
        return self

    @property
    def relay(self) -> RelaySettings | None:
        """Where mail is handed over; None where nothing is sent."""
        if self.smtp_host is None:
            return None
        password = self.smtp_password.get_secret_value()
        return RelaySettings(self.smtp_host, self.smtp_port, self.smtp_security, self.smtp_user, password)

    @property
    def links_are_reachable(self) -> bool:
        """Whether people who get mails can open their links: a relay on this machine shows mails here too."""
        return _is_here(urlsplit(self.public_url).hostname) <= _is_here(self.smtp_host)

    @property
    def mailbox(self) -> MailboxSettings | None:
        """The mailbox of bounces; None where none is read."""
        if self.imap_host is None:
            return None
        password = self.imap_password.get_secret_value()
        return MailboxSettings(
            self.imap_host, self.imap_port, self.imap_security, self.imap_user, password, self.imap_folder
        )

    def zones(self, supplier: str) -> Zones:
        """The clocks that people live by."""
        regions = {}
        for part in self.region_zones:
            region, _, zone = part.partition("=")
            regions[region.strip().lower()] = ZoneInfo(zone.strip())
        return Zones(ZoneInfo(supplier), regions)

    @property
    def dkim(self) -> DkimKey | None:
        """What mails are signed with; None where the relay signs."""
        if self.dkim_key is None or self.dkim_domain is None:
            return None
        return DkimKey(self.dkim_domain, self.dkim_selector, self.dkim_key.get_secret_value().encode())
