"""How much a broken rule matters, and what becomes of agents that broke none when they came."""

from enum import Enum
from typing import final

from caxton_core.problems import Severity


@final
class Level(Enum):
    """Whether a rule refuses, warns, or is not applied."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"

    @property
    def severity(self) -> Severity | None:
        """How its findings are reported; None where there are none."""
        return None if self is Level.OFF else Severity(self.value)


@final
class Preset(Enum):
    """Where a policy begins; its file changes what it names."""

    STRICT = "strict"
    DEFAULT = "default"
    RELAXED = "relaxed"


@final
class OnViolation(Enum):
    """What happens to a running agent that does not conform to a policy that was read again."""

    REPORT = "report"
    STOP = "stop"
