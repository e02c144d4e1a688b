"""The table of all codes."""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from caxton_core.codes.agent_doubts import AGENT_DOUBTS
from caxton_core.codes.agent_rules import AGENT_RULES
from caxton_core.codes.explanation import Explanation
from caxton_core.codes.files import FILES
from caxton_core.codes.memories import MEMORIES
from caxton_core.codes.policy_files import POLICY_FILES
from caxton_core.codes.policy_rules import POLICY_RULES
from caxton_core.codes.providers import PROVIDERS
from caxton_core.codes.remote_tools import REMOTE_TOOLS
from caxton_core.codes.requests import REQUESTS
from caxton_core.codes.running import RUNNING
from caxton_core.codes.scenarios import SCENARIOS
from caxton_core.codes.server_start import SERVER_START
from caxton_core.codes.tool_servers import TOOL_SERVERS
from caxton_core.codes.tools import TOOLS

EXPLANATIONS: Final[Mapping[str, Explanation]] = MappingProxyType(
    {
        each.code: each
        for each in (
            *FILES,
            *AGENT_RULES,
            *AGENT_DOUBTS,
            *POLICY_RULES,
            *POLICY_FILES,
            *SERVER_START,
            *TOOL_SERVERS,
            *REMOTE_TOOLS,
            *REQUESTS,
            *RUNNING,
            *MEMORIES,
            *TOOLS,
            *PROVIDERS,
            *SCENARIOS,
        )
    }
)


def explain(code: str) -> str | None:
    """The Markdown that `caxton explain CODE` prints; None for a code that nobody gives."""
    explanation = EXPLANATIONS.get(code.strip().upper())
    return None if explanation is None else section(explanation)


def section(explanation: Explanation) -> str:
    """One code as a section of the reference."""
    examples = [
        f"{label}\n\n```text\n{text}\n```\n"
        for label, text in (("Wrong:", explanation.wrong), ("Right:", explanation.right))
        if text
    ]
    title = f"{explanation.title[0].upper()}{explanation.title[1:]}"
    parts = [
        f"## {explanation.code}\n",
        f"**{title}:** {_general(explanation.message)}",
        _general(explanation.why),
        _general(explanation.advice),
        *examples,
    ]
    return "\n".join(part for part in parts if part)


def _general(template: str) -> str:
    """A sentence without the facts of one occurrence."""
    facts: defaultdict[str, str] = defaultdict(lambda: "…")
    return template.format_map(facts) + "\n"
