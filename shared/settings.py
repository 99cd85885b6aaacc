"""Settings: environment variables `TELLBACK_*`, each also readable from a file named by `<NAME>_FILE`.

Every field has a description, since the table in the docs and `tellback config show` are made from these classes. No
error repeats a value.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.calendar import parse_holidays
from shared.errors import TellbackError
from shared.kafka.connection import KafkaConnection, Mechanism, SecurityProtocol
from shared.key_ring import fault_of, is_retired, split_ring
from shared.words import KeptDays, WordRetention

PREFIX = "TELLBACK_"
SECRET_KEY_NAMES = ("TELLBACK_SECRET_KEY", "TELLBACK_SECRET_KEYS")
MIN_SECRET_LENGTH = 32
MIN_SECRET_VARIETY = 8
_PLACEHOLDERS = ("change", "example", "default", "placeholder", "replace", "insecure", "secret")
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]*@")
_MASK = "********"


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A comma-separated list, such as `10.0.0.0/8, 192.168.1.0/24`."""


def _keys(value: Any) -> Any:
    if isinstance(value, str):
        return split_ring(value)
    return value


KeyRing = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_keys)]
"""Secret keys, the newest first, separated by commas or white space; see `shared.key_ring`."""


class InvalidSettings(TellbackError):
    """The environment has invalid settings; `errors` names the variables, never their values."""

    title = "Invalid settings"


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of the settings table: `default` is None where the variable is required."""

    name: str
    description: str
    default: str | None
    secret: bool


class Settings(BaseSettings):
    """Base of all settings classes. A subclass sets `env_prefix` and describes every field."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if not field.description:
                raise TypeError(f"{cls.__name__}.{name} needs a description")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment; there are no other sources."""
        return init_settings, _EnvironmentAndFiles(settings_cls, cls.names())

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises `InvalidSettings`, whose `errors` name the variables at fault."""
        try:
            return cls()
        except ValidationError as error:
            raise _explained(error, cls.names()) from None

    @classmethod
    def variables(cls) -> list[Variable]:
        """The variables of this class, in the order of its fields."""
        return [
            Variable(
                name=cls.names()[field_name][0],
                description=field.description or "",
                default=None if field.is_required() else _text(field.get_default(call_default_factory=True)),
                secret=SecretStr in (field.annotation, *get_args(field.annotation)),
            )
            for field_name, field in cls.model_fields.items()
        ]

    def shown(self) -> dict[str, str]:
        """Variable -> value for display: secrets are masked, and so are passwords within addresses."""
        return {names[0]: _text(getattr(self, field)) for field, names in self.names().items()}

    @classmethod
    def names(cls) -> dict[str, list[str]]:
        """Field -> the variables that can set it, the recommended one first."""
        prefix = cls.model_config.get("env_prefix", PREFIX)
        return {
            name: [str(choice) for choice in field.validation_alias.choices]
            if isinstance(field.validation_alias, AliasChoices)
            else [f"{prefix}{name}".upper()]
            for name, field in cls.model_fields.items()
        }


