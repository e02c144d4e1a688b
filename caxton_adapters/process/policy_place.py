"""Where the policy of an installation is."""

from pathlib import Path
from typing import final

from attrs import frozen


@final
@frozen
class PolicyPlace:
    """Where the policy is, and the environment that holds; without a path it is the built-in one.

    A path that was `named` must be there.
    """

    path: Path | None = None
    environment: str | None = None
    named: bool = True

    @property
    def shown(self) -> str:
        """The place in words."""
        file = "the built-in policy" if self.path is None else str(self.path)
        return f"{file}, environment {self.environment}" if self.environment else file
