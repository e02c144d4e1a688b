"""`python -m tests.benchmarks [NAME ...]`: measures, and prints one table with baselines.

Timing never fails the command: this is where a person looks, on a machine that may be busy.
`--smoke` only sees that everything runs, with numbers that mean nothing.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from time import perf_counter

from tests.benchmarks.effort import FULL, SMOKE, Effort
from tests.benchmarks.figures import Figure, table

NAMES = (
    "ceiling",
    "startup",
    "agent_file",
    "policy",
    "lifecycle",
    "provider",
    "isolation",
    "messages",
    "recording",
    "streams",
    "memory",
    "remembering",
    "faults",
    "accepting",
    "histories",
    "permissions",
    "tools",
    "restarting",
)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--smoke", action="store_true", help="only see that everything runs")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    effort = SMOKE if arguments.smoke else FULL
    figures: list[Figure] = []
    try:
        figures.extend(_measured(arguments.names or NAMES, effort))
    finally:  # what was measured before something broke is worth seeing
        _print(figures, as_json=arguments.json, smoke=arguments.smoke)


def _print(figures: list[Figure], *, as_json: bool, smoke: bool) -> None:
    if as_json:
        written = [figure.as_json() for figure in figures]
        document = {**_here(), "smoke": smoke, "figures": written}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print(", ".join(f"{name} {value}" for name, value in _here().items()), end="\n\n")
        print("\n".join(table(figures)))


def _measured(names: tuple[str, ...], effort: Effort) -> Iterator[Figure]:
    for name in names:
        before = perf_counter()
        print(f"measuring {name} ...", end="", file=sys.stderr, flush=True)
        yield from import_module(f"tests.benchmarks.{name}").measure(effort)
        print(f" {perf_counter() - before:.0f} s", file=sys.stderr)


def _here() -> dict[str, object]:
    """What a reader has to know about the machine and the moment."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


main()
