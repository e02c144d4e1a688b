"""How an operator registers a server of tools: one table, in the settings or through the API."""

import re
import shlex
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Annotated, ClassVar, Final, Self, final
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from attrs import evolve, field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.mcp.approval import Approval
from caxton_adapters.mcp.oauth.table import OAuthTable, broken_oauth, unreachable
from caxton_adapters.mcp.program_limits import ProgramLimits
from caxton_adapters.mcp.relative import beginning_elsewhere
from caxton_adapters.secrets import MASK, SHORTEST
from caxton_adapters.setting_values import FilePath, Substituted, WrittenHeader, WrittenVariable
from caxton_core.codes.stating import stated
from caxton_core.primitives import Count, Duration, Size, Text, TextRule
from caxton_core.problems import Malformed, Path, Problem, ValueProblem
from caxton_core.reading.credentials import masked, masked_command
from caxton_core.reading.keys import Key

WAY_UNCLEAR: Final = "CX2210"
OTHER_TRANSPORT: Final = "CX2211"
FALLBACK_UNUSABLE: Final = "CX2212"
NAME_RESERVED: Final = "CX2213"
NAME_UNUSABLE: Final = "CX2214"

RESERVED: Final = frozenset({"memory"})
"""Names of built-in tools."""

_MIB: Final = 1024 * 1024
_OF_COMMAND: Final = ("args", "env", "cwd", "limits")
_OF_URL: Final = ("headers", "private_network", "oauth")
_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_HEADER: Final = re.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@frozen(repr=False)
class _Word(Text):
    """A word of a command line, which knows from which variables it came."""

    origin: Substituted | None = field(default=None, eq=False)

    @property
    def shown(self) -> str:
        """The word, with the names of variables where their values stand."""
        return self.value if self.origin is None else self.origin.written

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown!r})"

    def __str__(self) -> str:
        return self.shown


@final
@frozen(repr=False)
class Command(_Word):
    """The program that is a server."""

    rule: ClassVar = TextRule("a command", r"[^\x00\n]*\S[^\x00\n]*", "a program", 4096, "npx")


@final
@frozen(repr=False)
class Argument(_Word):
    """One argument of a program."""

    rule: ClassVar = TextRule("an argument", r"[^\x00]*", "any text", 10_000, "--verbose")


@final
@frozen(repr=False)
class ServerUrl(Text):
    """The address of a server that answers over HTTP."""

    rule: ClassVar = TextRule(
        "an address",
        r"https?://[^\s#@]+",
        "a http(s) URL without a user and a fragment",
        2000,
        "https://tools.example.org/mcp",
    )
    origin: Substituted | None = field(default=None, eq=False)

    @property
    def shown(self) -> str:
        """The address without its query, which may hold a key, nor what variables have in it."""
        written = self.value if self.origin is None else self.origin.written
        address, _, query = written.partition("?")
        return masked(f"{address}?{MASK}" if query else address)

    def secrets(self) -> Iterator[str]:
        """What its query may keep secret: all of it, and each value as it may be repeated."""
        query = urlsplit(self.value).query
        values = (each.partition("=")[2] for each in query.split("&"))
        for text in (query, *values):
            yield from (text, unquote(text), unquote_plus(text), quote(text))

    def __repr__(self) -> str:
        return f"ServerUrl({self.shown!r})"

    def __str__(self) -> str:
        return self.shown

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
        return (
            Success(cls(text))
            if usable
            else Failure(Malformed(text, cls.rule.subject, cls.rule.says))
        )


@final
class Elicitation(Enum):
    """What a server is told that asks a person for something in the middle of a call."""

    DECLINE = "decline"
    DEFAULTS = "defaults"


@final
@frozen
class ToolTable:
    """`[mcp.servers.NAME.tools.TOOL]`: what holds for one tool alone."""

    timeout: Annotated[
        Duration | None,
        Key("How long a call of it may take.", '"60s"', default="the server's"),
    ] = None
    idempotent: Annotated[
        bool | None,
        Key(
            "Whether a call of it may be made again when nobody knows what came of it.",
            "true",
            default="what the server says, if its annotations are trusted; otherwise false",
        ),
    ] = None


