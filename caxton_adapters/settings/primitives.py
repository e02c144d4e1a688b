"""The values that only a server's settings have, and those that others have too."""

from typing import ClassVar, final

from attrs import frozen

from caxton_adapters.setting_values import (
    BaseUrl,
    FilePath,
    WrittenHeader,
    WrittenSecret,
    WrittenVariable,
)
from caxton_core.primitives import NumberRule, Text, TextRule, WholeNumber

__all__ = [
    "BaseUrl",
    "Checksum",
    "FilePath",
    "Host",
    "MessageRate",
    "Origin",
    "Port",
    "Retries",
    "WrittenHeader",
    "WrittenSecret",
    "WrittenVariable",
]

HIGHEST_PORT = 65535


@final
@frozen
class Port(WholeNumber):
    """A TCP port; 0 asks the operating system for a free one."""

    rule: ClassVar = NumberRule("a port", low=0, high=HIGHEST_PORT, example=8080)


@final
@frozen
class Retries(WholeNumber):
    """How often something is tried again; 0 never."""

    rule: ClassVar = NumberRule("a number of retries", low=0, high=10, example=3)


@final
@frozen
class MessageRate(WholeNumber):
    """How often a minute; 0 is no limit."""

    rule: ClassVar = NumberRule("a rate of messages", low=0, high=1_000_000, example=60)


@final
@frozen
class Host(Text):
    """A name or an address of this machine, or the name by which it is called; no port."""

    rule: ClassVar = TextRule(
        "a host",
        r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?|\*",
        "a name or an address without a port",
        253,
        "127.0.0.1",
    )


@final
@frozen
class Origin(Text):
    """Where a web page comes from, as browsers send it."""

    rule: ClassVar = TextRule(
        "an origin",
        r"https?://[A-Za-z0-9.\[\]:-]+",
        "scheme, host and perhaps a port: https://example.org",
        300,
        "https://example.org",
    )


@final
@frozen
class EnvironmentName(Text):
    """The name of a deployment environment, as the policy's file has it."""

    rule: ClassVar = TextRule(
        "an environment",
        "[A-Za-z0-9_-]+",
        "letters, digits, `_` and `-`",
        64,
        "production",
    )


@final
@frozen
class Checksum(Text):
    """A SHA-256 in hexadecimal digits."""

    rule: ClassVar = TextRule("a SHA-256 checksum", "[0-9a-f]{64}", "64 hexadecimal digits", 64)
