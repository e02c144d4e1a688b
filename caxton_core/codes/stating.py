"""Broken rules outside the agent file, in the words of the table of codes."""

from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.problems import Stated


def stated(code: str, suggestion: str | None = None, **facts: object) -> Stated:
    """The problem with its facts in their places."""
    explained = EXPLANATIONS[code]
    message = explained.message.format_map(facts)
    return Stated(code, message, explained.advice.format_map(facts), suggestion)
