"""The small values of a policy: globs over names, folders, hosts, and keys of the agent file."""

from fnmatch import fnmatchcase
from typing import ClassVar, final

from attrs import frozen

from caxton_core.primitives import NumberRule, RealNumber, Text, TextRule


@final
@frozen
class NameGlob(Text):
    """A name in which `*` is any text; upper and lower case are the same."""

    rule: ClassVar = TextRule(
        "a pattern of names",
        r"[^\s\x00-\x1f]+",
        "a name without white space, in which `*` stands for any text",
        200,
        "gpt-4*",
    )

    def covers(self, name: str) -> bool:
        """Whether the name is meant."""
        return fnmatchcase(name.lower(), self.value.lower())


@final
@frozen
class Directory(Text):
    """An absolute path of a folder, without `..` and without a slash at its end."""

    rule: ClassVar = TextRule(
        "a folder",
        r"/(?!\.\.?(?:/|$))[^/\x00\r\n*?\[\]]+(?:/(?!\.\.?(?:/|$))[^/\x00\r\n*?\[\]]+)*",
        "an absolute path without `..`, without wildcards and without a slash at its end",
        4096,
        "/srv/reports",
        lambda text: "/" + text.strip("/"),
    )


@final
@frozen
class PathName(Text):
    """A folder by its absolute path, or one name of a path, wherever it stands."""

    rule: ClassVar = TextRule(
        "a path or a name in one",
        r"/[^\x00\r\n*?\[\]]+|[^/\x00\r\n]+",
        "an absolute path, or one name in which `*` stands for any text",
        4096,
        ".ssh",
    )


@final
@frozen
class HostGlob(Text):
    """A host, or all hosts below a domain: `*.example.org`."""

    rule: ClassVar = TextRule(
        "a host",
        r"(?:\*\.)?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]|[0-9.]+\.\*",
        "a name or an address; `*.` before it stands for everything below, `.*` behind numbers",
        253,
        "*.example.org",
    )


@final
@frozen
class ArgumentGlob(Text):
    """The name of a tool's argument, in which `*` is any text."""

    rule: ClassVar = TextRule(
        "an argument",
        "[A-Za-z0-9_.*-]+",
        "letters, digits, `_`, `-`, `.` and `*` for any text",
        100,
        "path",
    )

    def covers(self, name: str) -> bool:
        """Whether the argument is meant, at whatever depth it stands."""
        last = name.rpartition(".")[2].lower()
        return fnmatchcase(last, self.value.lower())


@final
@frozen
class LimitKey(Text):
    """A key of the agent file that holds a limit."""

    rule: ClassVar = TextRule(
        "a limit",
        r"llm\.max_tokens|budget\.(?:tokens_per_turn|tokens_per_day|cost_per_day)"
        r"|resources\.(?:max_memory|max_cpu)|memory\.max_entries",
        "one of llm.max_tokens, budget.tokens_per_turn, budget.tokens_per_day, "
        "budget.cost_per_day, resources.max_memory, resources.max_cpu, memory.max_entries",
        64,
        "budget.tokens_per_day",
    )


@final
@frozen
class Entropy(RealNumber):
    """How random the letters of a word are, in bits for each."""

    rule: ClassVar = NumberRule("an entropy", low=2, high=6, example=4.2)
