"""Everything that is not hot, as a Litestar application, with the description of the whole API.

The hot routes stand here too: the description must be whole, and the application answers them with
the same handlers as the front does. This module is loaded after the server answers.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Any, Final, TypeVar, final

from attrs import frozen
from litestar import Litestar, Request, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, Parameter, SkipValidation
from litestar.types import ASGIApp, Receive, Scope, Send
from returns.result import Failure, Result

from caxton_adapters.rest import exchange, problem, wire
from caxton_adapters.rest.agents import Agents
from caxton_adapters.rest.capabilities import Capabilities
from caxton_adapters.rest.description import openapi_config
from caxton_adapters.rest.events import Events
from caxton_adapters.rest.exchange import Answer, Answered, Asked, json_answer, refusal
from caxton_adapters.rest.health import HealthChecks
from caxton_adapters.rest.messages import Messages
from caxton_adapters.rest.paging import DEFAULT_LIMIT, HIGHEST_LIMIT
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.providers import Providers
from caxton_adapters.rest.validation import validated
from caxton_core.agent.catalogue import agent_schema
from caxton_core.codes.catalogue import explain

T = TypeVar("T")

Ref = Annotated[str, Parameter(description="The agent's name or id.")]
Limit = Annotated[int, Parameter(ge=1, le=HIGHEST_LIMIT, description="How many at most.")]
Cursor = Annotated[str | None, Parameter(description="`next` of the page before.")]
Force = Annotated[bool, Parameter(description="Do not wait for messages at work.")]

_MARKDOWN: Final = b"text/markdown; charset=utf-8"
_BAD_PARAMETER: Final = (
    problem.INVALID_PARAMETER,
    "A parameter is not what it has to be; `errors` says which.",
)
_TITLES: Final = {
    404: (problem.UNKNOWN_PATH, "There is nothing at this path."),
    405: (problem.METHOD_NOT_ALLOWED, "This path does not take the method."),
}


@final
@frozen
class Resources:
    """What the handlers work on."""

    agents: Agents
    capabilities: Capabilities
    events: Events
    health: HealthChecks
    messages: Messages
    providers: Providers


@final
class Served(Response[T]):
    """An answer of ours as Litestar's; written as the front writes it."""

    def __init__(self, answered: Answered, asked: Asked) -> None:
        super().__init__(content=None)  # type: ignore[arg-type] # the answer is in `_answered`
        self._answered = answered
        self._asked = asked

    def to_asgi_response(  # type: ignore[override] # any ASGI application will do
        self, *_: object, **__: object
    ) -> ASGIApp:
        """The application that writes the answer."""

        async def write(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI
            await exchange.write_any(self._answered, self._asked.context, send)  # type: ignore[arg-type]

        return write


async def asked_of(request: Request[Any, Any, Any]) -> Asked:
    """The request as our handlers take it."""
    headers = dict(request.scope["headers"])
    context = exchange.current.get() or exchange.context_of(headers)
    body = await request.body()
    return Asked(request.method, request.scope["path"], headers, body, context)


def _served(asked: Asked, result: Result[Any, Refused]) -> Served[Any]:
    if isinstance(result, Failure):
        return Served(refusal(result.failure(), asked.context), asked)
    return Served(json_answer(result.unwrap()), asked)


Here = NamedDependency[SkipValidation[Resources]]
Question = NamedDependency[SkipValidation[Asked]]


@get("/agents", operation_id="listAgents", tags=["agents"])
async def list_agents(
    resources: Here,
    asked: Question,
    limit: FromQuery[Limit] = DEFAULT_LIMIT,
    cursor: FromQuery[Cursor] = None,
) -> Response[wire.AgentPage]:
    """List the deployed agents, the oldest first."""
    return _served(asked, resources.agents.page(limit, cursor))


@post("/agents", operation_id="deployAgent", tags=["agents"])
async def deploy_agent(resources: Here, asked: Question) -> Response[wire.AgentDetails]:
    """Deploy an agent from its file, and start it."""
    return Served(await resources.agents.deploy(asked), asked)


@get("/agents/{ref:str}", operation_id="showAgent", tags=["agents"])
async def show_agent(
    resources: Here, asked: Question, ref: FromPath[Ref]
) -> Response[wire.AgentDetails]:
    """Show an agent: state, file, resources."""
    return Served(resources.agents.show(asked, ref), asked)


@put("/agents/{ref:str}", operation_id="replaceAgent", tags=["agents"])
async def replace_agent(
    resources: Here, asked: Question, ref: FromPath[Ref]
) -> Response[wire.AgentDetails]:
    """Replace an agent's file; it keeps its name, id and conversations."""
    return Served(await resources.agents.replace(asked, ref), asked)


@delete("/agents/{ref:str}", operation_id="deleteAgent", tags=["agents"])
async def delete_agent(
    resources: Here,
    asked: Question,
    ref: FromPath[Ref],
    force: FromQuery[Force] = False,  # noqa: FBT002 - a query parameter
) -> Response[None]:
    """Remove an agent; refused while messages are at work, unless by force."""
    return Served(await resources.agents.delete(asked, ref, force=force), asked)


@post("/agents/{ref:str}/start", operation_id="startAgent", tags=["agents"], status_code=200)
async def start_agent(
    resources: Here, asked: Question, ref: FromPath[Ref]
) -> Response[wire.AgentDetails]:
    """Have an agent take messages."""
    agents = resources.agents
    return Served(await agents.change(asked, ref, agents.runtime.start), asked)


@post("/agents/{ref:str}/stop", operation_id="stopAgent", tags=["agents"], status_code=200)
async def stop_agent(
    resources: Here, asked: Question, ref: FromPath[Ref]
) -> Response[wire.AgentDetails]:
    """Have an agent take no more messages."""
    agents = resources.agents
    return Served(await agents.change(asked, ref, agents.runtime.stop), asked)


@post("/agents/{ref:str}/restart", operation_id="restartAgent", tags=["agents"], status_code=200)
async def restart_agent(
    resources: Here, asked: Question, ref: FromPath[Ref]
) -> Response[wire.AgentDetails]:
    """Stop and start an agent."""
    agents = resources.agents
    return Served(await agents.change(asked, ref, agents.runtime.restart), asked)


@post("/agents/{ref:str}/message", operation_id="sendMessage", tags=["messages"], status_code=200)
async def send_message(
    resources: Here, asked: Question, ref: FromPath[Ref]
) -> Response[wire.MessageAnswer]:
    """Send an agent a message and wait for the answer.

    `Accept: text/event-stream` streams it: an event `accepted`, then `delta` for each piece, at
    last `message` with the whole answer or `error` with the problem.
    `Prefer: respond-async` answers at once with 202.
    """
    return Served(await resources.messages.send(asked, ref), asked)


@post(
    "/capabilities/{name:str}/message",
    operation_id="sendMessageByCapability",
    tags=["messages"],
    status_code=200,
)
async def send_by_capability(
    resources: Here, asked: Question, name: FromPath[str]
) -> Response[wire.MessageAnswer]:
    """Send a message to the best agent that offers a capability; otherwise as `sendMessage`."""
    return Served(await resources.messages.send_by_capability(asked, name), asked)


@get("/messages/{id_:str}", operation_id="showMessage", tags=["messages"])
async def show_message(
    resources: Here, asked: Question, id_: FromPath[str]
) -> Response[wire.MessageState]:
    """Show what became of a message; messages are forgotten some time after they ended."""
    return Served(await resources.messages.show(asked, id_), asked)


@delete("/messages/{id_:str}", operation_id="cancelMessage", tags=["messages"], status_code=200)
async def cancel_message(
    resources: Here, asked: Question, id_: FromPath[str]
) -> Response[wire.MessageState]:
    """Cancel a message; one that has ended stays as it is."""
    return Served(await resources.messages.cancel(asked, id_), asked)


@get("/capabilities", operation_id="listCapabilities", tags=["capabilities"])
async def list_capabilities(
    resources: Here,
    asked: Question,
    limit: FromQuery[Limit] = DEFAULT_LIMIT,
    cursor: FromQuery[Cursor] = None,
) -> Response[wire.CapabilityPage]:
    """List the capabilities that running agents offer."""
    return _served(asked, resources.capabilities.page(limit, cursor))


@get("/capabilities/{name:str}", operation_id="showCapability", tags=["capabilities"])
async def show_capability(
    resources: Here, asked: Question, name: FromPath[str]
) -> Response[wire.CapabilityBody]:
    """Show who offers a capability."""
    return _served(asked, resources.capabilities.show(name))


@post("/validate", operation_id="validateAgentFile", tags=["agent files"], status_code=200)
async def validate(asked: Question) -> Response[wire.Validation]:
    """Hold an agent file against all rules; nothing is deployed."""
    return _served(asked, validated(asked))


@get("/schema/agent", operation_id="agentFileSchema", tags=["agent files"])
async def show_schema(asked: Question) -> Response[dict[str, Any]]:
    """The JSON Schema of an agent file, for editors."""
    return Served(json_answer(agent_schema()), asked)


@get("/providers", operation_id="listProviders", tags=["providers"])
async def list_providers(resources: Here, asked: Question) -> Response[wire.ProviderPage]:
    """List the configured providers: what they can do and whether they answer."""
    page = await resources.providers.page(asked.context.request_id)
    return Served(json_answer(page), asked)


@get("/providers/{name:str}", operation_id="showProvider", tags=["providers"])
async def show_provider(
    resources: Here, asked: Question, name: FromPath[str]
) -> Response[wire.ProviderBody]:
    """Show one provider."""
    return _served(asked, await resources.providers.show(name, asked.context.request_id))


@get("/events", operation_id="listenToEvents", tags=["events"], media_type="text/event-stream")
async def listen(resources: Here, asked: Question) -> Response[str]:
    """Hear what happens, as server-sent events.

    `Last-Event-ID` goes on after that event while it is remembered. A client that reads too slowly
    is sent `dropped`; a server that stops sends `shutdown`.
    """
    return Served(resources.events.listen(asked), asked)


@get("/health", operation_id="health", tags=["health"])
async def health(resources: Here, asked: Question) -> Response[wire.Health]:
    """How the server does; without the token only in a word."""
    return Served(await resources.health.whole(asked, ""), asked)


@get("/health/live", operation_id="healthLive", tags=["health"])
async def health_live(resources: Here, asked: Question) -> Response[wire.Health]:
    """Whether the server's loop runs: for a liveness probe."""
    return Served(await resources.health.live(asked, ""), asked)


@get("/health/ready", operation_id="healthReady", tags=["health"])
async def health_ready(resources: Here, asked: Question) -> Response[wire.Health]:
    """Whether new work is taken: for a readiness probe; 503 while the server stops."""
    return Served(await resources.health.ready(asked, ""), asked)


@get(
    "/problems/{code:str}",
    operation_id="explainProblem",
    tags=["problems"],
    media_type="text/markdown",
)
async def explain_problem(asked: Question, code: FromPath[str]) -> Response[str]:
    """Explain the code of a problem, in Markdown."""
    text = explain(code)
    if text is None:
        unknown = Refused(404, problem.UNKNOWN_PATH, "No problem has this code.")
        return Served(refusal(unknown, asked.context), asked)
    return Served(Answer(200, text.encode("utf-8"), content_type=_MARKDOWN), asked)


HANDLERS: Final[Sequence[HTTPRouteHandler]] = (
    list_agents,
    deploy_agent,
    show_agent,
    replace_agent,
    delete_agent,
    start_agent,
    stop_agent,
    restart_agent,
    send_message,
    send_by_capability,
    show_message,
    cancel_message,
    list_capabilities,
    show_capability,
    validate,
    show_schema,
    list_providers,
    show_provider,
    listen,
    health,
    health_live,
    health_ready,
    explain_problem,
)


def refuse(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Litestar's own refusals in the form of all others."""
    code, detail = _TITLES.get(error.status_code, _BAD_PARAMETER)
    extra = error.extra if isinstance(error.extra, list) else []
    items = tuple(
        problem.ErrorItem(
            code=code, message=str(item.get("message", detail)), at=str(item.get("key", ""))
        )
        for item in extra
        if isinstance(item, dict)
    )
    headers = tuple(
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in (error.headers or {}).items()
    )
    context = exchange.current.get() or exchange.context_of({})
    asked = Asked(request.method, request.scope["path"], {}, b"", context)
    refused = Refused(error.status_code, code, detail, items, headers)
    return Served(refusal(refused, context), asked)


def fail(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Let a defect reach the front, which answers it and has it logged."""
    raise error


def application(resources: Resources) -> Litestar:
    """The application; building it takes some tenths of a second."""
    return Litestar(
        route_handlers=HANDLERS,
        dependencies={
            "asked": Provide(asked_of),
            "resources": Provide(lambda: resources, sync_to_thread=False),
        },
        exception_handlers={HTTPException: refuse, Exception: fail},
        openapi_config=openapi_config(version("caxton")),
        logging_config=None,
    )
