"""Errors and warnings."""

from enum import Enum
from typing import final


@final
class Severity(Enum):
    """Whether a problem forbids what was asked, or only deserves a look."""

    ERROR = "error"
    WARNING = "warning"
