"""Runs the official conformance suite against our client, and reads what it says."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, final

from attrs import frozen

from tests.node.installing import environment, installed, node

ROOT: Final = Path(__file__).parents[2]
REVISIONS: Final = ("2025-11-25", "2026-07-28")
"""Each fixes the scenarios that it requires, and the wire that they run over."""

OFFERED: Final = frozenset({"auth/client-credentials-basic", "json-schema-2020-12-preservation"})
"""What no revision requires and we do offer: it must work as well."""

PATIENCE: Final = "120000"
"""The suite starts all clients at once, on however few processors."""

_LINE: Final = re.compile(r"^([✓✗]) (\S+): (\d+) passed, (\d+) failed(?:, (\d+) warnings)?")
_NOT_SCORED: Final = re.compile(r"^  [✓✗] (\S+) \((.+)\)$", re.MULTILINE)


@final
@frozen
class Scenario:
    """How one scenario went; `optional` says why no revision requires it."""

    name: str
    passed: int
    failed: int
    optional: str = ""

    @property
    def is_good(self) -> bool:
        """A scenario in which nothing was checked is as bad as one that failed."""
        return self.failed == 0 and self.passed > 0

    @property
    def must_pass(self) -> bool:
        """Whether we claim it."""
        return not self.optional or self.name in OFFERED


def required(revision: str) -> tuple[str, ...]:
    """The scenarios for clients that the revision requires."""
    text = _suite("list", "--requirements", revision).stdout
    clients = text.partition("Client scenarios")[2].partition("\n\n")[0]
    return tuple(re.findall(r"^  - (\S+)$", clients, re.MULTILINE))


def run(revision: str) -> tuple[Scenario, ...]:
    """Every scenario of a revision, in the suite's order."""
    with tempfile.TemporaryDirectory() as results:
        done = _suite(
            *("client", "--requirements", revision, "--output-dir", results, "--timeout", PATIENCE),
            *("--command", f"{sys.executable} -m tests.conformance.client"),
        )
    found = tuple(_scenarios(done.stdout))
    missing = set(required(revision)) - {scenario.name for scenario in found}
    return (*found, *(Scenario(name, 0, 0) for name in sorted(missing)))


def run_one(scenario: str, revision: str) -> tuple[bool, str]:
    """Whether one scenario passes, and everything that was said."""
    with tempfile.TemporaryDirectory() as results:
        done = _suite(
            *("client", "--scenario", scenario, "--spec-version", revision),
            *("--output-dir", results, "--timeout", PATIENCE),
            *("--command", f"{sys.executable} -m tests.conformance.client"),
        )
    return done.returncode == 0, done.stdout


def _suite(*arguments: str) -> "subprocess.CompletedProcess[str]":
    script = installed() / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    return subprocess.run(
        [node(), script, *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )


def _scenarios(text: str) -> Iterator[Scenario]:
    _, _, summary = text.partition("=== SUITE SUMMARY ===")
    optional = dict(_NOT_SCORED.findall(summary))
    for line in summary.splitlines():
        if found := _LINE.match(line):
            _, name, passed, failed, _ = found.groups()
            yield Scenario(name, int(passed), int(failed), optional.get(name, ""))


def verdict(scenarios: Sequence[Scenario]) -> bool:
    """Whether everything passed that must."""
    return bool(scenarios) and all(each.is_good for each in scenarios if each.must_pass)
