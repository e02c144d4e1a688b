"""What every source of tools promises; subclass it and give a `subject` fixture."""

import pytest
from anyio import create_task_group, fail_after
from attrs import frozen

from caxton_core.ports import Tools
from caxton_core.primitives import AgentId, ConversationId, JsonObject, MessageId, ToolName
from caxton_core.tools.tool import Caller, ToolCall, ToolFailed, ToolResult, ToolSucceeded

PATIENCE = 30.0
NOWHERE = ToolName("nobody-has.this-tool")


def caller_of(call: ToolCall) -> Caller:
    """Somebody who makes the call."""
    agent = AgentId("00000000-0000-4000-8000-000000000001")
    return Caller(agent, ConversationId("conv_1"), MessageId("msg_1"), f"msg_1:1:{call.id}")


@frozen
class Subject:
    """Tools, and calls of them: some that succeed and some that fail, if there are any."""

    tools: Tools
    succeeding: tuple[ToolCall, ...] = ()
    failing: tuple[ToolCall, ...] = ()

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """Every call, and one of a tool that is not there."""
        return (*self.succeeding, *self.failing, self.stray)

    @property
    def stray(self) -> ToolCall:
        """A call of a tool that is not there."""
        return ToolCall("call_stray", NOWHERE, JsonObject.of({}))


class ToolsContract:
    """A test class for an implementation of the port."""

    @pytest.fixture
    def subject(self) -> Subject:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    def test_every_tool_is_offered_once(self, subject: Subject) -> None:
        names = [tool.name for tool in subject.tools.offered()]
        assert len(names) == len(set(names))

    def test_parameters_are_the_json_schema_of_an_object(self, subject: Subject) -> None:
        for tool in subject.tools.offered():
            assert tool.parameters.members().get("type", "object") == "object"

    def test_what_is_called_here_is_offered(self, subject: Subject) -> None:
        offered = {tool.name for tool in subject.tools.offered()}
        assert {call.name for call in (*subject.succeeding, *subject.failing)} <= offered
        assert bool(offered) == bool(subject.succeeding)
        assert NOWHERE not in offered

    async def test_a_call_that_can_be_made_succeeds(self, subject: Subject) -> None:
        for call in subject.succeeding:
            assert isinstance(await subject.tools.call(call, caller_of(call)), ToolSucceeded)

    async def test_a_failure_is_a_result_with_words_for_the_model(self, subject: Subject) -> None:
        for call in (*subject.failing, subject.stray):
            result = await subject.tools.call(call, caller_of(call))
            assert isinstance(result, ToolFailed)
            assert result.why.strip()

    async def test_a_result_bears_the_identity_of_its_call(self, subject: Subject) -> None:
        for call in subject.calls:
            assert (await subject.tools.call(call, caller_of(call))).call_id == call.id

    async def test_calls_may_be_made_at_once(self, subject: Subject) -> None:
        results: list[ToolResult] = []

        async def make(call: ToolCall) -> None:
            results.append(await subject.tools.call(call, caller_of(call)))

        with fail_after(PATIENCE):
            async with create_task_group() as tasks:
                for call in subject.calls:
                    tasks.start_soon(make, call)
        assert {result.call_id for result in results} == {call.id for call in subject.calls}
