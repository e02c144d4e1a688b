"""What can be wrong in something a person wrote: one small class per kind, carrying facts.

Sentences are made elsewhere (`wording`), from these facts and the table of `codes`. The kinds up to
CX11xx serve every file that Caxton reads; CX12xx and CX13xx are the rules of an agent file.
A module with rules of its own (the server's settings) states them as `Stated`.
"""

from typing import TypeAlias, final

from attrs import frozen

from caxton_core.problems.doubt import (
    Doubt,
    EnvironmentReference,
    EverythingShared,
    HighTemperature,
    IdleFallback,
    LateDeadline,
    NoCapabilities,
    NormalisedCapability,
    NotYet,
    ParameterUnused,
    PermissionWithoutTool,
    PlaceholderInSystemPrompt,
    RequestUnused,
    ShadowedPermission,
    SingleBraces,
    ToolNotPermitted,
    TwoSamplers,
    UnboundedRounds,
    WithoutEffect,
)
from caxton_core.problems.rule import (
    AnswerFillsWindow,
    LimitNeedsProcess,
    LiteralSecret,
    PromptFillsWindow,
    ReservedParameter,
    RuleProblem,
    TurnAboveDay,
    TurnBelowAnswer,
    UnknownPlaceholder,
    UnprintableParameter,
)
from caxton_core.problems.severity import Severity
from caxton_core.problems.text import (
    BadSyntax,
    HugeNumber,
    MisplacedKey,
    MissingKey,
    MovedKey,
    NotUtf8,
    OlderSpelling,
    TextProblem,
    TooDeep,
    TooLarge,
    UnknownKey,
    WrongType,
)
from caxton_core.problems.value import (
    Blank,
    Malformed,
    NotAChoice,
    OutOfRange,
    Repeated,
    TooLong,
    TooMany,
    ValueProblem,
)

__all__ = [
    "AnswerFillsWindow",
    "BadSyntax",
    "Blank",
    "Doubt",
    "EnvironmentReference",
    "EverythingShared",
    "HighTemperature",
    "HugeNumber",
    "IdleFallback",
    "LateDeadline",
    "LimitNeedsProcess",
    "LiteralSecret",
    "Malformed",
    "MisplacedKey",
    "MissingKey",
    "MovedKey",
    "NoCapabilities",
    "NormalisedCapability",
    "NotAChoice",
    "NotUtf8",
    "NotYet",
    "OlderSpelling",
    "OutOfRange",
    "ParameterUnused",
    "Path",
    "PermissionWithoutTool",
    "PlaceholderInSystemPrompt",
    "Problem",
    "Problems",
    "PromptFillsWindow",
    "Repeated",
    "RequestUnused",
    "ReservedParameter",
    "RuleProblem",
    "Severity",
    "ShadowedPermission",
    "SingleBraces",
    "Stated",
    "TextProblem",
    "TooDeep",
    "TooLarge",
    "TooLong",
    "TooMany",
    "ToolNotPermitted",
    "TurnAboveDay",
    "TurnBelowAnswer",
    "TwoSamplers",
    "UnboundedRounds",
    "UnknownKey",
    "UnknownPlaceholder",
    "UnprintableParameter",
    "ValueProblem",
    "What",
    "WithoutEffect",
    "WrongType",
]

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the root of a file to a value; empty for the file itself."""


@final
@frozen
class Stated:
    """A broken rule outside the agent file, in the words of the module that knows it.

    `code` must be in `caxton_core.codes`; `written` are the words of the value that it is about.
    """

    code: str
    message: str
    advice: str
    suggestion: str | None = None
    severity: Severity = Severity.ERROR
    written: str | None = None


What: TypeAlias = TextProblem | ValueProblem | RuleProblem | Doubt | Stated


@final
@frozen
class Problem:
    """What is wrong, and at which path of the file."""

    at: Path
    what: What


Problems: TypeAlias = tuple[Problem, *tuple[Problem, ...]]
"""At least one problem."""
