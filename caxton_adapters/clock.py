"""The machine's clocks."""

import time
from datetime import UTC, datetime
from typing import final

from attrs import frozen


@final
@frozen
class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()
