"""Names, identifiers and texts, each with the form that its readers rely on."""

import re
import unicodedata
from typing import ClassVar, final

from attrs import frozen
from returns.result import Result

from caxton_core.primitives.globs import unclear_condition
from caxton_core.primitives.rules import Text, TextRule
from caxton_core.problems import ValueProblem

_KEBAB = "[a-z][a-z0-9]*(-[a-z0-9]+)*"
_KEBAB_SAYS = "lower-case letters and digits in words joined by single hyphens, a letter first"
_SERVER = "[A-Za-z][A-Za-z0-9_-]{0,63}"
_BRACED = re.compile(r"\{\{([^{}\n]{0,100})\}\}")
_ARGUMENTS = "[A-Za-z0-9_.-]+(,[A-Za-z0-9_.-]+)*"
_TOOL = "[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}"


def kebab(text: str) -> str | None:
    """Convert a name in any usual case to kebab case, if letters remain."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", plain)
    joined = re.sub("[^a-z0-9]+", "-", words.lower().replace("'", "")).strip("-")
    return joined.lstrip("0123456789-") or None


@final
@frozen
class AgentName(Text):
    """The name an agent is addressed by, unique on a server."""

    rule: ClassVar = TextRule("an agent name", _KEBAB, _KEBAB_SAYS, 64, "data-analyst", kebab)


@final
@frozen
class AgentId(Text):
    """The UUID of an agent, in lower-case text."""

    rule: ClassVar = TextRule(
        "an agent id",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "a UUID in lower-case text",
        36,
        "0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b",
        str.lower,
    )


@final
@frozen
class ConversationId(Text):
    """The id of a conversation, chosen by its client or by the server."""

    rule: ClassVar = TextRule(
        "a conversation id",
        "[A-Za-z0-9_-]+",
        "letters, digits, `_` and `-`",
        128,
        "support-42",
        lambda text: re.sub("[^A-Za-z0-9_-]+", "-", text),
    )


@final
@frozen
class MessageId(Text):
    """The id of a message."""

    rule: ClassVar = TextRule(
        "a message id",
        "[A-Za-z0-9_-]+",
        "letters, digits, `_` and `-`",
        128,
        "msg-1",
        lambda text: re.sub("[^A-Za-z0-9_-]+", "-", text),
    )


@final
@frozen
class SystemPrompt(Text):
    """What the model is told about its role, byte for byte as written."""

    rule: ClassVar = TextRule(
        "a system prompt",
        r"[\s\S]*[^\s\ufeff][\s\S]*",
        "any text that is not blank",
        example="You greet people warmly and briefly.",
    )


@final
@frozen
class UserPromptTemplate(Text):
    """The text that wraps a person's message; `{{lower_case}}` placeholders are filled."""

    rule: ClassVar = TextRule(
        "a user prompt template",
        r"[\s\S]*[^\s\ufeff][\s\S]*",
        "any text that is not blank",
        example="Answer in {{language}}: {{request}}",
    )

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What stands between double braces, without white space, in order and once each."""
        return tuple(dict.fromkeys(name.strip() for name in _BRACED.findall(self.value)))


@final
@frozen
class Description(Text):
    """One line about the agent; it may be empty."""

    rule: ClassVar = TextRule(
        "a description",
        r"[^\r\n]*",
        "one line",
        500,
        "Greets people by name.",
        lambda text: " ".join(text.split()),
    )


@final
@frozen
class CapabilityName(Text):
    """Something an agent can be asked for, whoever the agent is."""

    rule: ClassVar = TextRule("a capability", _KEBAB, _KEBAB_SAYS, 100, "data-analysis", kebab)

    @classmethod
    def normalised(cls, text: str) -> "Result[CapabilityName, ValueProblem]":
        """Read a capability that may also be written in snake case or mixed case."""
        known_case = re.fullmatch("[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*", text)
        return cls.parse((kebab(text) if known_case else None) or text)


@final
@frozen
class ServerName(Text):
    """The name under which the operator registered a server of tools."""

    rule: ClassVar = TextRule(
        "a server name",
        _SERVER,
        "letters, digits, `_` and `-`, a letter first",
        64,
        "files",
        lambda text: re.sub("[^A-Za-z0-9_-]+", "-", text).strip("-"),
    )


@final
@frozen
class ToolName(Text):
    """One tool of one registered tool server: `server.tool`."""

    rule: ClassVar = TextRule(
        "a tool name",
        rf"{_SERVER}\.{_TOOL}",
        "`server.tool`: the registered server, a dot, the tool",
        192,
        "files.read",
    )

    @property
    def server(self) -> str:
        """The part before the first dot."""
        return self.value.partition(".")[0]

    @property
    def tool(self) -> str:
        """The part after the first dot."""
        return self.value.partition(".")[2]


@final
@frozen
class ToolPattern(Text):
    """One tool, `server.tool`, or all tools of a server, `server.*`."""

    rule: ClassVar = TextRule(
        "a tool pattern",
        rf"{_SERVER}\.(\*|{_TOOL})",
        "`server.tool` or `server.*`",
        192,
        "files.*",
        lambda text: f"{text}.*",
    )

    @property
    def server(self) -> str:
        """The part before the first dot."""
        return self.value.partition(".")[0]

    def covers(self, tool: "ToolName | ToolPattern") -> bool:
        """Whether all that the other one names is named by this one."""
        return self.value == tool.value or (
            self.value.endswith(".*") and tool.value.startswith(self.value[:-1])
        )


@final
@frozen
class PermissionRule(Text):
    """A tool pattern, and perhaps a condition on arguments: `server.tool:argument=glob`.

    Where several arguments are named, `server.tool:one,other=glob`, the glob is about each of them.
    """

    rule: ClassVar = TextRule(
        "a permission",
        rf"{_SERVER}\.(\*|{_TOOL})(:{_ARGUMENTS}=[^\r\n]*)?",
        "`server.tool`, `server.*` or `server.tool:argument=glob`",
        512,
        "files.read:path=/reports/*",
        lambda text: f"{text}.*",
        unclear_condition,
    )

    @property
    def tool(self) -> ToolPattern:
        """The tools that the rule is about."""
        return ToolPattern(self.value.partition(":")[0])

    @property
    def condition(self) -> tuple[str, str] | None:
        """The arguments as written and the glob of their values, if the rule has a condition."""
        arguments, equals, glob = self.value.partition(":")[2].partition("=")
        return (arguments, glob) if equals else None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that the condition is about."""
        return () if self.condition is None else tuple(self.condition[0].split(","))


