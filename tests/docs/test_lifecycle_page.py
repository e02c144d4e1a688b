"""The page about the life of an agent lists the steps that the types allow, and no others."""

import inspect
import re
from pathlib import Path
from types import UnionType
from typing import Final, get_args, get_type_hints

from caxton_core.agent import lifecycle
from tests.acceptance.criteria import criterion

PAGE: Final = Path(__file__).parents[2] / "docs" / "explanation" / "lifecycle.md"
ROW: Final = re.compile(r"^\| `(\w+)` \| ([\w, ]+) \| (\w+) \|$", re.MULTILINE)


def states(agent: object) -> frozenset[str]:
    """The names of the states in `Agent[A | B]`."""
    (state,) = get_args(agent)
    kinds = get_args(state) if isinstance(state, UnionType) else (state,)
    return frozenset(kind.__name__ for kind in kinds)


@criterion("STORY-046.D3")
def test_the_page_lists_every_step_with_the_states_it_may_leave_and_the_one_it_enters() -> None:
    steps = {
        name: (states(hints["agent"]), states(hints["return"]))
        for name, step in inspect.getmembers(lifecycle, inspect.isfunction)
        if step.__module__ == lifecycle.__name__ and name != "recovered"
        for hints in (get_type_hints(step),)
    }
    written = {
        name: (frozenset(leaves.split(", ")), frozenset({enters}))
        for name, leaves, enters in ROW.findall(PAGE.read_text("utf-8"))
    }
    assert written == steps
