"""CX51xx: scenarios of the scripted provider."""

from typing import Final

from caxton_core.codes.explanation import Explanation

SCENARIOS: Final = (
    Explanation(
        "CX5101",
        "two ways to match",
        "a rule matches in one way: by `exact`, `contains` or `regex`",
        "With two of them it would not be clear whether one is enough or both are needed.",
        "Keep one of them, or write two rules.",
    ),
    Explanation(
        "CX5102",
        "a rule without a word",
        "a rule says nothing",
        "The first rule that fits a text is played, so an empty one would swallow the text.",
        "Give it an `answer`, `calls` or `fail`.",
    ),
    Explanation(
        "CX5103",
        "words after no tool",
        "`then` speaks after tools, and the rule has no `calls`",
        "Without a call there is no result that it could speak about.",
        "Write `answer`, or add `calls`.",
    ),
)