@final
@frozen
class Registration:
    """`[mcp.servers.NAME]`: a server of tools; it has either a command or a URL."""

    command: Annotated[
        Command | None,
        Key(
            "The program that is the server; it speaks over its standard input and output.",
            '"npx"',
            default="none",
        ),
    ] = None
    args: Annotated[
        tuple[Argument, ...],
        Key(
            "The program's arguments.", '["-y", "@modelcontextprotocol/server-filesystem", "/srv"]'
        ),
    ] = ()
    env: Annotated[
        Mapping[str, WrittenVariable],
        Key(
            "Variables of the program, beside PATH and LANG, and HOME and TMPDIR in its own "
            "directory.",
            '{ LEVEL = "3" }',
        ),
    ] = field(factory=dict)
    cwd: Annotated[
        FilePath | None,
        Key(
            "The program's working directory; a relative one begins where Caxton's server runs.",
            '"/srv/docs"',
            default="a directory of its own, `tool-servers/NAME` in the data directory",
        ),
    ] = None
    limits: Annotated[
        ProgramLimits | None,
        Key("What its processes may use.", "{}", default="the defaults of each"),
    ] = None
    url: Annotated[
        ServerUrl | None,
        Key(
            "The server's address, for one that answers over HTTP.",
            "",
            default="none",
        ),
    ] = None
    headers: Annotated[
        Mapping[str, WrittenHeader],
        Key(
            "Headers of every request to the address.",
            "",
        ),
    ] = field(factory=dict)
    private_network: Annotated[
        bool, Key("Whether the address may lie in a private network.", "")
    ] = False
    oauth: Annotated[
        OAuthTable | None,
        Key("How Caxton comes by the tokens of a protected address.", "{}", default="no tokens"),
    ] = None
    enabled: Annotated[bool, Key("Whether the server is used.", "false")] = True
    timeout: Annotated[Duration, Key("How long a call may take.", '"10s"')] = Duration(10)
    connect_timeout: Annotated[
        Duration, Key("How long the server may take until it lists its tools.", '"10s"')
    ] = Duration(10)
    max_result: Annotated[
        Size, Key("The longest text of a result; what is longer is cut.", '"1MB"')
    ] = Size(_MIB)
    max_frame: Annotated[
        Size, Key("The longest message of the server; a longer one ends the connection.", '"4MB"')
    ] = Size(4 * _MIB)
    max_concurrent: Annotated[Count, Key("The most calls at once; others wait.", "8")] = Count(8)
    trust_annotations: Annotated[
        bool,
        Key("Whether to believe the server which of its tools may be called twice.", "true"),
    ] = False
    fallback: Annotated[
        str | None,
        Key(
            "The server whose tool of the same name is called when this one cannot be reached.",
            '"spare"',
            default="none",
        ),
    ] = None
    elicitation: Annotated[
        Elicitation,
        Key(
            "What it is told when it asks a person for something: a refusal, or the default "
            "answers.",
            '"decline"',
        ),
    ] = Elicitation.DECLINE
    tools: Annotated[Mapping[str, ToolTable], Key("What holds for single tools.", "{}")] = field(
        factory=dict
    )

    @property
    def transport(self) -> str:
        """How messages travel: `stdio` or `http`."""
        return "stdio" if self.url is None else "http"

    @property
    def target(self) -> str:
        """The command line or the address, with nothing in it that looks like a secret."""
        if self.url is not None:
            return self.url.shown
        words = [] if self.command is None else [self.command.shown]
        return masked_command(shlex.join([*words, *(argument.shown for argument in self.args)]))

    @property
    def program_limits(self) -> ProgramLimits:
        """What the processes of the program may use."""
        return ProgramLimits() if self.limits is None else self.limits

    def timeout_of(self, tool: str) -> float:
        """How many seconds a call of the tool may take."""
        own = self.tools.get(tool)
        return (self.timeout if own is None or own.timeout is None else own.timeout).value

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown.

        Every header, its credential alone, variables by name, the query of the address, and what
        variables of the server's environment had where the settings name them.
        """
        hidden = (v.value for k, v in self.env.items() if names_secret(k))
        oauth = OAuthTable() if self.oauth is None else self.oauth
        written = (oauth.client_secret, oauth.signing_key)
        of_client = (secret.value for secret in written if secret is not None)
        headers = [each.value for each in self.headers.values()]
        credentials = (found[1] for value in headers if (found := _CREDENTIAL.fullmatch(value)))
        long = (text for text in self._perhaps_secret() if len(text) >= SHORTEST)
        every = filter(None, (*headers, *credentials, *hidden, *of_client, *long))
        return tuple(dict.fromkeys(every))

    def _perhaps_secret(self) -> Iterator[str]:
        """What is a secret in one registration and a plain word in another."""
        if self.url is not None:
            yield from self.url.secrets()
        for each in (self.command, self.url, *self.args, *self.env.values()):
            if each is not None and each.origin is not None:
                yield from each.origin.values


def names_secret(variable: str) -> bool:
    """Whether the name of a variable speaks of a secret."""
    return re.search(_SECRET_NAME, variable) is not None


_CREDENTIAL: Final = re.compile(r"[A-Za-z]+ (\S+)")
_SECRET_NAME: Final = re.compile("(?i)key|token|secret|passw|credential|auth")


@final
@frozen
class McpTable:
    """`[mcp]`: servers of tools that speak the Model Context Protocol."""

    lock: Annotated[
        FilePath | None,
        Key(
            "The file with the approved definitions of tools; it may stand under version control.",
            '"caxton.lock"',
            default="`caxton.lock` in the data directory",
        ),
    ] = None
    approve: Annotated[
        Approval,
        Key(
            "`first_use` approves a tool when it is first seen, and only changes need a person; "
            "with `always` a person approves every tool.",
            '"first_use"',
        ),
    ] = Approval.FIRST_USE
    servers: Annotated[
        Mapping[str, Registration], Key("The registered servers of tools.", "{}")
    ] = field(factory=dict)


def remembering(written: Registration, found: Mapping[Path, Substituted]) -> Registration:
    """The registration, whose texts know from which variables they came; paths are within it."""
    if not found:
        return written
    command, url = written.command, written.url
    return evolve(
        written,
        command=command and evolve(command, origin=found.get(("command",))),
        url=url and evolve(url, origin=found.get(("url",))),
        args=tuple(
            evolve(argument, origin=found.get(("args", at)))
            for at, argument in enumerate(written.args)
        ),
        env={
            name: evolve(text, origin=found.get(("env", name)))
            for name, text in written.env.items()
        },
    )


def broken_rules(
    name: str, written: Registration, others: Mapping[str, object]
) -> Iterator[Problem]:
    """What is wrong with a registration beyond the form of its values, by paths within it.

    `others` are the names of all servers.
    """
    if name in RESERVED:
        yield Problem((), stated(NAME_RESERVED, name=name))
    if (written.command is None) == (written.url is None):
        both = written.command is not None
        yield Problem((), stated(WAY_UNCLEAR, found="both" if both else "neither"))
    yield from _misplaced(written)
    yield from _unusable_names(written)
    yield from beginning_where_nobody_meant(written)
    yield from _of_address(written)
    fallback = written.fallback
    if fallback is not None and (fallback == name or fallback not in others):
        yield Problem(("fallback",), stated(FALLBACK_UNUSABLE, name=fallback))


def beginning_where_nobody_meant(written: Registration) -> Iterator[Problem]:
    """Paths that would begin in the program's own directory."""
    keys = (*written.env, *(() if written.cwd is None else ("cwd",)))
    for at, argument in enumerate(written.args):
        yield from beginning_elsewhere(("args", at), argument.value, keys)
    for name, text in written.env.items():
        yield from beginning_elsewhere(("env", name), text.value, keys)


def _misplaced(written: Registration) -> Iterator[Problem]:
    keys, other = (_OF_URL, "url") if written.url is None else (_OF_COMMAND, "command")
    if (written.command is None) == (written.url is None):
        return
    for key in keys:
        if getattr(written, key):
            yield Problem((key,), stated(OTHER_TRANSPORT, key=key, other=other))


def _of_address(written: Registration) -> Iterator[Problem]:
    if written.url is not None:
        for problem in unreachable(written.url.value, private_network=written.private_network):
            yield Problem(("url",), problem.what)
    if written.oauth is not None:
        for problem in broken_oauth(written.oauth):
            yield Problem(("oauth", *problem.at), problem.what)


def _unusable_names(written: Registration) -> Iterator[Problem]:
    for key, pattern, kind in (("env", _VARIABLE, "variable"), ("headers", _HEADER, "header")):
        names: Mapping[str, object] = getattr(written, key)
        for name in names:
            if not pattern.fullmatch(name):
                at: Path = (key, name)
                yield Problem(at, stated(NAME_UNUSABLE, name=name, kind=kind))
