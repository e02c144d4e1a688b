"""Our handlers in Litestar's words: what they work on, what they are asked, what they answer."""

from typing import Any, TypeVar, final

from attrs import frozen
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.types import ASGIApp, Receive, Scope, Send
from returns.result import Failure, Result

from caxton_adapters.rest import exchange
from caxton_adapters.rest.agents import Agents
from caxton_adapters.rest.approvals import Approvals
from caxton_adapters.rest.capabilities import Capabilities
from caxton_adapters.rest.conversations import Conversations
from caxton_adapters.rest.events import Events
from caxton_adapters.rest.exchange import ASKED, Answered, Asked, json_answer, refusal
from caxton_adapters.rest.health import HealthChecks
from caxton_adapters.rest.memory import Memories
from caxton_adapters.rest.messages import Messages
from caxton_adapters.rest.policies import Policies
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.providers import Providers
from caxton_adapters.rest.tokens import HeldTokens
from caxton_adapters.rest.tools import ToolResources

T = TypeVar("T")


@final
@frozen
class Resources:
    """What the handlers work on."""

    agents: Agents
    capabilities: Capabilities
    conversations: Conversations
    events: Events
    health: HealthChecks
    messages: Messages
    providers: Providers
    memory: Memories
    approvals: Approvals
    tools: ToolResources
    policies: Policies
    tokens: HeldTokens


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
    """The request as our handlers take it; the front has read it already."""
    asked = request.scope.get(ASKED)
    if isinstance(asked, Asked):
        return asked
    headers = dict(request.scope["headers"])
    context = exchange.current.get() or exchange.context_of(headers)
    body = await request.body()
    query = request.scope["query_string"]
    return Asked(request.method, request.scope["path"], headers, body, context, query=query)


def served(asked: Asked, result: Result[Any, Refused]) -> Served[Any]:
    """The value as the answer, or why there is none."""
    if isinstance(result, Failure):
        return Served(refusal(result.failure(), asked.context), asked)
    return Served(json_answer(result.unwrap()), asked)


Here = NamedDependency[SkipValidation[Resources]]
Question = NamedDependency[SkipValidation[Asked]]
