"""Play schedules: `python -m tests.core.simulation SEED [COUNT]`."""

import argparse
import time
from collections import Counter

from tests.core.simulation.schedule import run


def main() -> None:
    """Play COUNT schedules from SEED on; the first that breaks a promise says which."""
    parser = argparse.ArgumentParser(prog="python -m tests.core.simulation", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    asked = parser.parse_args()
    since = time.perf_counter()
    reports = [run(seed) for seed in range(asked.seed, asked.seed + asked.count)]
    took = time.perf_counter() - since
    for name in ("accepted", "asked", "called", "crashes"):
        print(f"{name:<20} {sum(getattr(report, name) for report in reports):>9,}")
    for ending, times in sum((report.endings for report in reports), Counter()).most_common():
        print(f"  {ending:<18} {times:>9,}")
    print(f"{asked.count} schedules kept every promise in {took:.1f} s")


if __name__ == "__main__":
    main()
