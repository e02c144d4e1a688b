"""What can be wrong with a file as a whole, and with the keys in it."""

from typing import ClassVar, TypeAlias, final

from attrs import frozen

from caxton_core.problems.severity import Severity


@final
@frozen
class BadSyntax:
    """The text is not TOML; line and column count from 1."""

    code: ClassVar = "CX1001"
    severity: ClassVar = Severity.ERROR
    detail: str
    line: int
    column: int


@final
@frozen
class UnknownKey:
    """A key that the table does not have."""

    code: ClassVar = "CX1002"
    severity: ClassVar = Severity.ERROR
    key: str
    table: str
    known: tuple[str, ...]
    suggestion: str | None


@final
@frozen
class MissingKey:
    """A required key is absent."""

    code: ClassVar = "CX1003"
    severity: ClassVar = Severity.ERROR
    key: str
    why: str
    suggestion: str


@final
@frozen
class WrongType:
    """A value of another type than the key takes."""

    code: ClassVar = "CX1004"
    severity: ClassVar = Severity.ERROR
    expected: str
    found: str
    suggestion: str | None = None


@final
@frozen
class MisplacedKey:
    """A key of another table; below a `[table]` header, top-level keys belong to that table."""

    code: ClassVar = "CX1005"
    severity: ClassVar = Severity.ERROR
    key: str
    table: str
    home: str


@final
@frozen
class MovedKey:
    """A key that is spelled in another place."""

    code: ClassVar = "CX1006"
    severity: ClassVar = Severity.ERROR
    written: str
    suggestion: str


@final
@frozen
class OlderSpelling:
    """An accepted spelling of earlier versions."""

    code: ClassVar = "CX1007"
    severity: ClassVar = Severity.WARNING
    written: str
    suggestion: str


@final
@frozen
class TooLarge:
    """The text has more bytes than a file of its kind may have."""

    code: ClassVar = "CX1008"
    severity: ClassVar = Severity.ERROR
    size: int
    limit: int


@final
@frozen
class TooDeep:
    """Dotted keys, tables or arrays are nested deeper than the limit."""

    code: ClassVar = "CX1009"
    severity: ClassVar = Severity.ERROR
    limit: int
    line: int = 1
    column: int = 1


@final
@frozen
class HugeNumber:
    """An integer with more digits than can be converted."""

    code: ClassVar = "CX1010"
    severity: ClassVar = Severity.ERROR
    digits: int
    line: int = 1
    column: int = 1


@final
@frozen
class NotUtf8:
    """The bytes are not UTF-8 text."""

    code: ClassVar = "CX1011"
    severity: ClassVar = Severity.ERROR
    offset: int


TextProblem: TypeAlias = (
    BadSyntax
    | UnknownKey
    | MissingKey
    | WrongType
    | MisplacedKey
    | MovedKey
    | OlderSpelling
    | TooLarge
    | TooDeep
    | HugeNumber
    | NotUtf8
)