class CommonSettings(Settings):
    """Settings that every service needs."""

    kafka_bootstrap_servers: str = Field(description="Kafka brokers, `host:port` separated by commas.")
    kafka_security_protocol: SecurityProtocol = Field(
        default="PLAINTEXT",
        description="How clients speak with Kafka: with TLS (`SSL`), with a name (`SASL`), or both.",
    )
    kafka_sasl_mechanism: Mechanism = Field(default="PLAIN", description="How clients prove their name with SASL.")
    kafka_sasl_username: str = Field(default="", description="The name of Tellback's clients at Kafka.")
    kafka_sasl_password: SecretStr = Field(default=SecretStr(""), description="Their password.")
    kafka_token_file: Path | None = Field(
        default=None, description="The file with the token of `OAUTHBEARER`, read at each connection."
    )
    kafka_token_command: str = Field(
        default="",
        description="A command that prints the token of `OAUTHBEARER`, run at each connection, without a shell.",
    )
    kafka_ca_file: Path | None = Field(
        default=None, description="The authorities that vouch for the brokers, PEM. Empty: those of the system."
    )
    kafka_cert_file: Path | None = Field(
        default=None, description="The clients' certificate, PEM; a renewed one is used by the next connection."
    )
    kafka_key_file: Path | None = Field(
        default=None, description="The key of that certificate, PEM, without a password."
    )
    kafka_tls_minimum: Literal["TLSv1.2", "TLSv1.3"] = Field(
        default="TLSv1.2", description="The oldest version of TLS that is spoken with Kafka."
    )
    database_url: str = Field(
        validation_alias=AliasChoices("TELLBACK_DATABASE_URL", "DATABASE_URL"),
        repr=False,
        description="PostgreSQL: `postgresql://user:password@host:5432/name`, with parameters as libpq knows them, "
        "such as `?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem`. `DATABASE_URL` is taken too.",
    )
    database_password_file: Path | None = Field(
        default=None, description="The file with the password of PostgreSQL, read at each connection."
    )
    topic_prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]{0,100}$",
        description="Put before every topic, group and cursor: keeps environments on one Kafka apart.",
    )
    partitions: int = Field(
        default=6,
        ge=1,
        le=1000,
        description="Partitions of every topic, fixed at its creation; 24 on a cluster.",
    )
    replication_factor: int = Field(
        default=1, ge=1, le=9, description="Copies of every partition: 1 with one broker, 3 elsewhere."
    )
    data_dir: Path | None = Field(default=None, description="Folder for what this process keeps beside PostgreSQL.")
    host: str = Field(default="127.0.0.1", description="Address the HTTP server binds to; `::` takes IPv6 and IPv4.")
    dashboard_public_url: str = Field(
        default="http://127.0.0.1:8000",
        pattern=r"^https?://[^/\s?#{}]+(/[^\s?#{}]*)?$",
        max_length=300,
        description="Where people open the dashboard: links in webhooks, CRM blocks, mails and rooms go there.",
    )
    trusted_proxies: CommaList = Field(
        default=(),
        description="Addresses and networks (`10.0.0.0/8`) of proxies, separated by commas, whose `X-Forwarded-For` "
        "and `X-Forwarded-Proto` are believed: limits per address then count clients, not the proxy. Empty: none.",
    )
    keep_alive: float = Field(
        default=125.0,
        ge=1,
        le=3600,
        description="Seconds an HTTP connection may be idle before the server closes it. Longer than the clients and "
        "proxies in front keep theirs, or now and then one of their requests meets a connection just being closed.",
    )
    secret_keys: KeyRing = Field(
        validation_alias=AliasChoices(*SECRET_KEY_NAMES),
        description="Encrypts stored secrets, signs links, keys the hashes of erased ids: 32 characters or more, "
        "random, without commas or spaces, the same for all services. `tellback up` makes one with its embedded parts. "
        "`TELLBACK_SECRET_KEYS` takes several, separated by commas, the newest first: the first is used for what is "
        "new, and what was made with any of them is still read (operations.md).",
    )
    dead_letter_limit: int = Field(
        default=1000,
        ge=0,
        description="Most dead letters a service takes in ten minutes before it halts; 0: no limit.",
    )
    parked_keep_days: int = Field(
        default=90, ge=1, le=3650, description="How many days a dead letter is kept, with its content."
    )
    comment_keep_days: KeptDays = Field(
        default=0,
        ge=0,
        le=36_500,
        description="How many days after an answer was given its words are kept, comments and answers to questions for "
        "text: 30 or more, the same for all services; 0: for ever. Scores stay.",
    )
    consumer_session_timeout_ms: int = Field(
        default=15_000,
        ge=6_000,
        le=300_000,
        description="After how long without a sign of life Kafka gives a replica's partitions to others. Shorter takes "
        "over sooner after a crash, longer survives longer pauses; brokers bound it (6,000 by default).",
    )
    time_zone: str = Field(
        default="UTC",
        description="Where the supplier works, such as `Europe/London`: due times follow its clocks, and so do dates "
        "and times of files that name no zone.",
    )
    holidays: CommaList = Field(
        default=(),
        description="Dates on which nobody works, `2026-12-25` separated by commas. With a region of the directory, "
        "`dach:2026-10-03`, one on which nobody there is asked.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line that is written."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="`auto` is `console` in a terminal and `json` elsewhere."
    )

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises `InvalidSettings`, also where the secret keys are given by both names."""
        given = [name for name in SECRET_KEY_NAMES if os.environ.get(name) or os.environ.get(f"{name}_FILE")]
        if len(given) > 1:
            raise InvalidSettings("two_values", f"{' and '.join(given)} are both set")
        return super().load()

    @property
    def kafka(self) -> KafkaConnection:
        """How clients connect to Kafka."""
        return KafkaConnection(
            bootstrap_servers=self.kafka_bootstrap_servers,
            security_protocol=self.kafka_security_protocol,
            sasl_mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_sasl_username,
            password=self.kafka_sasl_password,
            token_file=self.kafka_token_file,
            token_command=self.kafka_token_command,
            ca_file=self.kafka_ca_file,
            cert_file=self.kafka_cert_file,
            key_file=self.kafka_key_file,
            tls_minimum=self.kafka_tls_minimum,
        )

    @property
    def key_ring(self) -> tuple[str, ...]:
        """The secret keys, the newest first: the first makes what is new, each reads what it has made. Those that were
        retired, behind them, only recognise hashes."""
        return tuple(key.get_secret_value() for key in self.secret_keys)

    @property
    def words(self) -> WordRetention:
        """How long the words of people are kept."""
        return WordRetention(self.comment_keep_days)

    @property
    def secret_key(self) -> SecretStr:
        """The newest of the secret keys."""
        return self.secret_keys[0]

    @field_validator("secret_keys")
    @classmethod
    def _strong(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        ring = [key.get_secret_value() for key in value]
        fault = fault_of(ring)
        if fault is not None:
            raise ValueError(fault)
        for number, secret in enumerate(ring, start=1):
            if is_retired(secret):
                continue
            which = ""
            if len(ring) > 1:
                which = f"key {number} "
            if len(secret) < MIN_SECRET_LENGTH:
                raise ValueError(f"{which}must have {MIN_SECRET_LENGTH} characters or more")
            if len(set(secret)) < MIN_SECRET_VARIETY or any(word in secret.lower() for word in _PLACEHOLDERS):
                raise ValueError(f"{which}must be random, not a placeholder")
        return value

    @field_validator("holidays")
    @classmethod
    def _dates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            parse_holidays(",".join(value))
        except ValueError:
            raise ValueError("must be dates such as 2026-12-25 or dach:2026-10-03") from None
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)


def known_zone(name: str) -> str:
    """The name of a time zone. Raises ValueError for any other name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA database, such as Europe/London") from None
    return name


