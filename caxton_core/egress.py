"""Where the server may connect to: the decision behind every request that leaves it.

An address is judged twice: as it is written, and as what its name resolves to.
"""

import re
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, TypeAlias, final

from attrs import frozen
from returns.result import Failure, Result, Success

IpAddress: TypeAlias = IPv4Address | IPv6Address


@final
class Zone(Enum):
    """What part of the world an address belongs to."""

    PUBLIC = "public"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    LINK_LOCAL = "link-local"
    METADATA = "cloud metadata"
    MULTICAST = "multicast"
    UNSPECIFIED = "unspecified"
    EMBEDDED = "IPv4 within IPv6"
    RESERVED = "reserved"


@final
class Reach(Enum):
    """How far requests may go: in public only, to this machine too, to private networks too."""

    PUBLIC = "public"
    LOOPBACK = "loopback"
    PRIVATE = "private"


@final
@frozen
class Destination:
    """Where an http(s) address leads, as it is written."""

    scheme: str
    host: str
    port: int

    @property
    def literal(self) -> IpAddress | None:
        """The host, where it is written as a number."""
        return _ip_address(self.host)

    @property
    def names_this_machine(self) -> bool:
        """Whether the host is this machine by its spelling, not only by what it resolves to."""
        literal = self.literal
        if literal is not None:
            return zone_of(literal) is Zone.LOOPBACK
        return bool(_LOCALHOST.fullmatch(self.host))


@final
@frozen
class UnclearAddress:
    """The address is none that every program reads alike."""

    why: str


@final
@frozen
class Unencrypted:
    """The address is spoken to in plain text, and is not on this machine."""

    host: str


@final
@frozen
class OutOfReach:
    """The host is an address that requests may not go to."""

    host: str
    address: IpAddress
    zone: Zone


EgressRefusal: TypeAlias = UnclearAddress | Unencrypted | OutOfReach

_URL: Final = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?:[/?#].*)?", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_UNCLEAR: Final = re.compile(r"[^!-~]|[\\<>\"^`{|}]")
_NAME: Final = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.?"
)
_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
_LOCALHOST: Final = re.compile(r"(?:.+\.)?localhost\.?")
_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65535


def destination(url: str) -> Result[Destination, UnclearAddress]:
    """Read an http(s) address, and refuse what programs are known to read differently."""
    if _UNCLEAR.search(url):
        return Failure(UnclearAddress("it holds a character that belongs into no address"))
    parts = _URL.fullmatch(url)
    if parts is None:
        return Failure(UnclearAddress("it does not start with https:// or http://"))
    if "@" in parts["authority"]:
        return Failure(UnclearAddress("it holds a user name"))
    authority = _AUTHORITY.fullmatch(parts["authority"].lower())
    if authority is None or not _is_host(authority["host"]):
        return Failure(UnclearAddress("its host is neither a name nor a number in plain form"))
    scheme = parts["scheme"].lower()
    port = _PORTS[scheme] if authority["port"] is None else int(authority["port"])
    if not 0 < port <= _LAST_PORT:
        return Failure(UnclearAddress("its port does not exist"))
    return Success(Destination(scheme, authority["host"].strip("[]"), port))


def _is_host(host: str) -> bool:
    """A name, or the one spelling of a number: not `0x7f.1`, `2130706433` or `127.1`."""
    if host.startswith("["):
        return ":" in host and _ip_address(host.strip("[]")) is not None
    if _NUMBER.fullmatch(host):
        return _ip_address(host) is not None
    return bool(_NAME.fullmatch(host))


def reach_to(home: Destination, *, private_network: bool) -> Reach:
    """How far requests for a registered address may go: its spelling says whether it is local."""
    if private_network:
        return Reach.PRIVATE
    return Reach.LOOPBACK if home.names_this_machine else Reach.PUBLIC


def refused(to: Destination, reach: Reach) -> EgressRefusal | None:
    """Why no request may go there, as far as the spelling tells."""
    literal = to.literal
    if literal is not None and not within(zone_of(literal), reach):
        return OutOfReach(to.host, literal, zone_of(literal))
    local = to.names_this_machine and reach is not Reach.PUBLIC
    if to.scheme == "http" and not local and reach is not Reach.PRIVATE:
        return Unencrypted(to.host)
    return None


