"""Where a webhook may go: the form of its URL, and a verdict on every address and port that a socket would
use.

The lists follow the IANA special-purpose registries; Python's `is_global` alone lets multicast, 6to4, NAT64
and documentation ranges through. A check of a URL says nothing about where its name leads: that is checked at
connect.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

MAX_URL_LENGTH = 2048
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DENIED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # the host agent of Azure, reachable from every machine there
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_MAPPED_V4 = ipaddress.IPv6Network("::ffff:0:0/96")
_DENIED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")  # the rest lies outside 2000::/3
)
_PRIVILEGED_PORTS = (80, 443)
# What is no web server: a webhook must not be a way to talk to it.
_STORES = (1433, 1521, 2049, 2379, 2380, 3306, 5432, 5672, 6379, 9042, 9092, 9200, 9300, 11211, 27017)
_CONSOLES = (1080, 2375, 2376, 3128, 3389, 5900, 6000, 6443, 10250)
_TALK = (1719, 1720, 1723, 3659, 4045, 4190, 5060, 5061, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080)
_REFUSED_PORTS = frozenset((*_STORES, *_CONSOLES, *_TALK))
_INSIDE = ("arpa", "corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost", "private")
"""Last labels of names that mean something inside one network only."""
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,254}}\Z)(?:{_LABEL}\.)*{_LABEL}\.?\Z")
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


class Refused(ValueError):
    """A URL or an address that a webhook must not use; the message never names an address."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: `host` is a name or an address without brackets, in lower case."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses may be dialled.

    `allow` are networks of in-house receivers: any port inside, except `own_ports`, those Tellback itself
    listens on.
    """

    allow: tuple[Network, ...] = ()
    own_ports: frozenset[int] = frozenset()
    https_only: bool = False

    def permits(self, address: Address, port: int) -> bool:
        """Whether a socket may be opened to this address and port."""
        if self.in_house(address):
            return port not in self.own_ports
        return is_public(address) and is_web_port(port)

    def in_house(self, address: Address) -> bool:
        """Whether the address is in a network of in-house receivers."""
        return any(address.version == network.version and address in network for network in self.allow)


def parsed_networks(text: str) -> tuple[Network, ...]:
    """Networks from their setting: CIDR, comma separated. Raises ValueError for anything else."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


@lru_cache(1024)
def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet; an IPv4 address inside IPv6 counts as itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address in _MAPPED_V4:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        return address in _GLOBAL_V6 and not any(address in network for network in _DENIED_V6)
    return not any(address in network for network in _DENIED_V4)


def is_web_port(port: int) -> bool:
    """Whether a receiver on the public internet may listen there: 80, 443, and above 1023 what speaks
    HTTP."""
    return port in _PRIVILEGED_PORTS or (port > 1023 and port not in _REFUSED_PORTS)


def is_public_name(host: str) -> bool:
    """Whether a name may be one of the public internet, as far as it says so itself: a name of one label, and one that
    ends as names inside do, is not."""
    *rest, last = host.rstrip(".").lower().split(".")
    return bool(rest) and last not in _INSIDE


def literal_address(host: str) -> Address | None:
    """The address when the host is one, else None. Short, octal and hexadecimal spellings are refused by
    `target_of`."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@lru_cache(1024)
def target_of(url: str, policy: AddressPolicy) -> Target:
    """The target of a webhook URL that keeps to the rules.

    Raises `Refused` unless it is http or https, at most 2,048 printable ASCII characters, with a host that is
    a name in ASCII (other scripts in punycode) or an address in its usual spelling, and without user,
    password or fragment. An address given literally is checked at once.
    """
    if len(url) > MAX_URL_LENGTH:
        raise Refused(f"must have at most {MAX_URL_LENGTH} characters")
    if _UNPRINTABLE.search(url) or "\\" in url:
        raise Refused("must hold printable ASCII characters only; write other host names in punycode")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("is not a URL") from None
    _check_parts(parts, url, policy)
    host = (parts.hostname or "").lower()
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    address = _checked_host(host, parts.netloc)
    if port == 0 or (address is not None and not policy.permits(address, port)):
        raise Refused("leads to an address or port that is not allowed")
    return Target(parts.scheme, host, port)


def without_path(url: str) -> str:
    """A URL of which only the host is shown: the path of a chat room's webhook is its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def all_permitted(addresses: Iterable[Address], port: int, policy: AddressPolicy) -> bool:
    """Whether there is an address and every one of them may be dialled: one bad answer refuses the name."""
    permitted = [policy.permits(address, port) for address in addresses]
    return bool(permitted) and all(permitted)


def _check_parts(parts: SplitResult, url: str, policy: AddressPolicy) -> None:
    if parts.scheme not in ("http", "https"):
        raise Refused("must begin with http:// or https://")
    if policy.https_only and parts.scheme != "https":
        raise Refused("must begin with https://")
    if "@" in parts.netloc:
        raise Refused("must not hold a user or password; use a custom header")
    if "#" in url:
        raise Refused("must not hold a fragment")


def _checked_host(host: str, netloc: str) -> Address | None:
    address = literal_address(host)
    if netloc.startswith("["):
        if not isinstance(address, ipaddress.IPv6Address):
            raise Refused("is not a URL")
        return address
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if not _HOST.match(host):
        raise Refused("must hold a host name in ASCII, or an address")
    if _NUMERIC_LABEL.match(host.rstrip(".").rpartition(".")[2]):
        raise Refused("must spell an IPv4 address as four decimal numbers")
    return None
