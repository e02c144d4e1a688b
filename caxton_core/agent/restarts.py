"""When an agent that died may be started again, and when it has died too often."""

from typing import Final, final

from attrs import frozen

MOST_DEATHS: Final = 5
WITHIN: Final = 60.0
FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 10.0


@final
@frozen
class RestartAfter:
    """Wait so many seconds, then start again; keep `deaths` for the next time."""

    delay: float
    deaths: tuple[float, ...]


@final
@frozen
class DiedTooOften:
    """Do not start again by itself: so many deaths within so many seconds."""

    deaths: int
    within: float


def after_death(deaths: tuple[float, ...], now: float) -> RestartAfter | DiedTooOften:
    """What to do when an agent died at `now`; `deaths` are the earlier ones (monotonic seconds).

    The first death is mended at once, each further one within the time doubles the wait.
    """
    recent = tuple(death for death in deaths if now - death < WITHIN)
    if len(recent) >= MOST_DEATHS:
        return DiedTooOften(len(recent) + 1, WITHIN)
    delay = FIRST_DELAY * 2 ** (len(recent) - 1) if recent else 0.0
    return RestartAfter(min(delay, LONGEST_DELAY), (*recent, now))
