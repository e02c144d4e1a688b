"""The machine's clock keeps the promises of the port, also while somebody sets it."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.clock import SystemClock
from caxton_adapters.testing.clock import ClockContract
from caxton_core.ports import Clock
from tests.waiting import PATIENCE

START = 1_800_000_000.0
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
static long offset;
void step(long seconds) { offset += seconds; }
int clock_gettime(clockid_t id, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    if (id == CLOCK_REALTIME) now->tv_sec += offset;
    return result;
}
"""
STEPPED = """
import ctypes, time
from caxton_adapters.clock import SystemClock
step, clock = ctypes.CDLL(None).step, SystemClock()
machine, ours, seconds = time.time(), clock.now(), clock.monotonic()
step({seconds})
print(time.time() - machine, (clock.now() - ours).total_seconds())
print(clock.monotonic() - seconds, clock.stepped())
"""


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


def test_the_time_of_day_is_the_machines() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before - timedelta(seconds=1) < now < before + timedelta(seconds=PATIENCE)


@given(
    st.lists(
        st.tuples(st.floats(0, 3600), st.floats(-1e6, 1e6) | st.just(0.0)), min_size=1, max_size=20
    )
)
def test_steps_of_the_wall_clock_change_no_difference(course: list[tuple[float, float]]) -> None:
    elapsed, steps = 0.0, 0.0
    clock = SystemClock(lambda: START + elapsed + steps, lambda: elapsed)
    begun = clock.now()
    for passed, step in course:
        elapsed, steps = elapsed + passed, steps + step
        assert (clock.now() - begun).total_seconds() == pytest.approx(elapsed, abs=1e-4)
        assert clock.stepped() == pytest.approx(steps, abs=1e-4)


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that sets the wall clock of the process into which it is loaded."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("the wall clock of a process is set by a small C library: cc and Linux")
    directory = tmp_path_factory.mktemp("shim")
    source, library = directory / "step.c", directory / "step.so"
    source.write_text(SHIM)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True
    )
    return library


@pytest.mark.parametrize("seconds", [-7200, 30 * 24 * 3600])
def test_a_process_whose_wall_clock_steps_goes_on_as_before(shim: Path, seconds: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", STEPPED.format(seconds=seconds)],
        env={"LD_PRELOAD": str(shim)},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    machine, ours, monotonic, stepped = map(float, ran.stdout.split())
    assert machine == pytest.approx(seconds, abs=PATIENCE)
    assert 0 <= ours < PATIENCE
    assert 0 <= monotonic < PATIENCE
    assert stepped == pytest.approx(seconds, abs=PATIENCE)
