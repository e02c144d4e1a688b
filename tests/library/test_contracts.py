"""A contract suite notices an adapter that does not keep its promises."""

import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = {
    "clock": """
from datetime import datetime
from caxton_adapters.testing.clock import ClockContract

class Clock:
    def now(self):
        return datetime(2026, 1, 1)

    def monotonic(self):
        return 1.0

class TestClock(ClockContract):
    @pytest.fixture
    def clock(self):
        return Clock()
""",
    "configs": """
from caxton_adapters.testing.configs import ConfigsContract

class Unordered:
    def __init__(self):
        self.records = {}

    async def save(self, record):
        self.records[record.id] = record

    async def remove(self, agent):
        self.records.pop(agent, None)

    async def stored(self):
        return list(self.records.values())

class TestUnordered(ConfigsContract):
    @pytest.fixture
    def configs(self):
        return Unordered()
""",
    "events": """
from caxton_adapters.testing.events import EventsContract, Recorder

class Deduplicating:
    def __init__(self):
        self.heard = {}

    def tell(self, *events):
        self.heard.update(dict.fromkeys(events))

class TestDeduplicating(EventsContract):
    @pytest.fixture
    def recorder(self):
        events = Deduplicating()
        return Recorder(events, lambda: list(events.heard))
""",
    "tools": """
from caxton_adapters.testing.tools import Subject, ToolsContract
from caxton_core import ToolSucceeded

class Obliging:
    def offered(self):
        return ()

    async def call(self, call):
        return ToolSucceeded(call.id, "done")

class TestObliging(ToolsContract):
    @pytest.fixture
    def subject(self):
        return Subject(Obliging())
""",
    "model": """
from caxton_adapters.embedded import scripted
from caxton_adapters.testing.model import ModelContract, Subject, question

class TestTimeless(ModelContract):
    @pytest.fixture
    def subject(self):
        model = scripted('[[rules]]\\nanswer = "one two"\\n')
        return Subject(model, question("a"), question("b"), question("c"))
""",
}
NOTICED = {
    "clock": ["test_the_time_of_day_is_in_utc"],
    "configs": ["test_agents_come_in_the_order_of_creation"],
    "events": [
        "test_the_same_event_twice_is_heard_twice",
        "test_those_who_tell_at_once_lose_nothing",
    ],
    "tools": ["test_a_failure_is_a_result_with_words_for_the_model"],
    "model": ["test_a_failure_is_a_value", "test_a_slow_answer_is_ended_by_its_timeout"],
}


@pytest.mark.parametrize("port", BROKEN)
def test_a_broken_adapter_is_noticed_by_the_promises_that_it_breaks(
    tmp_path: Path, port: str
) -> None:
    (tmp_path / "test_adapter.py").write_text(f"import pytest\n{BROKEN[port]}")
    (tmp_path / "pytest.ini").write_text("[pytest]\nanyio_mode = auto\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 1, done.stdout + done.stderr
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert all(any(name in line for line in failed) for name in NOTICED[port]), failed
    assert "passed" in done.stdout.splitlines()[-1]


def test_the_suites_are_the_only_modules_that_need_pytest() -> None:
    root = Path(__file__).parents[2]
    users = {
        file.parent.name
        for package in ("caxton_core", "caxton_adapters", "caxton_cli")
        for file in (root / package).rglob("*.py")
        if "import pytest" in file.read_text("utf-8")
    }
    assert users == {"testing"}
