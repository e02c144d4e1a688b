"""Values that settings have in common, whichever part of the server they are for."""

from typing import ClassVar, Self, final
from urllib.parse import urlsplit

from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.secrets import MASK
from caxton_core.primitives import Text, TextRule
from caxton_core.problems import Malformed, ValueProblem


@final
@frozen(repr=False)
class Substituted:
    """How a text with variables in it was written, and which values have come into it.

    Any of them may be a secret; those that every program has, such as `HOME`, are left out.
    """

    written: str
    values: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Substituted({self.written!r})"


@final
@frozen
class FilePath(Text):
    """A path; `~` is the user's home."""

    rule: ClassVar = TextRule("a path", r"[^\x00\n]*\S[^\x00\n]*", "a path", 4096, "/srv/caxton")


@frozen(repr=False)
class _Masked(Text):
    """A text that is never shown."""

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK


@final
@frozen(repr=False)
class WrittenSecret(_Masked):
    """A secret in a settings file, or rather what stands there before it becomes a `Secret`."""

    rule: ClassVar = TextRule("a secret", r"[\s\S]*\S[\s\S]*", "any text", 10_000, "...")


@final
@frozen(repr=False)
class WrittenVariable(_Masked):
    """The value of an environment variable, which may be a secret and is shown as one."""

    rule: ClassVar = TextRule("a variable", r"[^\x00]*", "any text", 100_000, "...")
    origin: Substituted | None = field(default=None, eq=False)


@final
@frozen(repr=False)
class WrittenHeader(_Masked):
    """The value of a header of HTTP requests, which may be a secret and is shown as one."""

    rule: ClassVar = TextRule(
        "a header", r"[\x20-\x7e\x80-\xff]*[\x21-\x7e][\x20-\x7e\x80-\xff]*", "one line", 10_000
    )

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read the value, without telling it where it is wrong."""
        broken = cls.rule.broken_by(text)
        if isinstance(broken, Malformed):
            return Failure(Malformed(MASK, broken.subject, broken.rule))
        return Success(cls(text)) if broken is None else Failure(broken)


@final
@frozen
class BaseUrl(Text):
    """The address of a service over HTTP."""

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
