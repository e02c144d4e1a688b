"""`python -m tests.benchmarks [NAME ...]`: measures, and prints one table with baselines.

Timing never fails the command: this is where a person looks, on a machine that may be busy.
`--smoke` only sees that everything runs, with numbers that mean nothing.
"""

import argparse
import json
import sys
from importlib import import_module

from tests.benchmarks.effort import FULL, SMOKE, Effort
from tests.benchmarks.figures import Figure, table

NAMES = (
    "ceiling",
    "startup",
    "agent_file",
    "lifecycle",
    "provider",
    "isolation",
    "messages",
    "streams",
    "memory",
    "faults",
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
    figures = [figure for name in arguments.names or NAMES for figure in _measured(name, effort)]
    if arguments.json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        print("\n".join(table(figures)))


def _measured(name: str, effort: Effort) -> list[Figure]:
    print(f"measuring {name} ...", file=sys.stderr)
    figures: list[Figure] = list(import_module(f"tests.benchmarks.{name}").measure(effort))
    return figures


main()
