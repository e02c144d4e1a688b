"""Reading agent files: a typical one, and one in which nearly every line is wrong."""

from collections.abc import Iterator
from functools import partial

import tomli
from returns.result import Failure, Success

from caxton_core.agent.toml import read_agent
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure, in_turns
from tests.benchmarks.repeating import seconds_per_call

TYPICAL = '''\
name = "data-analyst"
version = "1.2.0"
description = "Answers questions about tables."
capabilities = ["data-analysis", "statistics", "reporting"]
tools = ["files.read", "database.*"]
llm_provider = "openai"
user_prompt_template = "Answer in {{language}}: {{request}}"
system_prompt = """
You analyse tables for people who have little time.

Look at the columns first. Say what the data cannot tell. Give the figure before the explanation,
and the explanation in at most three sentences. When a question is unclear, ask one question back.
"""

[llm]
model = "gpt-4o-mini"
temperature = 0.2
max_tokens = 800
timeout = "45s"
fallback = [{ provider = "ollama", model = "llama3.2" }]

[memory]
enabled = true
recall_limit = 8
retention = "90d"

[conversation]
max_turns = 30
idle_timeout = "12h"
context_window = 8000

[permissions]
allow = ["files.read", "database.query"]
ask = ["database.write"]

[resources]
max_memory = "256MB"
max_concurrent_turns = 4
turn_timeout = "90s"

[budget]
tokens_per_day = 200000

[parameters]
language = "English"

[metadata]
author = "The data team"
license = "Apache-2.0"
'''

_WRONG = (
    'versions = "1.2.0"',
    "description = 17",
    'capabilities = [1, "UPPER and spaces"]',
    'llm_provider = ""',
    "[llm]",
    'temperatures = "hot"',
    "temperature = 9.5",
    "top_p = 7",
    "max_tokens = -5",
    "presence_penalty = 3",
    "[memory]",
    "enabledd = true",
    'enabled = "no"',
    'retention = "ninety days"',
    "[conversation]",
    'strategy = "forgetting"',
    "max_turns = 0",
    'idle_timeout = "soon"',
    "[resources]",
    'max_memory = "much"',
    'isolation = "container"',
    "tool_timeout = 30",
    "mailbox = -1",
    "[budget]",
    'cost_per_day = "free"',
    "[routing]",
    "priority = 4000",
    'weight = "heavy"',
)
_PROBLEMS = 50
BROKEN = "\n".join(
    (
        'name = "Data Analyst"',
        *(f"unheard_of_{number} = {number}" for number in range(_PROBLEMS - 25)),
        *_WRONG,
    )
)


def measure(effort: Effort) -> Iterator[Figure]:
    """Text to configuration, and text to all its problems."""
    _check()
    calls = max(5, effort.calls // 4)
    syntax, typical, broken = in_turns(
        effort.blocks * 3,
        partial(seconds_per_call, partial(tomli.loads, TYPICAL), calls),
        partial(seconds_per_call, partial(read_agent, TYPICAL), calls),
        partial(seconds_per_call, partial(read_agent, BROKEN), calls),
    )
    lines = TYPICAL.count("\n")
    yield Figure(
        f"parse and validate a typical agent file ({lines} lines)",
        typical.middle * 1e3,
        "ms",
        Baseline(syntax.middle * 1e3, "tomli alone"),
        AtMost(10),
        AtMost(1),
    )
    yield Figure(
        f"find all {_problems(BROKEN)} problems of a broken one",
        broken.middle * 1e3,
        "ms",
        Baseline(typical.middle * 1e3, "the typical file"),
        AtMost(10),
    )


def _check() -> None:
    """The yardsticks are what their names say."""
    assert isinstance(read_agent(TYPICAL), Success), read_agent(TYPICAL)
    assert _problems(BROKEN) >= _PROBLEMS, read_agent(BROKEN)


def _problems(text: str) -> int:
    report = read_agent(text)
    assert isinstance(report, Failure)
    return len(report.failure().errors)
