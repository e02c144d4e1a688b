"""What every test shares: one event loop, how long properties are tried, and what a run proves."""

import os
import signal

import pytest
from hypothesis import settings

from tests.acceptance.outcome import is_whole_suite, note_criteria, unproven_here

# A deadline per example measures the machine's other guests, not the code.
settings.register_profile("here", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "here")

# A shell starts background jobs deaf to Ctrl-C, and so would be every command that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Everything runs on asyncio, which the server runs on."""
    return "asyncio"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let every report say what its test proves."""
    note_criteria(item)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of the whole suite that leaves a promise to skipped tests alone."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not is_whole_suite(session.config):
        return
    left = sorted(unproven_here(reporter))
    if left:
        reporter.section("promises whose tests were all skipped")
        reporter.line(" ".join(left))
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
