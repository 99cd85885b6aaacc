"""Why Kafka cannot be used, in a sentence: clients of aiokafka say only that no broker answers, so one connection is
made here, whose error is kept."""

import asyncio
import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from shared.errors import Unavailable
from shared.kafka.connection import KafkaConnection
from shared.kafka.tokens import NoToken

PROBE_SECONDS = 5.0
FORBIDDEN = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
"""What Kafka answers to a client that lacks a right."""


class KafkaAway(Unavailable):
    """Kafka does not answer, or refuses this client: `fault` says what an operator has to mend."""

    def __init__(self, detail: str, fault: str = "") -> None:
        super().__init__("kafka_unavailable", detail, retry_after=5)
        self.fault = fault


async def fault_of(kafka: KafkaConnection) -> str:
    """What an operator has to mend, from the first bootstrap server that is there; empty where none is, or where a
    connection can be made."""
    for host, port in kafka.addresses():
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                options = kafka.options()
                del options["bootstrap_servers"]
                connection = await create_conn(host, port, client_id="tellback-probe", **options)
        except TimeoutError:
            continue
        except (KafkaError, OSError, ValueError) as error:
            fault = _sentence(error, kafka)
            if fault:
                return fault
        else:
            connection.close()
            return ""
    return ""


def right_missing(error: KafkaError) -> str:
    """The sentence for one of the `FORBIDDEN`."""
    thing = type(error).__name__.removesuffix("AuthorizationFailedError").lower()
    return f"Kafka forbids this client what it needs to do with a {thing}: {error}"


def _sentence(error: Exception, kafka: KafkaConnection) -> str:
    if isinstance(error, ssl.SSLError | ConnectionResetError):
        return _of_tls(error, kafka)
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"Kafka does not take {kafka.sasl_mechanism}: set TELLBACK_KAFKA_SASL_MECHANISM to one that it takes"
    if isinstance(error, AuthenticationFailedError | SaslAuthenticationFailed):
        return "Kafka refuses the name or the password of this client (TELLBACK_KAFKA_SASL_USERNAME, _PASSWORD)"
    if isinstance(error, IllegalSaslStateError):
        return "Kafka asks for no SASL there, and TELLBACK_KAFKA_SECURITY_PROTOCOL demands it"
    if isinstance(error, NoToken):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}, which the settings of Kafka name, cannot be read: {error.strerror}"
    return ""


def _of_tls(error: ssl.SSLError | ConnectionResetError, kafka: KafkaConnection) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of Kafka is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS with Kafka fails: {error.reason or error}"
    if kafka.encrypted:
        return (
            "Kafka breaks off when TLS begins: it speaks none there (TELLBACK_KAFKA_SECURITY_PROTOCOL), or none that is"
            " new enough (TELLBACK_KAFKA_TLS_MINIMUM)"
        )
    return ""
