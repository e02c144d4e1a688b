"""Tools as the last calls met them; none is called for the sake of this."""

from collections.abc import Callable, Mapping

from caxton_adapters.health.circuits import word
from caxton_adapters.health.component import Component, Part, Status
from caxton_core.primitives import ToolName
from caxton_core.resilience.breaker import Breaker, Closed


def tools(breakers: Callable[[], Mapping[ToolName, Breaker]]) -> Part:
    """Whether all tools that were called give answers; without one the server is of use."""

    def look() -> Component:
        circuits = {name.value: each for name, each in breakers().items()}
        held_back = [name for name, each in circuits.items() if not isinstance(each, Closed)]
        reason = f"not called for a while: {', '.join(held_back)}" if held_back else ""
        facts = {"circuits": {name: word(each) for name, each in circuits.items()}}
        status = Status.WARN if held_back else Status.WELL
        return Component("tools", status, reason, facts if circuits else {})

    return look
