"""A server without tools keeps the promises of the port, and so do the tools of tests."""

import pytest

from caxton_adapters.testing.tools import Subject, ToolsContract
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
