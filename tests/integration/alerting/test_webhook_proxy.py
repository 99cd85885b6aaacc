"""Webhooks through a company's proxy: what it is asked for, what it is never asked for, and what goes past it."""

import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.alerting.outbound.domain.addresses import Address, AddressPolicy, Refused, parsed_networks
from services.alerting.outbound.domain.outcomes import Failure
from services.alerting.outbound.gateways.egress import Budgets, Egress
from services.alerting.outbound.gateways.proxy import proxy_of
from services.cli.checks import State, webhooks
from shared.clock import SystemClock
from tests.support.authorities import Authority
from tests.support.connect_proxy import ConnectProxy, proxying
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.receiver import Receiver, receiving
from tests.support.webhooks import hooks, message

CRM = "crm.example:8080"
PUBLIC = "8.8.8.8"
IN_HOUSE = AddressPolicy(parsed_networks("127.0.0.1/32"))
PASSWORD = "tellback:it's%40secret"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as listening:
        yield listening


@pytest.fixture
async def proxy(receiver: Receiver) -> AsyncIterator[ConnectProxy]:
    """Leads to the receiver, by the name of a CRM."""
    async with proxying({CRM: receiver.port}) as running:
        yield running


async def nobody(host: str, port: int) -> list[Address]:
    """A resolver that must not be asked."""
    raise AssertionError(f"{host} was looked up here")


async def at_loopback(host: str, port: int) -> list[Address]:
    return [ipaddress.ip_address("127.0.0.1")]


def through(url: str, policy: AddressPolicy = IN_HOUSE) -> Egress:
    return Egress(policy, SystemClock(), Budgets(connect=5, attempt=10), resolver=nobody, proxy=proxy_of(url, ()))


async def test_a_webhook_goes_through_a_tunnel_that_is_kept(proxy: ConnectProxy, receiver: Receiver) -> None:
    egress = through(proxy.url)
    await egress.check(f"http://{CRM}/hook")
    outcomes = [await egress.post(f"http://{CRM}/hook?a=1", {"X-Own": "v"}, b"{}") for _ in range(2)]
    await egress.aclose()
    assert [(outcome.failure, outcome.status_code) for outcome in outcomes] == [(None, 200)] * 2
    assert proxy.asked == [CRM]
    request = receiver.requests[1]
    assert (request.method, request.path, request.headers["host"], request.body) == ("POST", "/hook?a=1", CRM, b"{}")


async def test_user_and_password_are_for_the_proxy_alone(receiver: Receiver) -> None:
    async with proxying({CRM: receiver.port}, "tellback:it's@secret") as proxy:
        egress = through(f"http://{PASSWORD}@127.0.0.1:{proxy.port}")
        outcome = await egress.post(f"http://{CRM}/", {}, b"{}")
        await egress.aclose()
    assert outcome.failure is None
    assert not [name for name in receiver.requests[0].headers if name.startswith("proxy")]


async def test_the_certificate_is_that_of_the_receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    found = []
    for address in (PUBLIC, "8.8.4.4"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue(address, address=address))
        async with receiving(tls=context) as receiver, proxying({f"{PUBLIC}:443": receiver.port}) as proxy:
            egress = through(proxy.url)
            found.append((await egress.post(f"https://{PUBLIC}/", {}, b"{}")).failure)
            await egress.aclose()
    assert found == [None, Failure.TLS]


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "crm.localhost", "printer.local", "metadata.google.internal", "intranet", "db.corp."),
        *("127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[fd00::1]", "[::ffff:127.0.0.1]"),
    ],
)
async def test_what_is_inside_is_never_asked_for(host: str, proxy: ConnectProxy) -> None:
    egress = through(proxy.url, AddressPolicy())
    with pytest.raises(Refused):
        await egress.check(f"http://{host}:8080/")
    assert (await egress.post(f"http://{host}:8080/", {}, b"{}")).failure is Failure.BLOCKED
    await egress.aclose()
    assert proxy.asked == []


