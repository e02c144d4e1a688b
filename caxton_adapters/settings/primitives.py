"""The values that only a server's settings have."""

from typing import ClassVar, Self, final
from urllib.parse import urlsplit

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.secrets import MASK
from caxton_core.primitives import NumberRule, Text, TextRule, WholeNumber
from caxton_core.problems import Malformed, ValueProblem

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
class FilePath(Text):
    """A path; `~` is the user's home."""

    rule: ClassVar = TextRule("a path", r"[^\x00\n]*\S[^\x00\n]*", "a path", 4096, "/srv/caxton")


@final
@frozen(repr=False)
class WrittenSecret(Text):
    """A secret in a settings file, or rather what stands there before it becomes a `Secret`."""

    rule: ClassVar = TextRule("a secret", r"[\s\S]*\S[\s\S]*", "any text", 10_000, "...")

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK


@final
@frozen
class Checksum(Text):
    """A SHA-256 in hexadecimal digits."""

    rule: ClassVar = TextRule("a SHA-256 checksum", "[0-9a-f]{64}", "64 hexadecimal digits", 64)


@final
@frozen
class BaseUrl(Text):
    """The address of a model service, to which the paths of its API are added."""

    rule: ClassVar = TextRule(
        "an address",
        r"https?://[^\s?#]+",
        "a http(s) URL without a query",
        2000,
        "http://127.0.0.1:11434/v1",
    )

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read an address that names a host, and a port that exists."""
        broken = cls.rule.broken_by(text)
        if broken is not None:
            return Failure(broken)
        try:
            parts = urlsplit(text)
            usable = bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            return Failure(Malformed(text, cls.rule.subject, cls.rule.says))
        return Success(cls(text.rstrip("/")))
