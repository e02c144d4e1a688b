"""What can be wrong between the fields of an agent file: the errors."""

from typing import ClassVar, TypeAlias, final

from attrs import frozen

from caxton_core.problems.severity import Severity


@final
@frozen
class UnknownPlaceholder:
    """The template names a placeholder that nothing fills."""

    code: ClassVar = "CX1201"
    severity: ClassVar = Severity.ERROR
    name: str
    known: tuple[str, ...]
    suggestion: str | None


@final
@frozen
class UnprintableParameter:
    """The template names a parameter whose value is a table, which has no text."""

    code: ClassVar = "CX1202"
    severity: ClassVar = Severity.ERROR
    name: str


@final
@frozen
class ReservedParameter:
    """A parameter takes the name that stands for the person's message."""

    code: ClassVar = "CX1203"
    severity: ClassVar = Severity.ERROR
    name: str


@final
@frozen
class LimitNeedsProcess:
    """A hard memory or CPU limit on an agent that shares its process with others."""

    code: ClassVar = "CX1204"
    severity: ClassVar = Severity.ERROR
    limit: str


@final
@frozen
class LiteralSecret:
    """A text that looks like a credential; the text itself is not kept."""

    code: ClassVar = "CX1205"
    severity: ClassVar = Severity.ERROR
    looks_like: str


@final
@frozen
class TurnAboveDay:
    """One turn may spend more tokens than a whole day."""

    code: ClassVar = "CX1206"
    severity: ClassVar = Severity.ERROR
    turn: int
    day: int


@final
@frozen
class AnswerFillsWindow:
    """The longest answer leaves no room in the context window for the question."""

    code: ClassVar = "CX1207"
    severity: ClassVar = Severity.ERROR
    max_tokens: int
    window: int


@final
@frozen
class PromptFillsWindow:
    """The system prompt alone (estimated) leaves no room in the context window."""

    code: ClassVar = "CX1208"
    severity: ClassVar = Severity.ERROR
    estimate: int
    window: int


@final
@frozen
class TurnBelowAnswer:
    """One answer may be longer than a whole turn may spend."""

    code: ClassVar = "CX1209"
    severity: ClassVar = Severity.ERROR
    max_tokens: int
    turn: int


RuleProblem: TypeAlias = (
    UnknownPlaceholder
    | UnprintableParameter
    | ReservedParameter
    | LimitNeedsProcess
    | LiteralSecret
    | TurnAboveDay
    | AnswerFillsWindow
    | PromptFillsWindow
    | TurnBelowAnswer
)
