"""Agents of a running server, offered as tools to another program (`caxton mcp serve`).

Loading this loads the protocol's library; the command does it when it runs.
"""

from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeAlias, final
from uuid import uuid4

import anyio
from anyio import to_thread
from anyio.abc import ObjectReceiveStream, ObjectSendStream, TaskGroup
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    ErrorData,
    InputRequiredResult,
    JSONRPCError,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)
from pydantic import ValidationError

from caxton_cli.client import Caller, segment
from caxton_cli.leaving import Leave
from caxton_cli.pages import listed
from caxton_cli.question import Question, question_of
from caxton_cli.turn import Turn
from caxton_cli.version import VERSION

PREFIX: Final = "ask_"
CONSENT: Final = "consent"
MOST_AGENTS: Final = 500
MOST_QUESTIONS: Final = 16
"""Each open one holds a thread; of more than these the oldest is given up."""
_ARGUMENTS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "message": {"type": "string", "description": "What is said to the agent."},
        "begin_anew": {
            "type": "boolean",
            "description": "Forget what was said in this session before.",
        },
    },
    "required": ["message"],
}
_Context: TypeAlias = ServerRequestContext[Any]
_Approval: TypeAlias = Mapping[str, object]
_News: TypeAlias = "CallToolResult | _Approval"


