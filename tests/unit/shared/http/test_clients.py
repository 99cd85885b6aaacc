"""The client of a connection, the limits of connections, and which connections are closed first."""

import pytest

from shared.http.connections import LOOPBACK, Connections, Limits, Phase, client_of, connections_for, networks


class Idle:
    """A connection that has been idle since a moment; it stays open in the turn in which it is aborted."""

    group: str | None = "203.0.113.7"
    received = 0

    def __init__(self, since: float) -> None:
        self.since = since
        self.times_closed = 0

    def waits(self) -> tuple[Phase, float]:
        """Always idle."""
        return Phase.IDLE, self.since

    def abort(self) -> None:
        """Count the call."""
        self.times_closed += 1


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


@pytest.mark.parametrize("limits", [Limits(connections=3), Limits(per_client=3)], ids=["all", "of one client"])
async def test_of_many_that_come_at_once_each_makes_room_for_itself_alone(limits: Limits) -> None:
    connections = Connections(limits)
    crowd = [Idle(since) for since in range(8)]
    for count, connection in enumerate(crowd, start=1):
        connections.add(connection, count)
    assert [connection.times_closed for connection in crowd] == [1, 1, 1, 1, 1, 0, 0, 0]
    for connection in crowd:
        connections.remove(connection)