def within(zone: Zone, reach: Reach) -> bool:
    """Whether requests that may go so far may go to an address of this zone."""
    match reach:
        case Reach.PUBLIC:
            return zone is Zone.PUBLIC
        case Reach.LOOPBACK:
            return zone in {Zone.PUBLIC, Zone.LOOPBACK}
        case Reach.PRIVATE:
            return zone in {Zone.PUBLIC, Zone.LOOPBACK, Zone.PRIVATE}


def said(refusal: EgressRefusal) -> str:
    """The sentence for whoever registered the address."""
    match refusal:
        case UnclearAddress(why):
            return f"the address is not used: {why}"
        case Unencrypted(host):
            return (
                f"{host} is not on this machine and its address is http://, "
                "which anyone on the way can read; use https://"
            )
        case OutOfReach(host, address, zone):
            return f"{host} is {address}, a {zone.value} address, where no request may go"


def zone_of(address: IpAddress) -> Zone:
    """What an address is; one that belongs to nothing known is reserved."""
    if address in _METADATA:
        return Zone.METADATA
    if isinstance(address, IPv4Address):
        return next((zone for network, zone in _ZONES_4 if address in network), Zone.PUBLIC)
    if address in _TRANSLATED:
        behind = zone_of(IPv4Address(int(address) & 0xFFFFFFFF))
        return Zone.PUBLIC if behind is Zone.PUBLIC else Zone.EMBEDDED
    return next((zone for network, zone in _ZONES_6 if address in network), Zone.RESERVED)


def _ip_address(text: str) -> IpAddress | None:
    try:
        return IPv6Address(text) if ":" in text else IPv4Address(text)
    except ValueError:
        return None


_METADATA: Final[frozenset[IpAddress]] = frozenset(
    (
        IPv4Address("169.254.169.254"),
        IPv4Address("169.254.170.2"),
        IPv4Address("100.100.100.200"),
        IPv4Address("168.63.129.16"),
        IPv4Address("192.0.0.192"),
        IPv6Address("fd00:ec2::254"),
        IPv6Address("fd20:ce::254"),
    )
)

_ZONES_4: Final = tuple(
    (IPv4Network(network), zone)
    for network, zone in (
        ("0.0.0.0/8", Zone.UNSPECIFIED),
        ("127.0.0.0/8", Zone.LOOPBACK),
        ("10.0.0.0/8", Zone.PRIVATE),
        ("172.16.0.0/12", Zone.PRIVATE),
        ("192.168.0.0/16", Zone.PRIVATE),
        ("100.64.0.0/10", Zone.PRIVATE),
        ("169.254.0.0/16", Zone.LINK_LOCAL),
        ("192.0.0.0/24", Zone.RESERVED),
        ("192.0.2.0/24", Zone.RESERVED),
        ("192.88.99.0/24", Zone.RESERVED),
        ("198.18.0.0/15", Zone.RESERVED),
        ("198.51.100.0/24", Zone.RESERVED),
        ("203.0.113.0/24", Zone.RESERVED),
        ("224.0.0.0/4", Zone.MULTICAST),
        ("240.0.0.0/4", Zone.RESERVED),
    )
)

# A network without IPv4 reaches the public IPv4 addresses through these.
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")

# In this order: what is special stands before what surrounds it.
_ZONES_6: Final = tuple(
    (IPv6Network(network), zone)
    for network, zone in (
        ("::/128", Zone.UNSPECIFIED),
        ("::1/128", Zone.LOOPBACK),
        ("::/96", Zone.EMBEDDED),
        ("::ffff:0:0/96", Zone.EMBEDDED),
        ("::ffff:0:0:0/96", Zone.EMBEDDED),
        ("64:ff9b:1::/48", Zone.EMBEDDED),
        ("2002::/16", Zone.EMBEDDED),
        ("2001::/32", Zone.EMBEDDED),
        ("2001::/23", Zone.RESERVED),
        ("2001:db8::/32", Zone.RESERVED),
        ("3fff::/20", Zone.RESERVED),
        ("2000::/3", Zone.PUBLIC),
        ("fc00::/7", Zone.PRIVATE),
        ("fe80::/10", Zone.LINK_LOCAL),
        ("ff00::/8", Zone.MULTICAST),
    )
)
