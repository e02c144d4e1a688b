"""What an agent file may say and yet deserves a second look: the warnings."""

from typing import ClassVar, TypeAlias, final

from attrs import frozen

from caxton_core.problems.severity import Severity


@final
@frozen
class NoCapabilities:
    """The agent offers nothing that others could ask for by capability."""

    code: ClassVar = "CX1301"
    severity: ClassVar = Severity.WARNING


@final
@frozen
class NormalisedCapability:
    """A capability was written in another case and is read in kebab case."""

    code: ClassVar = "CX1302"
    severity: ClassVar = Severity.WARNING
    written: str
    suggestion: str


@final
@frozen
class SingleBraces:
    """`{x}` in the template stays as it is; only `{{x}}` is filled."""

    code: ClassVar = "CX1303"
    severity: ClassVar = Severity.WARNING
    written: str
    suggestion: str


@final
@frozen
class RequestUnused:
    """The template never shows the person's message to the model."""

    code: ClassVar = "CX1304"
    severity: ClassVar = Severity.WARNING


@final
@frozen
class ParameterUnused:
    """No placeholder reads this parameter."""

    code: ClassVar = "CX1305"
    severity: ClassVar = Severity.WARNING
    name: str


@final
@frozen
class ToolNotPermitted:
    """A listed tool that no permission allows: every call of it will be refused."""

    code: ClassVar = "CX1306"
    severity: ClassVar = Severity.WARNING
    tool: str


@final
@frozen
class PermissionWithoutTool:
    """A permission for a tool that the agent does not list."""

    code: ClassVar = "CX1307"
    severity: ClassVar = Severity.WARNING
    rule: str
    tool: str


@final
@frozen
class ShadowedPermission:
    """A permission that a stronger one makes ineffective (deny > ask > allow)."""

    code: ClassVar = "CX1308"
    severity: ClassVar = Severity.WARNING
    rule: str
    stronger: str
    by: str


@final
@frozen
class WithoutEffect:
    """A setting that another one switches off."""

    code: ClassVar = "CX1309"
    severity: ClassVar = Severity.WARNING
    key: str
    because: str


@final
@frozen
class TwoSamplers:
    """Both temperature and top_p are changed."""

    code: ClassVar = "CX1310"
    severity: ClassVar = Severity.WARNING


@final
@frozen
class HighTemperature:
    """A temperature at which answers stop making sense."""

    code: ClassVar = "CX1311"
    severity: ClassVar = Severity.WARNING
    temperature: str


@final
@frozen
class IdleFallback:
    """A fall-back that asks the same provider for the same model again."""

    code: ClassVar = "CX1312"
    severity: ClassVar = Severity.WARNING
    model: str


@final
@frozen
class PlaceholderInSystemPrompt:
    """Placeholders are filled in the user prompt template, not in the system prompt."""

    code: ClassVar = "CX1313"
    severity: ClassVar = Severity.WARNING
    written: str


@final
@frozen
class EnvironmentReference:
    """`${NAME}` is substituted in the server's settings only."""

    code: ClassVar = "CX1314"
    severity: ClassVar = Severity.WARNING
    written: str


@final
@frozen
class EverythingShared:
    """All that anyone tells this agent is stored where every agent can read it."""

    code: ClassVar = "CX1315"
    severity: ClassVar = Severity.WARNING


@final
@frozen
class UnboundedRounds:
    """Many rounds of tool calls without a token budget for the turn."""

    code: ClassVar = "CX1316"
    severity: ClassVar = Severity.WARNING
    rounds: int


@final
@frozen
class LateDeadline:
    """A deadline that a shorter one around it always overtakes."""

    code: ClassVar = "CX1317"
    severity: ClassVar = Severity.WARNING
    key: str
    written: str
    outer: str
    earlier: str


@final
@frozen
class NotYet:
    """A key of the format that has no effect yet, and what happens instead."""

    code: ClassVar = "CX1318"
    severity: ClassVar = Severity.WARNING
    key: str
    instead: str


Doubt: TypeAlias = (
    NoCapabilities
    | NormalisedCapability
    | SingleBraces
    | RequestUnused
    | ParameterUnused
    | ToolNotPermitted
    | PermissionWithoutTool
    | ShadowedPermission
    | WithoutEffect
    | TwoSamplers
    | HighTemperature
    | IdleFallback
    | PlaceholderInSystemPrompt
    | EnvironmentReference
    | EverythingShared
    | UnboundedRounds
    | LateDeadline
    | NotYet
)
