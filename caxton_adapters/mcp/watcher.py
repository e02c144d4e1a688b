"""Who is told of what happens in a conversation beside its calls."""

from collections.abc import Callable
from typing import final

from attrs import frozen

from caxton_adapters.mcp.ending import Ending
from caxton_adapters.mcp.said import Said


@final
@frozen
class Watcher:
    """Where words beside the answers, the end, and changes of the tools are told."""

    said: Said
    ending: Ending
    on_changed: Callable[[], None]
