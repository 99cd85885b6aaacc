"""The HTTP client for webhooks against real sockets: guard, deadline, byte cap, TLS."""

import asyncio
import gzip
import ipaddress
import ssl
import subprocess
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.alerting.outbound.domain.addresses import Address, AddressPolicy, Refused, parsed_networks
from services.alerting.outbound.domain.outcomes import Failure
from services.alerting.outbound.gateways.egress import Budgets, Egress
from services.alerting.outbound.gateways.guard import Resolver
from shared.clock import SystemClock
from tests.support.receiver import Answer, Receiver, receiving

LOOPBACK = AddressPolicy(parsed_networks("127.0.0.1/32"), frozenset({8001}))
BUDGETS = Budgets(connect=0.5, attempt=1.0)


class StubResolver:
    """Gives scripted answers for a name, the last one for ever; counts the questions."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = [[ipaddress.ip_address(address) for address in answer] for answer in answers]
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """In the allowed network."""
    async with receiving() as listening:
        yield listening


@pytest.fixture
async def canary(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Something internal, on the receiver's port of another loopback address; must see no connection."""
    async with receiving(host="127.0.0.2", port=receiver.port) as listening:
        yield listening


def client(resolver: Resolver | None = None, budgets: Budgets = BUDGETS) -> Egress:
    if resolver is None:
        return Egress(LOOPBACK, SystemClock(), budgets)
    return Egress(LOOPBACK, SystemClock(), budgets, resolver=resolver)


async def test_a_post_arrives_as_it_was_given(receiver: Receiver) -> None:
    egress = client()
    outcome = await egress.post(receiver.url + "?a=1", {"X-Mixed-Case": "v"}, b'{"b": 1, "a": "\xc3\xa9"}')
    await egress.aclose()
    assert (outcome.failure, outcome.status_code, outcome.response_text) == (None, 200, "ok")
    request = receiver.requests[0]
    assert (request.method, request.path, request.body) == ("POST", "/hook?a=1", b'{"b": 1, "a": "\xc3\xa9"}')
    assert ("X-Mixed-Case", "v") in request.raw_headers
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Tellback")
    assert "cookie" not in request.headers


async def test_the_connection_is_kept_alive_and_cookies_are_not() -> None:
    async with receiving(default=Answer(headers={"Set-Cookie": "a=b"})) as receiver:
        egress = client()
        for _ in range(3):
            assert (await egress.post(receiver.url, {}, b"{}")).failure is None
        await egress.aclose()
    assert receiver.connections == 1
    assert not any("cookie" in request.headers for request in receiver.requests)


async def test_head_and_body_leave_together() -> None:
    first: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.append(await reader.read(65_536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    egress = client()
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await egress.post(url, {}, b"the whole body")).failure is None
    await egress.aclose()
    assert first[0].startswith(b"POST / HTTP/1.1\r\n")
    assert first[0].endswith(b"\r\n\r\nthe whole body")


async def test_a_connection_that_the_receiver_closed_is_not_used_again() -> None:
    """A server may close what is kept alive whenever it likes; no attempt is to be lost to that."""
    connections: list[asyncio.StreamWriter] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    egress = client()
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for count in (1, 2, 3):
            assert (await egress.post(url, {}, b"")).failure is None
            await connections[-1].wait_closed()
            assert len(connections) == count
    await egress.aclose()


async def test_proxies_of_the_environment_play_no_part(
    receiver: Receiver, canary: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.2:{canary.port}")
    egress = client()
    assert (await egress.post(receiver.url, {}, b"{}")).failure is None
    await egress.aclose()
    assert canary.connections == 0


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "127.2", "2130706434", "0x7f.2", "localhost", "[::ffff:127.0.0.2]", "[::1]", "0"],
)
async def test_no_spelling_reaches_an_address_inside(host: str, receiver: Receiver) -> None:
    async with receiving(host="127.0.0.2", port=receiver.port) as canary:
        # Nothing is allowed here, so that localhost is inside too.
        egress = Egress(AddressPolicy(), SystemClock(), BUDGETS)
        url = f"http://{host}:{canary.port}/"
        with pytest.raises(Refused):
            await egress.check(url)
        outcome = await egress.post(url, {}, b"{}")
        await egress.aclose()
    assert (outcome.failure, outcome.status_code, outcome.response_text) == (Failure.BLOCKED, None, "")
    assert canary.connections + receiver.connections == 0


