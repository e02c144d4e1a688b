"""Attack every parser: `python -m tests.fuzz [--seconds N] [--seed N] [TARGET...]`.

An input that breaks a parser is made small, written into the corpus, and tried first from then on.
"""

import argparse
import logging
import resource
import sys
import time

from tests.fuzz.running import Outcome, attack, keep
from tests.fuzz.targets import TARGETS

MOST_MEMORY = 4 * 1024**3


def main() -> int:
    """Attack the chosen targets in turn; 1 if one of them broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    asked = parser.parse_args()
    if unknown := set(asked.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    chosen = [TARGETS[name] for name in asked.targets or TARGETS]
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, resource.RLIM_INFINITY))
    logging.disable(logging.ERROR)  # what a parser says of each bad input
    print(f"seed {asked.seed}", flush=True)
    return max(told(attack(target, asked.seconds / len(chosen), asked.seed)) for target in chosen)


def told(outcome: Outcome) -> int:
    """Print how it went; 1 if the target broke."""
    name, broken = outcome.target.name, outcome.broken
    says = "ok" if broken is None else f"BROKEN by {keep(outcome.target, broken)}"
    print(
        f"{name:<12}{outcome.tried:>8} inputs, slowest {outcome.slowest:.3f} s  {says}", flush=True
    )
    if broken is None:
        return 0
    print(broken.what, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