@final
@frozen
class ModelName(Text):
    """The name of a model, as its provider spells it."""

    rule: ClassVar = TextRule(
        "a model name",
        r"[^\s\x00-\x1f\x7f\x85\ufeff]+",
        "the provider's name of the model, without white space",
        200,
        "gpt-4o-mini",
        lambda text: re.sub(r"\s+", "-", text.strip()),
    )


@final
@frozen
class ProviderName(Text):
    """The name of a provider that the server's settings configure."""

    rule: ClassVar = TextRule(
        "a provider name",
        "[a-z0-9]+([_-][a-z0-9]+)*",
        "lower-case letters and digits in words joined by `-` or `_`",
        64,
        "openai",
        kebab,
    )


@final
@frozen
class StopSequence(Text):
    """A text at which the model stops."""

    rule: ClassVar = TextRule("a stop sequence", r"[\s\S]+", "a text", 100, "END")


def _three_numbers(text: str) -> str | None:
    numbers = re.fullmatch(r"[vV]?([0-9]{1,9}(\.[0-9]{1,9}){0,2})", text.strip())
    if numbers is None:
        return None
    parts = [str(int(part)) for part in numbers[1].split(".")]
    return ".".join([*parts, "0", "0"][:3])


@final
@frozen
class SemanticVersion(Text):
    """A version as in semver.org: `major.minor.patch`."""

    rule: ClassVar = TextRule(
        "a version",
        r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
        r"(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
        "three numbers `major.minor.patch`, as in semver.org",
        64,
        "1.0.0",
        _three_numbers,
    )