async def test_blocked_tells_neither_address_nor_whether_something_listens(canary: Receiver) -> None:
    egress = client()
    listening = await egress.post(f"http://127.0.0.2:{canary.port}/", {}, b"{}")
    silent = await egress.post("http://127.0.0.2:1/", {}, b"{}")
    unroutable = await egress.post("http://10.255.255.1/", {}, b"{}")
    await egress.aclose()
    assert listening == silent == unroutable


async def test_our_own_ports_stay_refused_in_an_allowed_network() -> None:
    egress = client()
    with pytest.raises(Refused):
        await egress.check("http://127.0.0.1:8001/v1/responses")
    assert (await egress.post("http://127.0.0.1:8001/", {}, b"{}")).failure is Failure.BLOCKED
    await egress.aclose()


async def test_a_name_that_turns_to_an_address_inside_is_blocked(receiver: Receiver, canary: Receiver) -> None:
    """Given a name that answers public first and loopback later, then the second attempt is blocked and the canary sees
    nothing."""
    resolver = StubResolver(["127.0.0.1"], ["127.0.0.2"])
    egress = client(resolver)
    url = f"http://crm.example:{receiver.port}/"
    first = await egress.post(url, {}, b"{}")
    second = await egress.post(url, {}, b"{}")
    await egress.aclose()
    assert (first.failure, second.failure) == (None, Failure.BLOCKED)
    assert (len(receiver.requests), canary.connections) == (1, 0)
    assert receiver.requests[0].headers["host"] == f"crm.example:{receiver.port}"


async def test_a_name_is_asked_for_once_an_attempt(receiver: Receiver) -> None:
    resolver = StubResolver(["127.0.0.1"])
    egress = client(resolver)
    for _ in range(2):
        await egress.post(f"http://crm.example:{receiver.port}/", {}, b"{}")
    await egress.aclose()
    assert resolver.asked == 2


@pytest.mark.parametrize("answers", [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "::1"]])
async def test_mixed_answers_are_blocked(answers: list[str], receiver: Receiver, canary: Receiver) -> None:
    """Given a name with a good and a bad address, then it is blocked."""
    egress = client(StubResolver(answers))
    url = f"http://crm.example:{receiver.port}/"
    with pytest.raises(Refused):
        await egress.check(url)
    assert (await egress.post(url, {}, b"{}")).failure is Failure.BLOCKED
    await egress.aclose()
    assert receiver.connections + canary.connections == 0


async def test_the_next_address_is_dialled_when_the_first_does_not_answer(receiver: Receiver) -> None:
    policy = AddressPolicy(parsed_networks("127.0.0.0/8"))
    egress = Egress(policy, SystemClock(), BUDGETS, resolver=StubResolver(["127.0.0.9", "127.0.0.1"]))
    assert (await egress.post(f"http://crm.example:{receiver.port}/", {}, b"{}")).failure is None
    await egress.aclose()


async def test_a_redirect_is_not_followed(canary: Receiver) -> None:
    location = {"Location": f"http://127.0.0.2:{canary.port}/latest/meta-data"}
    for status in (301, 302, 303, 307, 308):
        async with receiving(Answer(status, headers=location)) as receiver:
            egress = client()
            outcome = await egress.post(receiver.url, {}, b"{}")
            await egress.aclose()
        assert (outcome.failure, outcome.status_code) == (Failure.HTTP_3XX, status)
    assert canary.connections == 0


async def test_a_name_without_address_fails_as_dns_and_may_be_stored() -> None:
    egress = client()
    await egress.check("https://does-not-exist.invalid/")
    assert (await egress.post("https://does-not-exist.invalid/", {}, b"{}")).failure is Failure.DNS
    with pytest.raises(Refused):
        await egress.check("https://does-not-exist.invalid:22/")
    await egress.aclose()


