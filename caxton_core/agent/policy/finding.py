"""What a rule finds, and the problem that it becomes at the level of the policy."""

from collections.abc import Mapping
from typing import final

from attrs import frozen

from caxton_core.agent.policy.levels import Level
from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.problems import Path, Problem, Stated
from caxton_core.reading.wording import one_line


@final
@frozen
class Found:
    """Something at a path of the agent file: the facts that the sentences of its code name.

    `written` are the very words in the value.
    """

    at: Path
    facts: Mapping[str, str]
    written: str | None = None
    suggestion: str | None = None


def found(
    *at: str | int, written: str | None = None, suggestion: str | None = None, **facts: object
) -> Found:
    """Make a finding of the path and the facts."""
    return Found(at, {name: str(fact) for name, fact in facts.items()}, written, suggestion)


def problem(code: str, level: Level, finding: Found) -> Problem | None:
    """The finding as a problem; None where the rule is not applied."""
    severity = level.severity
    if severity is None:
        return None
    explained = EXPLANATIONS[code]
    facts = {name: one_line(fact) for name, fact in finding.facts.items()}
    advice = explained.advice.format_map(facts)
    if finding.suggestion is not None:
        advice = f"{advice} Did you mean `{one_line(finding.suggestion)}`?"
    what = Stated(
        code,
        explained.message.format_map(facts),
        advice,
        finding.suggestion,
        severity,
        finding.written,
    )
    return Problem(finding.at, what)
