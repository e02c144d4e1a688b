"""Which promises a run of the whole suite left without a test that passed.

A test that is skipped proves nothing, so a promise whose tests were all skipped fails the run.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.manifest import TESTS

PROPERTY: Final = "criterion"


def note_criteria(item: pytest.Item) -> None:
    """Let the reports of a test carry what it proves, also from another process."""
    for mark in item.iter_markers("criterion"):
        item.user_properties.extend((PROPERTY, id_) for id_ in mark.args)


def criteria_of(reports: Iterable[object]) -> frozenset[str]:
    """What the tests of these reports prove."""
    return frozenset(
        str(id_)
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, id_ in report.user_properties
        if name == PROPERTY
    )


def is_whole_suite(config: pytest.Config) -> bool:
    """Whether nothing was left out: neither by path nor by expression."""
    chosen = {(config.invocation_params.dir / Path(arg)).resolve() for arg in config.args}
    narrowed = config.getoption("keyword") or config.getoption("markexpr")
    return chosen == {TESTS} and not narrowed


def unproven_here(reporter: pytest.TerminalReporter) -> frozenset[str]:
    """The promises whose tests were all skipped."""
    stats = reporter.stats
    return criteria_of(stats.get("skipped", [])) - criteria_of(stats.get("passed", []))