async def serve(caller: Caller, only: tuple[str, ...]) -> None:
    """Answer over standard input and output until the input ends."""
    async with anyio.create_task_group() as tasks:
        agents = AgentTools(caller, only, tasks)
        server = Server(
            "caxton",
            version=VERSION,
            instructions="Each tool asks one agent, which remembers this session.",
            on_list_tools=agents.list_tools,
            on_call_tool=agents.call_tool,
        )
        async with stdio_server() as (read, write):
            taken, messages = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            tasks.start_soon(_take_messages, read, taken, write.send)
            await server.run(messages, write, server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def _take_messages(
    read: AsyncIterable[SessionMessage | Exception],
    taken: ObjectSendStream[SessionMessage | Exception],
    answer: Callable[[SessionMessage], Awaitable[None]],
) -> None:
    """Hand on what comes in; a line that is no message is answered here, for the library is mute.

    Whoever wrote it would wait for ever.
    """
    async with taken:
        async for item in read:
            if not isinstance(item, Exception):
                await taken.send(item)
            elif not _is_blank(item):
                await answer(SessionMessage(_no_message(item)))


@final
class AgentTools:
    """The agents as tools; each has one conversation, which lasts as long as the session."""

    def __init__(self, caller: Caller, only: tuple[str, ...], tasks: TaskGroup) -> None:
        self._caller = caller
        self._only = only
        self._tasks = tasks
        self._conversations: dict[str, str] = {}
        self._asking: dict[str, _Asked] = {}

    async def list_tools(self, _: _Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        """Every agent that takes messages."""
        return ListToolsResult(tools=[_tool(each) for each in await self._agents()])

    async def _agents(self) -> list[Mapping[str, object]]:
        read = partial(listed, self._caller, "/agents", "agents", {}, MOST_AGENTS)
        found = await to_thread.run_sync(lambda: list(read()))
        return [
            each
            for each in found
            if each.get("state") == "running" and (not self._only or each["name"] in self._only)
        ]

    async def call_tool(
        self, context: _Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Have the agent answer; a call of its own that needs a person is put to the client's."""
        asked = await self._known(params)
        if isinstance(asked, CallToolResult):
            return asked
        try:
            return await self._followed(context, asked)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(asked.turn.cancel)
            raise

    async def _known(self, params: CallToolRequestParams) -> "_Asked | CallToolResult":
        """A new message, or the one about which the client's person was asked."""
        if params.request_state is None and not params.input_responses:
            return await self._begun(params)
        asked = self._asking.get(params.request_state or "")
        if asked is None or params.name != f"{PREFIX}{asked.agent}":
            return _failed("that question is not open: nothing was said to the agent again")
        del self._asking[params.request_state or ""]
        await self._decided(asked, (params.input_responses or {}).get(CONSENT))
        return asked

    async def _begun(self, params: CallToolRequestParams) -> "_Asked | CallToolResult":
        agent = params.name.removeprefix(PREFIX)
        arguments = params.arguments or {}
        text = arguments.get("message")
        if not isinstance(text, str) or not text.strip():
            return _failed("`message` is what is said to the agent: it is a text, and not empty")
        if self._only and agent not in self._only:
            return _failed(f"there is no tool named {params.name}")
        if arguments.get("begin_anew"):
            self._conversations.pop(agent, None)
        asked = _Asked(self._caller, agent, text, self._conversations.get(agent))
        self._tasks.start_soon(asked.run)
        return asked

    async def _followed(
        self, context: _Context, asked: "_Asked"
    ) -> CallToolResult | InputRequiredResult:
        """What the agent answers, or what the client's person is to be asked first."""
        async for news in asked.news:
            if isinstance(news, CallToolResult):
                if asked.turn.conversation is not None:
                    self._conversations[asked.agent] = asked.turn.conversation
                return news
            if not _can_ask(context):
                continue
            question = question_of(news)
            asked.approval, asked.question = news, question
            if not context.session.can_send_request:
                return self._put(asked, question)
            reply = await context.session.elicit_form(
                question.text, question.schema, context.request_id
            )
            await self._decided(asked, reply)
        return _failed("the agent's answer was lost")

    def _put(self, asked: "_Asked", question: Question) -> InputRequiredResult:
        """Have the client ask, and know the message again when it comes back with an answer."""
        if len(self._asking) >= MOST_QUESTIONS:
            given_up = self._asking.pop(next(iter(self._asking)))
            self._tasks.start_soon(to_thread.run_sync, given_up.give_up)
        state = uuid4().hex
        self._asking[state] = asked
        form = ElicitRequestFormParams(message=question.text, requested_schema=question.schema)
        request = ElicitRequest(params=form)
        return InputRequiredResult(input_requests={CONSENT: request}, request_state=state)

    async def _decided(self, asked: "_Asked", reply: object) -> None:
        """Hand on what the person said; who closes the question leaves it to others."""
        if asked.approval is None or asked.question is None:
            return
        decision = _decision(reply, asked.question)
        if decision is None:
            return
        path = f"/approvals/{segment(str(asked.approval['id']))}"
        await to_thread.run_sync(partial(self._caller.ask, "POST", path, {"decision": decision}))


@final
class _Asked:
    """A message to an agent, and what is heard of it."""

    news: ObjectReceiveStream[_News]

    def __init__(self, caller: Caller, agent: str, text: str, conversation: str | None) -> None:
        self.agent = agent
        self.approval: _Approval | None = None
        self.question: Question | None = None
        self._tell: ObjectSendStream[_News]
        self._tell, self.news = anyio.create_memory_object_stream[_News](100)
        self.turn = Turn(caller, agent, text, conversation, decide=self._wanted)

    async def run(self) -> None:
        """Talk with the agent in a thread, and tell what comes of it."""
        async with self._tell:
            await self._tell.send(await to_thread.run_sync(self._answer, abandon_on_cancel=True))

    def give_up(self) -> None:
        """Tell the server, if it is there, that nobody waits any more."""
        with suppress(Leave):
            self.turn.cancel()

    def _answer(self) -> CallToolResult:
        try:
            for _ in self.turn.pieces():
                pass
        except Leave as failure:
            return _failed(failure.message)
        return CallToolResult(content=[_text(str(self.turn.answer.get("text", "")))])

    def _wanted(self, _: Caller, approval: _Approval) -> None:
        anyio.from_thread.run(self._tell.send, approval)


def _is_blank(why: Exception) -> bool:
    """Whether the line that could not be read has nothing in it."""
    if not isinstance(why, ValidationError):
        return False
    return not str(why.errors(include_url=False)[0]["input"]).strip()


def _no_message(why: Exception) -> JSONRPCError:
    known = why.errors(include_url=False) if isinstance(why, ValidationError) else []
    if any(each["type"] == "json_invalid" for each in known):
        error = ErrorData(code=PARSE_ERROR, message="Parse error: the line is no JSON")
    else:
        error = ErrorData(code=INVALID_REQUEST, message="Invalid request: no JSON-RPC message")
    return JSONRPCError(jsonrpc="2.0", id=None, error=error)


def _tool(agent: Mapping[str, object]) -> Tool:
    name = str(agent["name"])
    said = str(agent.get("description") or "") or f"Ask the agent {name}."
    return Tool(name=f"{PREFIX}{name}", description=said, input_schema=_ARGUMENTS)


def _can_ask(context: _Context) -> bool:
    wanted = ClientCapabilities(elicitation=ElicitationCapability())
    return context.session.check_client_capability(wanted)


def _decision(reply: object, question: Question) -> str | None:
    if not isinstance(reply, ElicitResult) or reply.action == "cancel":
        return None
    agreed = reply.action == "accept" and (reply.content or {}).get("decision") == "approve"
    return "approve" if agreed and question.whole else "deny"


def _failed(why: str) -> CallToolResult:
    return CallToolResult(content=[_text(why)], is_error=True)


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)
