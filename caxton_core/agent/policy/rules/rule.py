"""What a rule of a policy is: a code, its level in the policy, and what it finds in an agent."""

from collections.abc import Callable, Iterator
from typing import final

from attrs import field, frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.policy.characters import plainly
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.finding import Found
from caxton_core.agent.policy.levels import Level
from caxton_core.agent.policy.phrases import sentences
from caxton_core.agent.policy.tables import Policy
from caxton_core.agent.rules.texts import texts_in
from caxton_core.problems import Path
from caxton_core.reading.written import table_of

_PROMPTS = frozenset({"system_prompt", "user_prompt_template", "description", "parameters"})
LONGEST_TEXT = 64 * 1024
"""The most characters of a text that is looked at: more than an agent file can hold."""


@final
@frozen
class Case:
    """An agent before a policy, with all its texts."""

    config: AgentConfig
    policy: Policy
    facts: Facts
    texts: tuple[tuple[Path, str], ...] = field(init=False)
    spoken: tuple[tuple[Path, str, tuple[str, ...]], ...] = field(init=False)
    """The texts that a model reads, with their sentences in plain letters."""

    @texts.default
    def _every_text(self) -> tuple[tuple[Path, str], ...]:
        written = texts_in(table_of(self.config))
        return tuple((at, text[:LONGEST_TEXT]) for at, text in written)

    @spoken.default
    def _every_sentence(self) -> tuple[tuple[Path, str, tuple[str, ...]], ...]:
        return tuple((at, text, tuple(sentences(plainly(text)))) for at, text in self.prompts)

    @property
    def prompts(self) -> Iterator[tuple[Path, str]]:
        """The texts that a model reads, or may be shown."""
        return ((at, text) for at, text in self.texts if at[0] in _PROMPTS)


@final
@frozen
class Rule:
    """A rule: `level` takes its level from the policy, `check` finds."""

    code: str
    level: Callable[[Policy], Level]
    check: Callable[[Case], Iterator[Found]]
