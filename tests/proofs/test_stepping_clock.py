import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.proofs.clock import HOUR, has_compiler, stepping_clock

pytestmark = pytest.mark.skipif(not has_compiler(), reason="there is no C compiler")

SCRIPT = """
import sqlite3, sys, time
for _ in sys.stdin:
    (by_sqlite,) = sqlite3.connect(":memory:").execute("SELECT unixepoch()").fetchone()
    print(time.time(), by_sqlite, time.monotonic(), flush=True)
"""


def test_the_wall_clock_steps_and_the_monotonic_one_does_not(tmp_path: Path) -> None:
    clock = stepping_clock(tmp_path)
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, env=clock.variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        for step in (0, -2 * HOUR, 720 * HOUR):
            clock.step(step)
            asked.stdin.write("\n")
            asked.stdin.flush()
            wall, by_sqlite, monotonic = map(float, asked.stdout.readline().split())
            assert wall - time.time() == pytest.approx(step, abs=10)
            assert by_sqlite - time.time() == pytest.approx(step, abs=10)
            assert monotonic == pytest.approx(time.monotonic(), abs=10)
        asked.stdin.close()
