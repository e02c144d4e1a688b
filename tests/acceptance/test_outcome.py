"""A run of the whole suite fails when a promise has only skipped tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.manifest import TESTS

CONFTEST = """
from pathlib import Path
from tests.acceptance import outcome
outcome.TESTS = Path(__file__).parent
from tests.conftest import pytest_itemcollected, pytest_sessionfinish
"""
SUITE = """
import pytest
from tests.acceptance.criteria import criterion

@criterion("STORY-900.1")
def test_it(): pytest.skip("not here")

{more}
"""
PROVEN = '@criterion("STORY-900.1")\ndef test_again(): ...'


def outcome_of(folder: Path, more: str, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a suite with one skipped test and `more`."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_suite.py").write_text(SUITE.format(more=more))
    (folder / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {TESTS.parent}\nmarkers = criterion\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", ".", *arguments]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=folder, env=alone, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")])
def test_a_promise_that_only_a_skipped_test_names_fails_the_run(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    code, said = outcome_of(tmp_path, "", *workers)
    assert code == pytest.ExitCode.TESTS_FAILED, said
    assert "STORY-900.1" in said


def test_one_test_that_passes_is_enough(tmp_path: Path) -> None:
    code, said = outcome_of(tmp_path, PROVEN)
    assert code == pytest.ExitCode.OK, said


def test_a_part_of_the_suite_may_leave_promises_open(tmp_path: Path) -> None:
    code, said = outcome_of(tmp_path, "", "-k", "test_it")
    assert code == pytest.ExitCode.OK, said
