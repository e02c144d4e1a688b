"""Every route of the API with its description.

The hot routes stand here too, with the same handlers as in the front: the description is whole, and
the application answers everything by itself.
"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final, final

from anyio import to_thread
from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, Parameter

from caxton_adapters.rest import problem, wire
from caxton_adapters.rest.approval_routes import ApprovalsController
from caxton_adapters.rest.archive_routes import ConversationsController, StoredMessagesController
from caxton_adapters.rest.exchange import Answer, json_answer, refusal
from caxton_adapters.rest.memory_routes import MemoryController
from caxton_adapters.rest.paging import DEFAULT_LIMIT, HIGHEST_LIMIT
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.served import Here, Question, Served, served
from caxton_adapters.rest.token_routes import TokensController
from caxton_adapters.rest.tool_routes import ToolsController, ToolServersController
from caxton_adapters.rest.validation import validated
from caxton_core.agent.catalogue import agent_schema
from caxton_core.codes.catalogue import explain

Ref = Annotated[str, Parameter(description="The agent's name or id.")]
Limit = Annotated[int, Parameter(ge=1, le=HIGHEST_LIMIT, description="How many at most.")]
Cursor = Annotated[
    str | None, Parameter(pattern="^[0-9a-f]*$", description="`next` of the page before.")
]
Force = Annotated[bool, Parameter(description="Cut off the messages that are at work.")]

_MARKDOWN: Final = b"text/markdown; charset=utf-8"


@final
class AgentsController(Controller):
    """Agents and their lives."""

    tags: Sequence[str] | None = ("agents",)

    @get("/agents", operation_id="listAgents")
    async def list_agents(
        self,
        resources: Here,
        asked: Question,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[wire.AgentPage]:
        """List the deployed agents, the oldest first."""
        return Served(json_answer(resources.agents.page(limit, cursor)), asked)

    @post("/agents", operation_id="deployAgent")
    async def deploy_agent(self, resources: Here, asked: Question) -> Response[wire.AgentDetails]:
        """Deploy an agent from its file, and start it."""
        return Served(await resources.agents.deploy(asked), asked)

    @get("/agents/{ref:str}", operation_id="showAgent")
    async def show_agent(
        self, resources: Here, asked: Question, ref: FromPath[Ref]
    ) -> Response[wire.AgentDetails]:
        """Show an agent: state, file, resources."""
        return Served(resources.agents.show(asked, ref), asked)

    @put("/agents/{ref:str}", operation_id="replaceAgent")
    async def replace_agent(
        self, resources: Here, asked: Question, ref: FromPath[Ref]
    ) -> Response[wire.AgentDetails]:
        """Replace an agent's file; it keeps its name, id and conversations."""
        return Served(await resources.agents.replace(asked, ref), asked)

    @delete("/agents/{ref:str}", operation_id="deleteAgent")
    async def delete_agent(
        self,
        resources: Here,
        asked: Question,
        ref: FromPath[Ref],
        force: FromQuery[Force] = False,  # noqa: FBT002 - a query parameter
    ) -> Response[None]:
        """Remove an agent; refused while messages are at work, unless by force."""
        return Served(await resources.agents.delete(asked, ref, force=force), asked)

    @post("/agents/{ref:str}/start", operation_id="startAgent", status_code=200)
    async def start_agent(
        self, resources: Here, asked: Question, ref: FromPath[Ref]
    ) -> Response[wire.AgentDetails]:
        """Have an agent take messages."""
        agents = resources.agents
        return Served(await agents.change(asked, ref, agents.runtime.start), asked)

    @post("/agents/{ref:str}/stop", operation_id="stopAgent", status_code=200)
    async def stop_agent(
        self,
        resources: Here,
        asked: Question,
        ref: FromPath[Ref],
        force: FromQuery[Force] = False,  # noqa: FBT002 - a query parameter
    ) -> Response[wire.AgentDetails]:
        """Have an agent take no more messages, once it has answered those that it was given."""
        stop = partial(resources.agents.runtime.stop, force=force)
        return Served(await resources.agents.change(asked, ref, stop), asked)

    @post("/agents/{ref:str}/restart", operation_id="restartAgent", status_code=200)
    async def restart_agent(
        self,
        resources: Here,
        asked: Question,
        ref: FromPath[Ref],
        force: FromQuery[Force] = False,  # noqa: FBT002 - a query parameter
    ) -> Response[wire.AgentDetails]:
        """Have an agent go on in another process; turns that run end in the old one."""
        restart = partial(resources.agents.runtime.restart, force=force)
        return Served(await resources.agents.change(asked, ref, restart), asked)


