"""What has changed in the definition of a tool, as lines for a person."""

import json
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby

from caxton_cli.laying_out import unpadded
from caxton_cli.printing import styled

_COLOURS = {"- ": "red", "+ ": "green"}
_MOST_EMPTY = 2
_DEEPEST = 40
"""How far a line may be indented."""


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
    yield from _marked(map(str, lines) if isinstance(lines, list) else iter(()))
    if isinstance(characters, list) and characters:
        yield f"    new characters: {', '.join(map(str, characters))}"


def _new(tool: Mapping[str, object]) -> Iterator[str]:
    from caxton_core.tools.visible import visible

    parameters = json.dumps(tool["parameters"], indent=2, ensure_ascii=False)
    for at, text in (("description", str(tool["description"])), ("parameters", parameters)):
        yield f"  {at}"
        yield from _marked(f"+ {visible(line)}" for line in text.split("\n"))


def _marked(lines: Iterator[str]) -> Iterator[str]:
    """The lines, which begin with their mark; of many empty ones their number."""
    for (mark, is_empty), same in groupby(lines, lambda line: (line[:2], not line[2:].strip())):
        found = list(same)
        many = is_empty and len(found) > _MOST_EMPTY
        for line in [f"{mark}({len(found):,} empty lines)"] if many else found:
            yield f"    {_coloured(_unpadded(line))}"


def _unpadded(line: str) -> str:
    """The line without padding; that it is indented is none."""
    words = line[2:].lstrip(" ")
    indented = len(line) - len(words)
    kept = 2 if indented > _DEEPEST else indented
    return line[:kept] + unpadded(line[kept:])


def _coloured(line: str) -> str:
    colour = _COLOURS.get(line[:2])
    return line if colour is None else styled(line, colour, sys.stdout)
