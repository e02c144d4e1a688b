"""Moments as the database has them: microseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


def ticks(at: datetime) -> int:
    """The moment as a number."""
    return (at - _EPOCH) // _TICK


def moment(number: int) -> datetime:
    """The moment of a number."""
    return _EPOCH + timedelta(microseconds=number)
