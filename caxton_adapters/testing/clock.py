"""What every clock promises; subclass it and give a `clock` fixture."""

from datetime import timedelta

import pytest

from caxton_core.ports import Clock

TIMES = 100


class ClockContract:
    """A test class for an implementation of the port."""

    @pytest.fixture
    def clock(self) -> Clock:
        raise NotImplementedError

    def test_the_time_of_day_is_in_utc(self, clock: Clock) -> None:
        assert clock.now().utcoffset() == timedelta(0)

    def test_seconds_never_go_back(self, clock: Clock) -> None:
        seconds = [clock.monotonic() for _ in range(TIMES)]
        assert seconds == sorted(seconds)

    def test_a_moment_is_a_value_that_stays(self, clock: Clock) -> None:
        moment = clock.now()
        said = moment.isoformat()
        clock.now()
        assert moment.isoformat() == said