class _EnvironmentAndFiles(EnvSettingsSource):
    """The environment, with the content of a file as NAME for each `<NAME>_FILE` where NAME is one of `names`."""

    def __init__(self, settings_class: type[BaseSettings], names: Mapping[str, list[str]]) -> None:
        super().__init__(settings_class)
        self.env_vars = dict(self.env_vars) | _from_files(
            self.env_vars, {name.lower() for choices in names.values() for name in choices}
        )


def _from_files(environment: Mapping[str, str | None], known: set[str]) -> dict[str, str]:
    """The contents of the files that the environment (names in lower case) names for known variables."""
    found = {}
    for name, path in environment.items():
        base = name.removesuffix("_file")
        if base == name or base not in known or not path:
            continue
        shown = base.upper()
        if environment.get(base):
            raise InvalidSettings("two_values", f"{shown} and {shown}_FILE are both set")
        try:
            found[base] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise InvalidSettings("unreadable_file", f"the file named by {shown}_FILE cannot be read") from None
    return found


def _explained(error: ValidationError, names: Mapping[str, list[str]]) -> InvalidSettings:
    """The validation error with the names of variables instead of fields."""
    first = {choice.lower(): choices[0] for choices in names.values() for choice in choices}
    first |= {field: choices[0] for field, choices in names.items()}
    found = []
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        location = str(item["loc"][0]) if item["loc"] else ""
        variable = first.get(location.lower(), location)
        detail = "must be set" if item["type"] == "missing" else item["msg"].removeprefix("Value error, ")
        found.append({"field": variable, "code": item["type"], "detail": detail})
    return InvalidSettings(
        "invalid_settings", "; ".join(f"{item['field']}: {item['detail']}" for item in found), errors=found
    )


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return _MASK if value.get_secret_value() else ""
    if isinstance(value, tuple | list | frozenset | set):
        return ",".join(_text(item) for item in value)
    return "" if value is None else _PASSWORD_IN_URL.sub(rf"\1:{_MASK}@", str(value))
