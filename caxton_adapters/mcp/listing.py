"""The tools of a server as they come, page by page, within bounds.

What is too large is left out at once, and what a server lists beyond all measure is not looked at:
a page holds twenty times its bytes as values.
"""

import json
from collections.abc import Mapping
from typing import Final, final

from attrs import define, field
from mcp_types import Tool

from caxton_adapters.mcp.listed import ListedTool
from caxton_adapters.mcp.said import LOG
from caxton_adapters.mcp.visible import one_line

MOST_PAGES: Final = 100
MOST_TOOLS: Final = 1000
LARGEST_SCHEMA: Final = 100_000
LARGEST_LISTING: Final = 5_000_000
"""Of all names, descriptions and schemas together, in characters."""
LONGEST_DESCRIPTION: Final = 20_000


@final
@define(eq=False)
class Listing:
    """The tools so far."""

    _server: str
    tools: dict[str, ListedTool] = field(factory=dict, init=False)
    is_full: bool = field(default=False, init=False)
    """Whether there was more than is looked at."""
    _size: int = field(default=0, init=False)

    def take(self, tool: Tool) -> None:
        """One more of them."""
        description = tool.description or tool.title or ""
        parameters, returns = _size(tool.input_schema), _size(tool.output_schema or {})
        self._size += len(tool.name) + len(description) + parameters + returns
        if self._size > LARGEST_LISTING or len(self.tools) == MOST_TOOLS:
            self.is_full = True
        elif parameters > LARGEST_SCHEMA:
            name = one_line(tool.name, 100)
            LOG.warning("%s: the tool %s is left out: its schema is too large", self._server, name)
        else:
            hints = tool.annotations
            listed = ListedTool(
                name=tool.name,
                description=description[:LONGEST_DESCRIPTION],
                parameters=tool.input_schema,
                returns=tool.output_schema if returns <= LARGEST_SCHEMA else None,
                repeatable=bool(hints and (hints.read_only_hint or hints.idempotent_hint)),
            )
            self.tools.setdefault(tool.name, listed)


def _size(schema: Mapping[str, object]) -> int:
    return len(json.dumps(schema))