@final
class MessagesController(Controller):
    """Messages to agents."""

    tags: Sequence[str] | None = ("messages",)

    @post("/agents/{ref:str}/message", operation_id="sendMessage", status_code=200)
    async def send_message(
        self, resources: Here, asked: Question, ref: FromPath[Ref]
    ) -> Response[wire.MessageAnswer]:
        """Send an agent a message and wait for the answer.

        `Accept: text/event-stream` streams it: an event `accepted`, then `delta` for each piece, at
        last `message` with the whole answer or `error` with the problem; `Prefer: whole` leaves
        the pieces out. `Prefer: respond-async` answers at once with 202.
        """
        return Served(await resources.messages.send(asked, ref), asked)

    @post(
        "/capabilities/{name:str}/message",
        operation_id="sendMessageByCapability",
        status_code=200,
    )
    async def send_by_capability(
        self, resources: Here, asked: Question, name: FromPath[str]
    ) -> Response[wire.MessageAnswer]:
        """Send a message to the best agent that offers a capability; otherwise as `sendMessage`."""
        return Served(await resources.messages.send_by_capability(asked, name), asked)

    @get("/messages/{message:str}", operation_id="showMessage")
    async def show_message(
        self, resources: Here, asked: Question, message: FromPath[str]
    ) -> Response[wire.MessageState]:
        """Show what became of a message; messages are forgotten some time after they ended."""
        return Served(await resources.messages.show(asked, message), asked)

    @delete("/messages/{message:str}", operation_id="cancelMessage", status_code=200)
    async def cancel_message(
        self, resources: Here, asked: Question, message: FromPath[str]
    ) -> Response[wire.MessageState]:
        """Cancel a message; one that has ended stays as it is."""
        return Served(await resources.messages.cancel(asked, message), asked)


