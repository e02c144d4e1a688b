"""What has changed in the definition of a tool, as lines for a person."""

import json
import sys
from collections.abc import Iterator, Mapping

from caxton_cli.printing import styled

_COLOURS = {"- ": "red", "+ ": "green"}


def diff_lines(tool: Mapping[str, object]) -> Iterator[str]:
    """The tool's name and state, then every difference; of a new tool, all that it says."""
    yield f"{tool['name']} ({tool['state']})"
    differences = tool.get("differences")
    if isinstance(differences, list) and differences:
        for one in differences:
            yield from _difference(one)
    elif tool["state"] == "new":
        yield from _new(tool)


def _difference(one: Mapping[str, object]) -> Iterator[str]:
    yield f"  {one['at']}"
    lines, characters = one.get("lines"), one.get("characters")
    for line in lines if isinstance(lines, list) else []:
        yield f"    {_coloured(str(line))}"
    if isinstance(characters, list) and characters:
        yield f"    new characters: {', '.join(map(str, characters))}"


def _new(tool: Mapping[str, object]) -> Iterator[str]:
    from caxton_core.tools.visible import visible

    parameters = json.dumps(tool["parameters"], indent=2, ensure_ascii=False)
    for at, text in (("description", str(tool["description"])), ("parameters", parameters)):
        yield f"  {at}"
        yield from (f"    {_coloured(f'+ {visible(line)}')}" for line in text.split("\n"))


def _coloured(line: str) -> str:
    colour = _COLOURS.get(line[:2])
    return line if colour is None else styled(line, colour, sys.stdout)
