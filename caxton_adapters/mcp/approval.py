"""Who approves the tools that servers offer, and where that is written down."""

from enum import Enum
from typing import Final, final

LOCK_NAME: Final = "caxton.lock"


@final
class Approval(Enum):
    """Who approves a tool that nobody has seen before."""

    FIRST_USE = "first_use"
    """Its first discovery does; only a change needs a person."""
    ALWAYS = "always"
    """A person does."""
