"""What can be wrong with one value."""

from typing import ClassVar, TypeAlias, final

from attrs import frozen

from caxton_core.problems.severity import Severity


@final
@frozen
class Blank:
    """A text that must say something is empty or only white space."""

    code: ClassVar = "CX1101"
    severity: ClassVar = Severity.ERROR
    subject: str


@final
@frozen
class Malformed:
    """A text that does not follow the rule of its type."""

    code: ClassVar = "CX1102"
    severity: ClassVar = Severity.ERROR
    text: str
    subject: str
    rule: str
    suggestion: str | None = None


@final
@frozen
class OutOfRange:
    """A number outside its range; `bounds` is the range in words."""

    code: ClassVar = "CX1103"
    severity: ClassVar = Severity.ERROR
    number: str
    bounds: str
    suggestion: str | None = None


@final
@frozen
class TooLong:
    """A text with more characters than its type allows."""

    code: ClassVar = "CX1104"
    severity: ClassVar = Severity.ERROR
    subject: str
    length: int
    limit: int


@final
@frozen
class NotAChoice:
    """A text that is none of the few allowed ones."""

    code: ClassVar = "CX1105"
    severity: ClassVar = Severity.ERROR
    text: str
    choices: tuple[str, ...]
    suggestion: str | None = None


@final
@frozen
class Repeated:
    """An item that the list already has."""

    code: ClassVar = "CX1106"
    severity: ClassVar = Severity.ERROR
    item: str


@final
@frozen
class TooMany:
    """A list with more items than allowed."""

    code: ClassVar = "CX1107"
    severity: ClassVar = Severity.ERROR
    count: int
    limit: int


ValueProblem: TypeAlias = Blank | Malformed | OutOfRange | TooLong | NotAChoice | Repeated | TooMany
