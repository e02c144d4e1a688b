"""Agents that call a tool in every turn: what the tool did is there once, whatever happens."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.model_server import Asked
from tests.proofs import confirming
from tests.proofs.asking import Asking
from tests.proofs.installation import AgentFile, Installation
from tests.proofs.record import Turn

NOT_FOUND = 404
_NOTES = re.compile(r"\[Notes from memory.*?\[End\]\s*", re.DOTALL)
_PROBES = (
    [("user", "Hello! How are you?")],
    [("user", "Call the tool with the word yes.")],
)
AGENT = AgentFile(
    "remembering", top='tools = ["memory.remember"]', permissions='allow = ["memory.remember"]'
)

AGENTS = frozenset({AGENT.name, confirming.AGENT.name})


def said_to(turn: Turn) -> str:
    """The text of a message; the model calls the tool that it names."""
    if turn.agent not in AGENTS:
        return turn.text
    return f'{turn.text}: call memory__remember {{"text": "{turn.text}"}}'


def as_sent(calls: Iterable[Asked]) -> Iterator[Asked]:
    """What the model was asked, without the server's own probes and the notes that it adds."""
    for call in calls:
        prompt = [(role, _NOTES.sub("", text)) for role, text in call.prompt]
        if prompt not in _PROBES:
            yield Asked(call.at, prompt)


async def entries(here: Installation) -> list[str]:
    """The texts that the agents have stored."""
    return [text for agent in sorted(AGENTS) for text in await _of_agent(here, agent)]


async def _of_agent(here: Installation, agent: str) -> list[str]:
    asking, found = Asking(here), list[str]()
    path: str | None = f"/memory?agent={agent}&limit=200"
    while path:
        reply = await asking.get(path)
        if reply.status == NOT_FOUND:  # it is not part of this proof
            break
        page = reply.json()
        found += [entry["text"] for entry in page["entries"]]
        following = page["next"]
        path = following and f"/memory?agent={agent}&limit=200&cursor={following}"
    return found


def not_once(turns: Iterable[Turn], stored: Iterable[str]) -> Iterator[str]:
    """The answered turns whose entry is not there exactly once."""
    counted = Counter(stored)
    for turn in turns:
        if turn.agent in AGENTS and turn.state == "answered":
            marked = turn.text.partition(":")[0]
            if counted[marked] != 1:
                yield f"{marked} was remembered {counted[marked]} times"
