"""Which URLs and addresses a webhook may use."""

import ipaddress

import pytest

from services.alerting.outbound.domain.addresses import (
    AddressPolicy,
    Refused,
    Target,
    all_permitted,
    is_public,
    parsed_networks,
    target_of,
)

PUBLIC = AddressPolicy()
IN_HOUSE = AddressPolicy(parsed_networks("127.0.0.1/32, 10.1.0.0/16, fd00::/8"), frozenset({8001, 5432}))


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://crm.example.com/hooks?id=1", Target("https", "crm.example.com", 443)),
        ("http://CRM.example.com:8080", Target("http", "crm.example.com", 8080)),
        ("https://xn--bcher-kva.example/", Target("https", "xn--bcher-kva.example", 443)),
        ("https://8.8.8.8/", Target("https", "8.8.8.8", 443)),
        ("https://[2606:4700::1111]:8443/", Target("https", "2606:4700::1111", 8443)),
        ("http://in_house.example./x", Target("http", "in_house.example.", 80)),
    ],
)
def test_a_good_url_has_a_target(url: str, target: Target) -> None:
    assert target_of(url, PUBLIC) == target


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "//example.com/",
        "example.com",
        "",
        "https://",
        "https:///path",
        "https://user:pass@example.com/",
        "https://user@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com/#fragment",
        "https://example.com/#",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://example.com\\@127.0.0.1/",
        "https://a%00b.example/",
        "https://example.com%2f/",
        "https://bücher.example/",
        "https://\uff45xample.com/",
        "https://example.com/ü",
        "https://a..b/",
        "https://-a.example/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 130 + "example/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:x/",
        "https://[::1",
        "https://[1.2.3.4]/",
        "https://[fe80::1%25eth0]/",
        "https://example.com/" + "a" * 3000,
    ],
)
def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        target_of(url, PUBLIC)


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "017700000001", "0", "1.2.3", "127.0.0.1."],
)
@pytest.mark.parametrize("policy", [PUBLIC, IN_HOUSE], ids=["public", "in house"])
def test_an_odd_spelling_of_an_address_is_refused(host: str, policy: AddressPolicy) -> None:
    with pytest.raises(Refused, match="four decimal numbers"):
        target_of(f"http://{host}/", policy)


def test_https_only_refuses_plain_http() -> None:
    with pytest.raises(Refused):
        target_of("http://example.com/", AddressPolicy(https_only=True))


DENIED = [
    *("0.0.0.1", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1"),
    *("192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1"),
    *("64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:1ff::1", "2001:db8::1", "2002::1"),
    *("2002:7f00:1::", "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fd00::1", "fe80::1", "fec0::1"),
    *("ff02::1", "1000::1", "4000::1", "fe80::1%lo"),
]


@pytest.mark.parametrize("address", DENIED)
def test_an_address_inside_is_denied(address: str) -> None:
    address_literal = ipaddress.ip_address(address)
    assert not is_public(address_literal)
    assert not PUBLIC.permits(address_literal, 443)


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "168.63.129.17", "192.0.1.1"),
        *("223.255.255.255", "2001:200::1", "2606:4700::1111", "2a00::1", "::ffff:8.8.8.8", "3ffe::1"),
    ],
)
def test_a_public_address_is_permitted(address: str) -> None:
    assert PUBLIC.permits(ipaddress.ip_address(address), 443)


@pytest.mark.parametrize("port", [1, 21, 22, 25, 110, 993, 1023, 3306, 5432, 6379, 9092, 27017])
def test_a_port_that_is_no_web_server_is_refused(port: int) -> None:
    assert not PUBLIC.permits(ipaddress.ip_address("1.1.1.1"), port)


def test_an_allowed_network_is_open_on_any_port_but_our_own() -> None:
    loopback = ipaddress.ip_address("127.0.0.1")
    assert IN_HOUSE.permits(loopback, 22)
    assert IN_HOUSE.permits(ipaddress.ip_address("10.1.200.3"), 9999)
    assert IN_HOUSE.permits(ipaddress.ip_address("fd12::1"), 80)
    assert not IN_HOUSE.permits(loopback, 8001)
    assert not IN_HOUSE.permits(loopback, 5432)


@pytest.mark.parametrize("address", ["127.0.0.2", "10.2.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"])
def test_what_is_beside_an_allowed_network_stays_refused(address: str) -> None:
    assert not IN_HOUSE.permits(ipaddress.ip_address(address), 80)


def test_one_bad_answer_refuses_the_name() -> None:
    good, bad = ipaddress.ip_address("1.1.1.1"), ipaddress.ip_address("::1")
    assert all_permitted([good], 443, PUBLIC)
    assert not all_permitted([good, bad], 443, PUBLIC)
    assert not all_permitted([], 443, PUBLIC)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "everything", "10.0.0.0/8;::/0"])
def test_a_malformed_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|has host bits"):
        parsed_networks(text)


def test_refusals_name_no_address() -> None:
    for url in ("http://10.0.0.1/", "http://[::1]/"):
        with pytest.raises(Refused) as refusal:
            target_of(url, PUBLIC)
        assert not any(character.isdigit() for character in str(refusal.value))
