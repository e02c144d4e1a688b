"""Runs the official conformance suite against our client, and reads what it says."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, final

from attrs import frozen

from tests.node.installing import environment, installed, node

ROOT: Final = Path(__file__).parents[2]
REVISIONS: Final = ("2025-11-25", "2026-07-28")
"""Each fixes the scenarios that it requires, and the wire that they run over."""

OFFERED: Final = (
    "auth/client-credentials-basic",
    "auth/client-credentials-jwt",
    "json-schema-2020-12-preservation",
)
"""What no revision requires and we do offer: it must work as well."""

_PATIENCE: Final = "120000"
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_COUNTS: Final = re.compile(r"^Passed: (\d+)/(\d+), (\d+) failed", re.MULTILINE)


@final
@frozen
class Outcome:
    """How one scenario went, and everything that was said."""

    scenario: str
    passed: int
    failed: int
    said: str

    @property
    def is_good(self) -> bool:
        """A scenario in which nothing was checked is as bad as one that failed."""
        return self.failed == 0 and self.passed > 0


def required(revision: str) -> tuple[str, ...]:
    """The scenarios for clients that the revision requires."""
    listed = _suite("list", "--requirements", revision)
    clients = listed.partition("Client scenarios")[2].partition("\n\n")[0]
    return tuple(re.findall(r"^  - (\S+)$", clients, re.MULTILINE))


def others(revision: str) -> tuple[str, ...]:
    """Scenarios for clients that exist beside those, and that we do not offer."""
    listed = _suite("list", "--requirements", revision)
    found = re.findall(r"^    - (\S+) \[client\]$", listed, re.MULTILINE)
    return tuple(name for name in found if name not in OFFERED)


def run(revision: str) -> Iterator[Outcome]:
    """Every scenario that is required or offered, as many at once as there are processors."""
    names = (*required(revision), *OFFERED)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        yield from workers.map(lambda name: run_one(name, revision), names)


def run_one(scenario: str, revision: str) -> Outcome:
    """One scenario over the wire of a revision."""
    with tempfile.TemporaryDirectory() as results:
        said = _suite(
            *("client", "--scenario", scenario, "--spec-version", revision, "--force"),
            *("--output-dir", results, "--timeout", _PATIENCE),
            *("--command", f"{sys.executable} -m tests.conformance.client"),
        )
    counts = _COUNTS.search(said)
    if counts is None:
        return Outcome(scenario, 0, 1, said)
    return Outcome(scenario, int(counts[1]), int(counts[3]), said)


def _suite(*arguments: str) -> str:
    script = installed() / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    done = subprocess.run(
        [node(), script, *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return _COLOURS.sub("", done.stdout)
