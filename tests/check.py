"""Every check of the project, from fast to slow: `python -m tests.check [NAME ...]`.

One line for each check; what a failed check had to say follows it. All of them run, whatever
fails before, and the exit code is 1 if any did.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from attrs import field, frozen

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
STUBTEST = ("mypy.stubtest", "returns.result", "--ignore-missing-stub")


@final
@frozen
class Check:
    """A command that says yes or no about the working tree."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(factory=dict)
    quick: bool = True


def script(name: str, *arguments: str) -> tuple[str, ...]:
    """A program of the environment that runs this one."""
    return (str(SCRIPTS / name), *arguments)


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """A module run by the interpreter that runs this one."""
    return (sys.executable, "-m", name, *arguments)


CHECKS = (
    Check("format", script("ruff", "format", "--check", "--quiet")),
    Check("lint", script("ruff", "check", "--quiet")),
    Check("spelling", script("typos")),
    Check("walls", script("lint-imports", "--no-logo")),
    Check("dependencies", script("deptry", "caxton_core", "caxton_adapters", "caxton_cli")),
    Check("types", module("mypy", "--no-error-summary")),
    # What the stub leaves out, mypy refuses: that is its purpose. What it says must be true.
    Check(
        "stub",
        module(*STUBTEST, "--allowlist", "typings/allowlist.txt"),
        {"MYPYPATH": str(ROOT / "typings")},
    ),
    Check(
        "docs",
        script("zensical", "build", "-f", ".zensical.toml", "--strict", "--clean"),
        quick=False,
    ),
    Check("tests", module("pytest", "-q"), quick=False),
    Check("conformance", module("tests.conformance"), quick=False),
    Check("fuzz", module("tests.fuzz", "--seconds", "60"), quick=False),
    Check("benchmarks", module("tests.benchmarks", "--smoke"), quick=False),
)


def run(check: Check) -> bool:
    """Run one check and print its line; true if it passed."""
    print(f"{check.name:<13}", end="", flush=True)
    since = time.perf_counter()
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        env=os.environ | check.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    print(f"{'ok    ' if passed else 'FAILED'} {time.perf_counter() - since:6.1f} s", flush=True)
    if not passed:
        print(done.stdout.rstrip(), flush=True)
    return passed


def chosen(arguments: Sequence[str]) -> tuple[Check, ...]:
    """The checks that the command line asks for, in their order."""
    names = [check.name for check in CHECKS]
    parser = argparse.ArgumentParser(prog="python -m tests.check", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="only those that take seconds")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="all but it")
    asked = parser.parse_args(arguments)
    if unknown := {*asked.names, *asked.without} - set(names):
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    return tuple(
        check
        for check in CHECKS
        if (not asked.names or check.name in asked.names)
        and check.name not in asked.without
        and (check.quick or not asked.quick)
    )


def main() -> int:
    """Run the chosen checks; 1 if one of them failed."""
    results = [run(check) for check in chosen(sys.argv[1:])]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
