"""How the database fares, readable at any time without touching the disk."""

from collections.abc import Callable
from datetime import datetime
from typing import final

from attrs import frozen


@final
@frozen
class DatabaseHealth:
    """The last change that succeeded; while changes fail, why the last one did and since when."""

    succeeded: datetime
    error: str | None = None
    since: datetime | None = None

    @property
    def failing(self) -> bool:
        """Whether the last change failed for a reason that others share."""
        return self.error is not None


@final
class HealthRecord:
    """Keeps the health; only the writer's thread tells it something."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.current = DatabaseHealth(now())

    def succeeded(self) -> None:
        """A change is on the disk."""
        self.current = DatabaseHealth(self._now())

    def failed(self, why: str) -> None:
        """A change failed, and others would fail too."""
        before = self.current
        self.current = DatabaseHealth(before.succeeded, why, before.since or self._now())
