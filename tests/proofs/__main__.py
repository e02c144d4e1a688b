"""`python -m tests.proofs [NAME ...]`: tries what is promised, prints what was counted.

The exit code is 1 where a promise was broken.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from tests.benchmarks.loops import run
from tests.proofs import (
    clock,
    crash,
    damage,
    full_disk,
    io_errors,
    migrating,
    neighbours,
    overload,
    power,
    read_only,
    shutdown,
    soak,
)
from tests.proofs.report import Report

Proof = Callable[[], Coroutine[Any, Any, Report]]


def proofs(arguments: argparse.Namespace) -> dict[str, Proof]:
    """Every proof by its name, as long as the command line asks."""
    return {
        "crash": partial(crash.prove, arguments.kills, seed=arguments.seed),
        "shutdown": partial(shutdown.prove, arguments.stops, seed=arguments.seed),
        "clock": partial(clock.prove, arguments.steps, seed=arguments.seed),
        "power": partial(power.prove, arguments.losses, seed=arguments.seed),
        "full-disk": full_disk.prove,
        "read-only": read_only.prove,
        "io-errors": io_errors.prove,
        "damaged-log": partial(damage.prove, arguments.damages, seed=arguments.seed),
        "migration": migrating.prove,
        "overload": overload.prove,
        "neighbours": neighbours.prove,
        "soak": partial(soak.prove, arguments.messages),
    }


def main() -> int:
    """Read the command line, try, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--kills", type=int, default=200, help="how often the server is killed")
    parser.add_argument("--stops", type=int, default=24, help="how often it is told to end")
    parser.add_argument("--losses", type=int, default=12, help="how often the power is lost")
    parser.add_argument("--steps", type=int, default=5, help="how often the clock goes through")
    parser.add_argument("--damages", type=int, default=40, help="how often the log is damaged")
    parser.add_argument("--messages", type=int, default=50_000, help="how many a soak sends")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and the senders' dice")
    arguments = parser.parse_args()
    known = proofs(arguments)
    unknown = sorted(set(arguments.names) - set(known))
    if unknown:
        parser.error(f"no proof is called {', '.join(unknown)}; there are {', '.join(known)}")
    # However it is ended, it leaves neither processes nor mounts behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    broken = False
    for name in arguments.names or known:
        report = run(known[name]())
        print(report, flush=True)
        broken = broken or bool(report.faults)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
