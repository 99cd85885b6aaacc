"""Whose connection it is, and how many connections fit."""

import pytest

from shared.http.connections import LOOPBACK, client_of, connections_for, networks


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("10.1.2.3", None),
        ("", None),
    ],
)
def test_a_client_is_its_address_unless_that_is_a_proxy_s(address: str, client: str | None) -> None:
    assert client_of(address, (*LOOPBACK, *networks(["10.0.0.0/8", "proxy.example"]))) == client


def test_every_address_may_be_a_proxy_s() -> None:
    assert client_of("203.0.113.7", networks(["*"])) is None


@pytest.mark.parametrize(("files", "connections"), [(300, 150), (1_024, 768), (20_000, 8_000)])
def test_connections_leave_open_files_for_all_else(files: int, connections: int) -> None:
    assert connections_for(files) == connections
