"""A server without tools keeps the promises of the port."""

import pytest

from caxton_adapters.testing.tools import Subject, ToolsContract
from caxton_adapters.tools.none import NoTools


class TestNoTools(ToolsContract):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(NoTools())
