"""Why nobody offers a tool: what its operator wants to know, and no model is told."""

from collections.abc import Sequence
from typing import Final

from caxton_adapters.runtime.toolbox import PinState, ServerState, ServerView, ToolServers
from caxton_core.primitives import ToolName
from caxton_core.reading.nearest import nearest
from caxton_core.tools.tool import Tool
from caxton_core.tools.visible import visible

_OUT_OF_REACH: Final = (ServerState.WAITING, ServerState.DISABLED)


def absent(tool: ToolName, offered: Sequence[Tool], toolbox: ToolServers | None) -> str:
    """Why the tool is not among the offered ones; empty for one that is."""
    names = [each.name for each in offered]
    if tool in names:
        return ""
    server = server_named(tool.server, toolbox)
    if server is None:
        is_known = any(name.server == tool.server for name in names)
        what = "offers no such tool" if is_known else "is no server of tools"
        return f"{tool.server} {what}{_meant(tool, names)}"
    if is_out_of_reach(server):
        return f"{tool.server} is not reached: {visible(server.reason.strip())}"
    if _is_new(tool, toolbox):
        return "its definition waits for an approval"
    return f"{tool.server} offers no such tool{_meant(tool, names)}"


def server_named(name: str, toolbox: ToolServers | None) -> ServerView | None:
    """The registered server of this name."""
    views = () if toolbox is None else toolbox.servers()
    return next((view for view in views if view.name.value == name), None)


def is_out_of_reach(server: ServerView) -> bool:
    """Whether there is no connection, and it is known why."""
    return server.state in _OUT_OF_REACH and bool(server.reason)


def _is_new(tool: ToolName, toolbox: ToolServers | None) -> bool:
    views = () if toolbox is None else toolbox.tools()
    return any(view.tool.name == tool and view.pin is PinState.NEW for view in views)


def _meant(tool: ToolName, names: Sequence[ToolName]) -> str:
    meant = nearest(tool.value, [name.value for name in names])
    return "" if meant is None else f"; did you mean {meant}?"
