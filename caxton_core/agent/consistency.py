"""Rules across the fields of an agent file: errors, and warnings that travel beside the value."""

from collections.abc import Iterable, Iterator
from typing import Final

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.rules.amounts import AMOUNTS
from caxton_core.agent.rules.prompts import PROMPTS
from caxton_core.agent.rules.rule import Rule
from caxton_core.agent.rules.tools import TOOLS
from caxton_core.problems import Path, Problem

RULES: Final[tuple[Rule, ...]] = (*AMOUNTS, *PROMPTS, *TOOLS)


def inconsistencies(config: AgentConfig, unread: Iterable[Path] = ()) -> Iterator[Problem]:
    """Tell what does not fit together.

    `unread` are fields of the file that could not be read and have their default value instead:
    rules that read them are left out.
    """
    paths = tuple(unread)
    for rule in RULES:
        if not rule.concerns(paths):
            yield from rule.check(config)
