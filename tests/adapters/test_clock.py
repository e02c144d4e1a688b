"""The machine's clock keeps the promises of the port."""

import pytest

from caxton_adapters.clock import SystemClock
from caxton_adapters.testing.clock import ClockContract
from caxton_core.ports import Clock


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()
