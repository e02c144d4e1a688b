"""Addresses as every program reads them: scheme, host in its one form, port, and path."""

import re
from ipaddress import IPv6Address
from typing import Final, final

from attrs import frozen

LONGEST_ADDRESS: Final = 8192
"""Beyond this length nobody is sure of anything, and comparing takes no time."""
PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*|\*)://([^/?#\\]*)([^?#\\]*)([?#][^\\]*)?")
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:@\[\]\s]+)(?::([0-9]{1,9}))?")
_LIKE_AN_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/|[\s\S]*://")
_UNPRINTED: Final = re.compile(r"[\s\x00-\x1f\x7f]")
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NUMERIC_HOST: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*")
_PLAIN_IPV4: Final = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_UNSURE_PATH: Final = re.compile(r"%(25|2e|2f|5c|00)|/\.\.;", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_DEVIATING: Final = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")
"""Letters of host names of which not every library makes the same name."""
_HIGHEST_PORT: Final = 65535


@final
@frozen
class Address:
    """An address in parts; `unsure` where servers read its path in different ways."""

    scheme: str
    host: str
    port: int | None
    names: tuple[str, ...]
    unsure: bool


@final
@frozen
class AddressGlob:
    """Many addresses: the scheme may be `*`, the host `*` or begin with `*.`, names any glob."""

    scheme: str
    host: str
    port: int | None
    names: tuple[str, ...]


def address_of(text: str) -> Address | None:
    """The address, or None where two programs might read two of it."""
    if len(text) > LONGEST_ADDRESS or _UNPRINTED.search(text):
        return None
    parts = _PARTS.fullmatch(text)
    authority = parts and _authority(parts[2])
    if parts is None or authority is None or parts[1] == "*" or parts[1].lower() == "file":
        return None
    host, port = authority
    scheme, names = parts[1].lower(), _names(parts[3])
    unsure = ".." in names or bool(_UNSURE_PATH.search(parts[3]))
    return Address(scheme, host, PORTS.get(scheme) if port is None else port, names, unsure)


def unescaped(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names as a server reads them."""
    return tuple(_ESCAPED.sub(_letters, name) if "%" in name else name for name in names)


def _letters(escaped: re.Match[str]) -> str:
    return bytes.fromhex(escaped[0].replace("%", "")).decode("utf-8", "replace")


def is_like_an_address(glob: str) -> bool:
    """Whether whoever wrote the glob thought of addresses."""
    return bool(_LIKE_AN_ADDRESS.match(glob))


def address_glob(glob: str) -> AddressGlob | None:
    """The glob in parts, or None where it is not sure which addresses are meant."""
    parts = _PARTS.fullmatch(glob)
    if parts is None or parts[4] is not None or parts[1].lower() == "file":
        return None
    below = "*." if parts[2].startswith("*.") else ""
    plain = parts[2].removeprefix(below)
    anywhere = re.fullmatch(r"\*(:[0-9]+)?", plain) if not below else None
    authority = _authority(plain.replace("*", "any", 1) if anywhere else plain)
    names = _names(parts[3])
    if authority is None or ".." in names:
        return None
    host = "*" if anywhere else below + authority[0]
    return AddressGlob(parts[1].lower(), host, authority[1], names)


def _names(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split("/") if name not in ("", "."))


def _authority(written: str) -> tuple[str, int | None] | None:
    parts = _AUTHORITY.fullmatch(written)
    host = parts and _host(parts[1])
    if parts is None or host is None:
        return None
    port = None if parts[2] is None else int(parts[2])
    return (host, port) if port is None or port <= _HIGHEST_PORT else None


def _host(written: str) -> str | None:
    """The one form of a host; None where not every program reads the same one."""
    if written.startswith("["):
        return _six(written[1:-1])
    if not written.isascii():
        if _DEVIATING & set(written):
            return None
        try:
            written = written.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = written.lower().removesuffix(".")
    if not _HOST.fullmatch(host):
        return None
    return None if _NUMERIC_HOST.fullmatch(host) and not _PLAIN_IPV4.fullmatch(host) else host


def _six(written: str) -> str | None:
    try:
        address = IPv6Address(written)
    except ValueError:
        return None
    return None if address.ipv4_mapped else f"[{address.compressed}]"
