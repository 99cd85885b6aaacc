"""Counts tokens that are not ours by the network they come from, so that guessing costs nothing and leads nowhere."""

import ipaddress
from datetime import datetime, timedelta

from shared.clock import Clock

MOST = 60
"""Unknown tokens a minute and network; further ones are told to wait."""
WINDOW = timedelta(minutes=1)
NETWORKS = 10_000
"""Networks that are remembered; the one seen first is forgotten for a further one."""
_PREFIX = {4: 24, 6: 48}


class Strangers:
    """Unknown tokens by network, in this process. Valid tokens are never counted or refused: behind one address there
    may be a whole company."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[datetime, int]] = {}

    def wait(self, address: str | None) -> int:
        """Count one unknown token from this address. Returns the seconds until the network may try again, 0 while it is
        within the limit."""
        now, network = self._clock.now(), network_of(address)
        since, count = self._seen.get(network, (now, 0))
        if now - since >= WINDOW or now < since:
            since, count = now, 0
        if network not in self._seen and len(self._seen) >= NETWORKS:
            self._seen.pop(next(iter(self._seen)))
        self._seen[network] = since, count + 1
        if count < MOST:
            return 0
        return max(1, int((since + WINDOW - now).total_seconds()))


def network_of(address: str | None) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 address; empty for what is neither."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, _PREFIX[ip.version]), strict=False))
