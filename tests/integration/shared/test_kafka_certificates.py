"""TLS with Kafka, to a server that only takes connections: what a client shows, renews, and refuses."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from services.cli.embedded.process import LOOPBACK
from shared.kafka.connection import KafkaConnection
from shared.kafka.probe import fault_of
from tests.support.authorities import Authority


@dataclass
class Door:
    """A server with TLS; `shown` are the names in the certificates that clients showed."""

    address: str
    shown: list[str] = field(default_factory=list)


@asynccontextmanager
async def door(authority: Authority, latest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> AsyncIterator[Door]:
    """A server that asks for certificates of the authority, and speaks TLS up to this version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("broker"))
    context.load_verify_locations(cafile=authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = latest

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.shown.append(name_in(writer.get_extra_info("peercert")))
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
    found = Door(f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}")
    async with server:
        yield found


def name_in(certificate: dict[str, Any]) -> str:
    """The common name of a certificate."""
    return str(dict(part[0] for part in certificate["subject"])["commonName"])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_client_shows_its_certificate_and_after_its_renewal_the_new_one(authority: Authority) -> None:
    """aiokafka keeps one context for the life of a client."""
    certificate, key = authority.issue("tellback")
    async with door(authority) as there:
        kafka = KafkaConnection(there.address, "SSL", ca_file=authority.file, cert_file=certificate, key_file=key)
        context = kafka.options()["ssl_context"]
        ((host, port),) = kafka.addresses()
        for name in ("tellback", "renewed"):
            for new, old in zip(authority.issue(name), (certificate, key), strict=True):
                new.replace(old)
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
            await reader.read()
            writer.close()
        assert there.shown == ["tellback", "renewed"]


async def test_a_version_of_tls_below_the_minimum_is_named(authority: Authority) -> None:
    certificate, key = authority.issue("tellback")
    async with door(authority, ssl.TLSVersion.TLSv1_2) as there:
        kafka = KafkaConnection(
            there.address, "SSL", ca_file=authority.file, cert_file=certificate, key_file=key, tls_minimum="TLSv1.3"
        )
        assert "none that is new enough (TELLBACK_KAFKA_TLS_MINIMUM)" in await fault_of(kafka)
        assert there.shown == []


async def test_a_broker_that_speaks_no_tls_is_named(kafka: KafkaConnection) -> None:
    assert "it speaks none there" in await fault_of(replace(kafka, security_protocol="SASL_SSL"))
