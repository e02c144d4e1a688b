"""A server without tools keeps the promises of the port, and so do the tools of tests."""

import pytest

from caxton_adapters.testing.tools import Subject, ToolsContract
from caxton_adapters.tools.combined import CombinedTools
from caxton_adapters.tools.none import NoTools
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import ToolCall
from tests.fakes import FilesInADict


class TestNoTools(ToolsContract):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(NoTools())


class TestFilesInADict(ToolsContract):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(
            FilesInADict({"/reports/may": "all well"}),
            succeeding=(reading("/reports/may"),),
            failing=(reading("/nowhere"),),
        )


def reading(path: str) -> ToolCall:
    return ToolCall(f"call_{path}", ToolName("files.read"), JsonObject.of({"path": path}))


class TestCombinedTools(ToolsContract):
    @pytest.fixture
    def subject(self) -> Subject:
        files = FilesInADict({"/reports/may": "all well"})
        return Subject(
            CombinedTools((NoTools(), files, FilesInADict({}))),
            succeeding=(reading("/reports/may"),),
            failing=(reading("/nowhere"),),
        )


def test_a_tool_that_two_sources_offer_is_offered_once() -> None:
    combined = CombinedTools((FilesInADict({}), FilesInADict({})))
    assert [tool.name.value for tool in combined.offered()] == ["files.read"]
