"""Servers of tools that cannot be reached are named: no tools is not the same as no answer."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from caxton_cli.printing import note

TRIED: Final = ("waiting",)
NAMED: Final = (*TRIED, "disabled")
"""Who asks for one server wants to know also that it is not to be reached."""


def tell_unreached(
    servers: Iterable[Mapping[str, object]], states: Collection[str] = TRIED
) -> None:
    """Say beside the result of each server in one of these states why it is in it."""
    from caxton_core.tools.visible import visible

    for server in servers:
        if server.get("state") in states and server.get("reason"):
            note(f"{server['name']} is not reached: {visible(str(server['reason']).strip())}")