@final
class CapabilitiesController(Controller):
    """What agents can be asked for."""

    tags: Sequence[str] | None = ("capabilities",)

    @get("/capabilities", operation_id="listCapabilities")
    async def list_capabilities(
        self,
        resources: Here,
        asked: Question,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[wire.CapabilityPage]:
        """List the capabilities that running agents offer."""
        return Served(json_answer(resources.capabilities.page(limit, cursor)), asked)

    @get("/capabilities/{name:str}", operation_id="showCapability")
    async def show_capability(
        self, resources: Here, asked: Question, name: FromPath[str]
    ) -> Response[wire.CapabilityBody]:
        """Show who offers a capability."""
        return served(asked, resources.capabilities.show(name))


@final
class AgentFilesController(Controller):
    """Agent files before they are deployed."""

    tags: Sequence[str] | None = ("agent files",)

    @post("/validate", operation_id="validateAgentFile", status_code=200)
    async def validate(self, resources: Here, asked: Question) -> Response[wire.Validation]:
        """Hold an agent file against all rules and the policy; nothing is deployed."""
        # A hostile file takes some tenths of a second, in which others are to be answered.
        policing = resources.agents.runtime.policing
        return served(asked, await to_thread.run_sync(validated, asked, policing))

    @get("/schema/agent", operation_id="agentFileSchema")
    async def show_schema(self, asked: Question) -> Response[dict[str, Any]]:
        """The JSON Schema of an agent file, for editors."""
        return Served(json_answer(agent_schema()), asked)


@final
class PolicyController(Controller):
    """What this installation permits its agents."""

    tags: Sequence[str] | None = ("policy",)

    @get("/policy", operation_id="showPolicy")
    async def show_policy(self, resources: Here, asked: Question) -> Response[wire.PolicyBody]:
        """Show the policy that is in force, and where each of its values was written."""
        return served(asked, resources.policies.show())

    @post("/policy/reload", operation_id="reloadPolicy", status_code=200)
    async def reload_policy(
        self, resources: Here, asked: Question
    ) -> Response[wire.PolicyReloaded]:
        """Read the policy's file again; where it has problems the policy before stays in force."""
        return served(asked, await resources.policies.reload(asked.about, asked.changed))


@final
class ProvidersController(Controller):
    """Where answers come from."""

    tags: Sequence[str] | None = ("providers",)

    @get("/providers", operation_id="listProviders")
    async def list_providers(self, resources: Here, asked: Question) -> Response[wire.ProviderPage]:
        """List the configured providers: what they can do and whether they answer."""
        page = await resources.providers.page(asked.context.request_id)
        return Served(json_answer(page), asked)

    @get("/providers/{name:str}", operation_id="showProvider")
    async def show_provider(
        self, resources: Here, asked: Question, name: FromPath[str]
    ) -> Response[wire.ProviderBody]:
        """Show one provider."""
        return served(asked, await resources.providers.show(name, asked.context.request_id))


@final
class EventsController(Controller):
    """What happens."""

    tags: Sequence[str] | None = ("events",)

    @get("/events", operation_id="listenToEvents", media_type="text/event-stream")
    async def listen(self, resources: Here, asked: Question) -> Response[str]:
        """Hear what happens, as server-sent events.

        `Last-Event-ID` goes on after that event; where what came next is forgotten, or the server
        was started anew, `missed` comes first and says which event is the first that follows.
        A client that reads too slowly is sent `dropped`; a server that stops sends `shutdown`.
        """
        return Served(resources.events.listen(asked), asked)


@final
class HealthController(Controller):
    """How the server does."""

    tags: Sequence[str] | None = ("health",)

    @get("/health", operation_id="health")
    async def health(self, resources: Here, asked: Question) -> Response[wire.Health]:
        """How the server does and why; without the token only in a word.

        503 where new work is not taken. `?verbose` tells of every agent.
        """
        return Served(await resources.health.whole(asked, ""), asked)

    @get("/health/live", operation_id="healthLive")
    async def health_live(self, resources: Here, asked: Question) -> Response[wire.Health]:
        """Whether the server's loop runs: for a liveness probe."""
        return Served(await resources.health.live(asked, ""), asked)

    @get("/health/ready", operation_id="healthReady")
    async def health_ready(self, resources: Here, asked: Question) -> Response[wire.Health]:
        """Whether new work is taken: for a readiness probe.

        503 while the server starts or stops, and where it cannot store what it accepts; a provider
        that is down leaves it ready, as `degraded`.
        """
        return Served(await resources.health.ready(asked, ""), asked)

    @get("/health/startup", operation_id="healthStartup")
    async def health_startup(self, resources: Here, asked: Question) -> Response[wire.Health]:
        """Whether the start is over, with all that an earlier run left: for a startup probe."""
        return Served(await resources.health.startup(asked, ""), asked)


@final
class ProblemsController(Controller):
    """What the codes of problems mean."""

    tags: Sequence[str] | None = ("problems",)

    @get(
        "/problems/{code:str}",
        operation_id="explainProblem",
        media_type="text/markdown",
    )
    async def explain_problem(self, asked: Question, code: FromPath[str]) -> Response[str]:
        """Explain the code of a problem, in Markdown."""
        text = explain(code)
        if text is None:
            unknown = Refused(404, problem.UNKNOWN_PATH, "No problem has this code.")
            return Served(refusal(unknown, asked.context), asked)
        return Served(Answer(200, text.encode("utf-8"), content_type=_MARKDOWN), asked)


CONTROLLERS: Final = (
    AgentsController,
    MessagesController,
    StoredMessagesController,
    ConversationsController,
    CapabilitiesController,
    AgentFilesController,
    PolicyController,
    ProvidersController,
    MemoryController,
    ApprovalsController,
    ToolsController,
    ToolServersController,
    EventsController,
    HealthController,
    ProblemsController,
    TokensController,
)