async def test_a_port_of_a_database_is_never_asked_for(proxy: ConnectProxy) -> None:
    egress = through(proxy.url)
    assert (await egress.post("http://crm.example:5432/", {}, b"{}")).failure is Failure.BLOCKED
    await egress.aclose()
    assert proxy.asked == []


async def test_in_house_receivers_are_reached_without_it(proxy: ConnectProxy, receiver: Receiver) -> None:
    egress = Egress(
        IN_HOUSE, SystemClock(), Budgets(), resolver=at_loopback, proxy=proxy_of(proxy.url, ["corp.example"])
    )
    for host in ("127.0.0.1", "corp.example", "crm.corp.example"):
        assert (await egress.post(f"http://{host}:{receiver.port}/", {}, b"{}")).failure is None
    outside = await egress.post("http://notcorp.example:8080/", {}, b"{}")
    await egress.aclose()
    assert (outside.failure, proxy.asked) == (Failure.CONNECT, ["notcorp.example:8080"])


@pytest.mark.parametrize(("status", "failure"), [(407, Failure.PROXY), (403, Failure.CONNECT), (502, Failure.CONNECT)])
async def test_a_refusal_of_the_proxy_has_its_class(proxy: ConnectProxy, status: int, failure: Failure) -> None:
    proxy.status = status
    egress = through(proxy.url)
    outcome = await egress.post(f"http://{CRM}/", {}, b"{}")
    await egress.aclose()
    assert (outcome.failure, outcome.status_code) == (failure, None)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"HTTP/1.1 "])
async def test_a_proxy_that_breaks_off_or_speaks_no_http_fails_itself(proxy: ConnectProxy, answer: bytes) -> None:
    proxy.answer = answer
    egress = through(proxy.url)
    assert (await egress.post(f"http://{CRM}/", {}, b"{}")).failure is Failure.PROXY
    await egress.aclose()


@pytest.mark.parametrize("status", [407, 0])
async def test_messages_wait_for_the_proxy_and_no_endpoint_is_to_blame(
    environment: Environment, proxy: ConnectProxy, receiver: Receiver, status: int
) -> None:
    proxy.status = status
    if not status:
        proxy.answer = b""
    async with hooks(
        environment, ALLOW_NETWORKS="", PROXY=proxy.url, BREAKER_FAILURES="2", DISABLE_AFTER_S="0.1"
    ) as api:
        endpoint = await api.endpoint(f"http://{CRM}/hook")
        await api.send(message())

        async def tried() -> bool:
            delivery = await api.only(endpoint)
            assert delivery["attempt_count"] > 6, "more often than the schedule allows"
            return True

        await eventually(tried)
        delivery = await api.only(endpoint)
        assert delivery["last_failure"] == "proxy"
        (_, waiting) = await webhooks.endpoints(environment.common)
        assert (waiting.state, waiting.name) == (State.WARNING, "alerting: messages at the proxy")
        shown = await api.call("GET", f"/webhook-endpoints/{endpoint['id']}")
        assert (shown["status"], shown["consecutive_failures"], shown["breaker"]) == ("enabled", 0, "closed")
        proxy.status, proxy.answer = 0, None
        assert (await api.settled(endpoint, "delivered"))["attempt_count"] > 6
    assert len(receiver.requests) == 1


async def test_a_proxy_that_is_away_is_no_fault_of_the_receiver() -> None:
    async with proxying({}) as gone:
        url = gone.url
    egress = through(url)
    assert (await egress.post(f"http://{CRM}/", {}, b"{}")).failure is Failure.PROXY
    await egress.aclose()


async def test_the_doctor_shows_the_proxy(proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await webhooks.proxy() == []
    monkeypatch.setenv("TELLBACK_ALERTING_PROXY", f"http://user:hunter2@127.0.0.1:{proxy.port}")
    (there,) = await webhooks.proxy()
    assert (there.state, there.found) == (State.OK, f"webhooks go through 127.0.0.1:{proxy.port}, which answers")
    monkeypatch.setenv("TELLBACK_ALERTING_PROXY", "http://127.0.0.1:9")
    (away,) = await webhooks.proxy()
    assert (away.state, away.found) == (State.FAILED, "webhooks go through 127.0.0.1:9, which does not answer")
