"""Agents: listed, deployed, shown, replaced, removed, started and stopped."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, final

import msgspec
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.rest import problem
from caxton_adapters.rest.body import read_json
from caxton_adapters.rest.changes import hash_of
from caxton_adapters.rest.exchange import Answer, Asked, json_answer, refusal
from caxton_adapters.rest.paging import page_of
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.refusals import of_runtime
from caxton_adapters.rest.telling import agent_details, agent_summary
from caxton_adapters.rest.wire import AgentDetails, AgentPage, DeployRequest
from caxton_adapters.runtime.refusals import Refusal
from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.views import AgentView
from caxton_core.primitives import AgentId

Change: TypeAlias = Callable[[str], Awaitable[Result[AgentView, Refusal]]]

_DECODER: Final = msgspec.json.Decoder(DeployRequest)
_UNTYPED: Final = frozenset(
    {
        b"",
        b"application/toml",
        b"text/toml",
        b"text/x-toml",
        b"text/plain",
        b"application/octet-stream",
        b"application/x-www-form-urlencoded",  # what curl says where it is told nothing
    }
)


@final
@frozen
class Agents:
    """The resource `/agents`."""

    runtime: Runtime
    cpu_share: Callable[[AgentId], float | None] = lambda _: None

    def page(self, limit: int, cursor: str | None) -> AgentPage:
        """Some agents, the oldest first."""
        page = page_of(self.runtime.agents(), _position, limit, cursor)
        return AgentPage(tuple(map(agent_summary, page.items)), page.next)

    async def deploy(self, asked: Asked) -> Answer:
        """A new agent from its file."""
        text = agent_file(asked)
        if isinstance(text, Failure):
            return refusal(text.failure(), asked.context)
        deployed = await self.runtime.deploy(text.unwrap())
        if isinstance(deployed, Failure):
            return refusal(of_runtime(deployed.failure()), asked.context)
        agent = deployed.unwrap()
        asked.changed(None, hash_of(agent.text))
        location = (b"location", b"/agents/" + agent.id.value.encode("ascii"))
        return json_answer(self._details(agent), 201, (location,))

    async def replace(self, asked: Asked, ref: str) -> Answer:
        """Another file for the same agent."""
        text = agent_file(asked)
        if isinstance(text, Failure):
            return refusal(text.failure(), asked.context)
        replaced = await self.runtime.replace(ref, text.unwrap())
        if isinstance(replaced, Success):
            agent = replaced.unwrap()
            before = None if agent.replaced is None else hash_of(agent.replaced)
            asked.changed(before, hash_of(agent.text))
        return self._shown(asked, replaced)

    def show(self, asked: Asked, ref: str) -> Answer:
        """One agent."""
        return self._shown(asked, self.runtime.agent(ref))

    async def change(self, asked: Asked, ref: str, change: Change) -> Answer:
        """The agent after a step of its life."""
        return self._shown(asked, await change(ref))

    async def delete(self, asked: Asked, ref: str, *, force: bool) -> Answer:
        """Remove an agent."""
        deleted = await self.runtime.delete(ref, force=force)
        if isinstance(deleted, Failure):
            return refusal(of_runtime(deleted.failure()), asked.context)
        asked.changed(hash_of(deleted.unwrap()), None)
        return Answer(204)

    def _shown(self, asked: Asked, found: Result[AgentView, Refusal]) -> Answer:
        if isinstance(found, Failure):
            return refusal(of_runtime(found.failure()), asked.context)
        return json_answer(self._details(found.unwrap()))

    def _details(self, agent: AgentView) -> AgentDetails:
        return agent_details(agent, self.cpu_share(agent.id))


def agent_file(asked: Asked) -> Result[str, Refused]:
    """The TOML text that was sent, as it is or in a JSON object."""
    media_type = asked.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    # A TOML file never begins with a brace, so a body without a telling type tells itself.
    if media_type == b"application/json" or (
        media_type in _UNTYPED and asked.body.lstrip()[:1] == b"{"
    ):
        return read_json(_DECODER, asked.body).map(lambda request: request.config)
    if media_type not in _UNTYPED:
        detail = 'Send the agent file as application/toml, or in JSON as {"config": "..."}.'
        accept = (b"accept", b"application/toml, application/json")
        return Failure(Refused(415, problem.UNSUPPORTED_MEDIA_TYPE, detail, headers=(accept,)))
    try:
        return Success(asked.body.decode("utf-8"))
    except UnicodeDecodeError as error:
        detail = f"The agent file is not UTF-8: byte {error.start} does not fit."
        return Failure(Refused(400, problem.MALFORMED_BODY, detail))


def _position(agent: AgentView) -> str:
    return f"{agent.created.timestamp():.6f}/{agent.id}"
