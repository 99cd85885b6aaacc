"""Connections to a PostgreSQL of other people: TLS, certificates, passwords in files, and what is wrong is named."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.db.engine import Database, DatabaseRefuses, DatabaseUnavailable
from shared.db.migrate import levels
from tests.support.authorities import Authority
from tests.support.environment import Environment
from tests.support.forwarding import pass_on
from tests.support.tls_proxy import tls_in_front


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def secured(database_only: Environment, authority: Authority) -> AsyncIterator[str]:
    """The URL of a database behind TLS."""
    async with tls_in_front(database_only.database_url, *authority.issue("server")) as url:
        yield url


async def answers(url: str, password_file: Path | None = None) -> bool:
    database = Database(url, "scorer", password_file=password_file, pool_size=1)
    try:
        await database.ping()
    finally:
        await database.close()
    return True


async def refusal(url: str, password_file: Path | None = None) -> str:
    with pytest.raises(DatabaseRefuses) as raised:
        await answers(url, password_file)
    return raised.value.fault


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_k1_sslmode_of_the_url_means_what_libpq_says(secured: str, authority: Authority, mode: str) -> None:
    url = f"{secured}?sslmode={mode}&sslrootcert={authority.file}"
    assert await answers(url)
    assert await levels(url, ("scorer",))


async def test_k2_a_client_shows_its_certificate(database_only: Environment, authority: Authority) -> None:
    server = authority.issue("server")
    certificate, key = authority.issue("tellback")
    async with tls_in_front(database_only.database_url, *server, clients=authority.file) as url:
        parameters = f"?sslmode=verify-full&sslrootcert={authority.file}"
        assert await answers(f"{url}{parameters}&sslcert={certificate}&sslkey={key}")


async def test_a_foreign_authority_is_named(secured: str, tmp_path: Path) -> None:
    foreign = Authority(tmp_path / "elsewhere").file
    assert "certificate of PostgreSQL is not trusted" in await refusal(
        f"{secured}?sslmode=verify-full&sslrootcert={foreign}"
    )


async def test_an_expired_certificate_is_named(database_only: Environment, authority: Authority) -> None:
    expired = authority.issue("server", lasts=timedelta(days=-1))
    async with tls_in_front(database_only.database_url, *expired) as url:
        assert "certificate has expired" in await refusal(f"{url}?sslmode=verify-full&sslrootcert={authority.file}")


async def test_a_certificate_of_another_host_is_named(database_only: Environment, authority: Authority) -> None:
    other = authority.issue("server", address="192.0.2.1")
    async with tls_in_front(database_only.database_url, *other) as url:
        assert "not valid for '127.0.0.1'" in await refusal(f"{url}?sslmode=verify-full&sslrootcert={authority.file}")


async def test_a_server_without_tls_is_named(database_only: Environment) -> None:
    assert "speaks no TLS" in await refusal(f"{database_only.database_url}?sslmode=require")


async def test_a_missing_file_is_named(secured: str) -> None:
    assert "/nowhere/ca.pem" in await refusal(f"{secured}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem")


async def test_an_unknown_mode_is_named(secured: str) -> None:
    assert "TELLBACK_DATABASE_URL cannot be used" in await refusal(f"{secured}?sslmode=perhaps")


async def test_a_wrong_password_is_named_without_it(database_only: Environment) -> None:
    url = database_only.database_url
    wrong = url.replace(url.split(":")[2].split("@")[0], "hunter2")
    said = await refusal(wrong)
    assert said == 'PostgreSQL refuses the connection: password authentication failed for user "tellback"'


async def test_the_file_of_the_password_is_read_at_each_connection(database_only: Environment, tmp_path: Path) -> None:
    url = database_only.database_url
    password = url.split(":")[2].split("@")[0]
    file, without = tmp_path / "password", url.replace(f":{password}@", "@")
    file.write_text("yesterday's\n")
    database = Database(without, "scorer", password_file=file, pool_size=1)
    with pytest.raises(DatabaseRefuses):
        await database.ping()
    file.write_text(f"{password}\n")
    await database.ping()
    await database.close()
    assert str(tmp_path / "gone") in await refusal(without, tmp_path / "gone")


READY = b"Z\x00\x00\x00\x05I"
_ENDED = b"SFATAL\x00VFATAL\x00C57P01\x00Mterminating connection due to administrator command\x00\x00"
ENDED = b"E" + (len(_ENDED) + 4).to_bytes(4, "big") + _ENDED


@asynccontextmanager
async def ending_while_it_opens(url: str) -> AsyncIterator[str]:
    """The URL of the server, which ends each connection as an administrator does, after its first statement was
    prepared and before that one runs."""
    parts = urlsplit(url)

    async def ended(server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        signed_in = False
        while data := await server.read(65_536):
            client.write(data)
            if signed_in:
                client.write(ENDED)
                return
            signed_in = READY in data

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_server = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(pass_on(reader, to_server), ended(behind, writer))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()


async def test_a_connection_that_is_ended_while_it_opens_is_an_absent_database(database_only: Environment) -> None:
    async with ending_while_it_opens(database_only.database_url) as url:
        with pytest.raises(DatabaseUnavailable) as raised:
            await answers(url)
    assert raised.type is DatabaseUnavailable