async def test_a_port_where_nobody_listens_fails_as_connect() -> None:
    async with receiving() as gone:
        url = gone.url
    egress = client()
    assert (await egress.post(url, {}, b"{}")).failure is Failure.CONNECT
    await egress.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(delay=30), id="silent"),
        pytest.param(Answer(body=b"x" * 500, drip=1, pause=0.2), id="dripping head and body"),
        pytest.param(Answer(headers={f"X-{n}": "y" for n in range(40)}, drip=3, pause=0.2), id="dripping head"),
    ],
)
async def test_one_deadline_covers_the_whole_attempt(answer: Answer) -> None:
    async with receiving(answer) as receiver:
        egress = client()
        started = time.monotonic()
        outcome = await egress.post(receiver.url, {}, b"{}")
        took = time.monotonic() - started
        await egress.aclose()
    assert outcome.failure is Failure.TIMEOUT
    assert 0.9 < took < 15


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b"x" * 10_000_000, {}, id="10 MB"),
        pytest.param(gzip.compress(b"\0" * 20_000_000), {"Content-Encoding": "gzip"}, id="gzip bomb"),
    ],
)
async def test_a_huge_answer_is_a_success_and_only_its_beginning_is_kept(body: bytes, headers: dict[str, str]) -> None:
    """Given a 10 MB body, and a gzip body that expands 1,000 times, then memory stays flat, the stored text is within
    the cap, and 200 is a success."""
    async with receiving(Answer(200, body, headers, drip=65_536)) as receiver:
        egress = client(budgets=Budgets(attempt=5.0))
        await egress.check(receiver.url)
        tracemalloc.start()
        outcome = await egress.post(receiver.url, {}, b"{}")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await egress.aclose()
    assert (outcome.failure, outcome.status_code) == (None, 200)
    assert len(outcome.response_text) <= 16 * 1024
    assert outcome.response_truncated == (len(body) > 16 * 1024)
    assert peak < len(body) + 2_000_000  # the receiver holds its own copy of the answer


async def test_nul_and_invalid_utf8_become_replacement_characters() -> None:
    async with receiving(Answer(500, b"a\x00b\xff\xfec")) as receiver:
        egress = client()
        outcome = await egress.post(receiver.url, {}, b"{}")
        await egress.aclose()
    assert outcome.response_text == "a\ufffdb\ufffd\ufffdc"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Answer(reset=True), Failure.RESET),
        (Answer(headers={"Content-Length": "10"}), Failure.TIMEOUT),
        (Answer(headers={"Bad Header": "x"}), Failure.PROTOCOL),
        (Answer(503, headers={"Retry-After": "7"}), Failure.HTTP_5XX),
        (Answer(404), Failure.HTTP_4XX),
    ],
    ids=["reset", "shorter than said", "malformed", "503", "404"],
)
async def test_a_failure_has_its_class(answer: Answer, failure: Failure) -> None:
    async with receiving(answer) as receiver:
        egress = client()
        outcome = await egress.post(receiver.url, {}, b"{}")
        await egress.aclose()
    assert outcome.failure is failure
    assert outcome.retry_after == (7 if answer.status == 503 else None)


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server context that no client trusts."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*request.split(), *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_self_signed_certificate_fails_as_tls_and_no_body_is_sent(self_signed: ssl.SSLContext) -> None:
    """Given a self-signed certificate, then failure class tls, and no body was sent."""
    async with receiving(tls=self_signed) as receiver:
        egress = client()
        outcome = await egress.post(receiver.url, {}, b"{}")
        await egress.aclose()
    assert outcome.failure is Failure.TLS
    assert receiver.requests == []


async def test_many_attempts_at_once_do_not_disturb_each_other(receiver: Receiver, canary: Receiver) -> None:
    egress = client()
    urls = [receiver.url if number % 2 else f"http://127.0.0.2:{canary.port}/" for number in range(100)]
    outcomes = await asyncio.gather(*(egress.post(url, {}, b"{}") for url in urls))
    await egress.aclose()
    assert [outcome.failure for outcome in outcomes] == [Failure.BLOCKED, None] * 50
    assert canary.connections == 0
