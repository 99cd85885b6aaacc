"""What only a socket shows: framing tricks, chunked bodies without a length, broken answers, clients that leave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client import REGISTRY

from shared.access.caller import SCOPES, Caller
from shared.http.limits import BODY_BYTES
from tests.support.edge import Keys, edge_app
from tests.support.http import bearer, serving
from tests.support.polling import eventually

JSON_BODY = b'{"score": 9}'


@pytest.fixture(scope="module")
async def base_url() -> AsyncIterator[str]:
    async with serving(edge_app(Keys({"all": Caller("a" * 12, frozenset(SCOPES))}))) as url:
        yield url


async def send_raw(base_url: str, request: bytes) -> bytes:
    """The first part of the answer to a request of these bytes."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        await writer.drain()
        return await asyncio.wait_for(reader.read(65_536), 10)
    finally:
        writer.close()


def request(*headers: bytes, body: bytes = b"", path: bytes = b"/v1/open-answers") -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: tellback.test", b"Content-Type: application/json", *headers]
    return b"\r\n".join([*lines, b"", body])


async def test_two_lengths_at_once_are_refused(base_url: str) -> None:
    chunked = b"c\r\n" + JSON_BODY + b"\r\n0\r\n\r\n"
    for headers in (
        (b"Content-Length: 12", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Content-Length: 12"),
        (b"Content-Length: 12", b"Content-Length: 13"),
    ):
        answer = await send_raw(base_url, request(*headers, body=chunked))
        assert answer.startswith(b"HTTP/1.1 400 "), headers


async def test_a_chunked_body_is_read(base_url: str) -> None:
    chunked = b"5\r\n" + JSON_BODY[:5] + b"\r\n7\r\n" + JSON_BODY[5:] + b"\r\n0\r\n\r\n"
    answer = await send_raw(base_url, request(b"Transfer-Encoding: chunked", body=chunked))
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_chunked_body_without_end_is_cut_off(base_url: str) -> None:
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request(b"Transfer-Encoding: chunked"))
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    sent = 0
    # The server must answer and close while the request is still being sent.
    with suppress(ConnectionError):
        while not reader.at_eof() and sent < 2_000 * len(chunk):
            writer.write(chunk)
            await writer.drain()
            sent += len(chunk)
            await asyncio.sleep(0)
    assert sent < 2_000 * len(chunk)
    with suppress(ConnectionError):
        assert (await reader.read(100)).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_body_announced_too_large_is_refused_before_it_comes(base_url: str) -> None:
    answer = await send_raw(base_url, request(b"Content-Length: %d" % (BODY_BYTES + 1)))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


async def test_large_headers_are_refused(base_url: str) -> None:
    answer = await send_raw(base_url, request(b"X-Large: " + b"x" * 20_000, b"Content-Length: 0"))
    assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


async def test_two_keys_are_refused(base_url: str) -> None:
    keys = [b"Authorization: Bearer all"] * 2
    answer = await send_raw(base_url, request(*keys, b"Content-Length: 12", body=JSON_BODY, path=b"/v1/answers"))
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_an_answer_that_breaks_off_is_seen_to_be_cut(base_url: str) -> None:
    async with httpx.AsyncClient(base_url=base_url) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/v1/stream")
        assert (await client.get("/health/live")).status_code == 200


def count_of_clients_gone() -> float:
    labels = {"method": "POST", "route": "/v1/answers", "status": "499"}
    return REGISTRY.get_sample_value("tellback_http_request_duration_seconds_count", labels) or 0.0


async def test_a_client_that_leaves_while_sending_is_no_failure(base_url: str) -> None:
    before = count_of_clients_gone()
    address = urlsplit(base_url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request(b"Authorization: Bearer all", b"Content-Length: 1000", body=b"{", path=b"/v1/answers"))
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await eventually(lambda: count_of_clients_gone() == before + 1)


async def test_many_at_once_are_answered(base_url: str) -> None:
    async with httpx.AsyncClient(base_url=base_url, headers=bearer("all")) as client:
        answers = await asyncio.gather(*(client.post("/v1/answers", json={"score": 9}) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 50
