"""How this installation connects to Kafka: every client of aiokafka is made with `KafkaConnection.options`."""

import ipaddress
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from shared.tls import client_context

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

NO_PASSWORD = SecretStr("")


def _not_in_the_clear(record: logging.LogRecord) -> bool:
    """Drop aiokafka's warning, at every connection, that a password is sent in the clear: the embedded broker is on
    this machine, and for others an operator chose it."""
    return record.msg != "Sending username and password in the clear"


logging.getLogger("aiokafka.conn").addFilter(_not_in_the_clear)


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where the brokers are, and how a client proves who it is. `bootstrap_servers` are `host:port`, separated by
    commas. With SASL there are a user name and password, or for OAUTHBEARER the file or the command that gives a
    token. Without a `ca_file` the authorities of the system are believed."""

    bootstrap_servers: str
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: Mechanism = "PLAIN"
    username: str = ""
    password: SecretStr = NO_PASSWORD
    token_file: Path | None = None
    token_command: str = ""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    tls_minimum: str = "TLSv1.2"

    @property
    def encrypted(self) -> bool:
        """Whether connections use TLS."""
        return self.security_protocol in {"SSL", "SASL_SSL"}

    @property
    def authenticated(self) -> bool:
        """Whether clients name themselves by SASL."""
        return self.security_protocol.startswith("SASL_")

    def options(self) -> dict[str, Any]:
        """The arguments with which a client of aiokafka connects. Raises `OSError` or `ssl.SSLError` where a
        certificate or key cannot be read."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
        }
        if self.encrypted:
            options["ssl_context"] = self.ssl_context()
        if self.authenticated:
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password.get_secret_value(),
            }
        if self.authenticated and self.sasl_mechanism == "OAUTHBEARER":
            from shared.kafka.tokens import Token  # noqa: PLC0415  # aiokafka is heavy, and settings are read by all

            options["sasl_oauth_token_provider"] = Token(self.token_file, self.token_command)
        return options

    def ssl_context(self) -> ssl.SSLContext:
        """The context of TLS connections; renewed certificates are used by the next connection."""
        return client_context(self.ca_file, self.cert_file, self.key_file, self.tls_minimum)

    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each bootstrap server."""
        found = []
        for server in self.bootstrap_servers.split(","):
            host, _, port = server.strip().rpartition(":")
            found.append((host.strip("[]"), int(port)))
        return found


def is_loopback(host: str) -> bool:
    """Whether a host, by its name or address, is this machine and no other."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
