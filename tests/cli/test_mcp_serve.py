"""`caxton mcp serve`: agents as tools of another program, whose person is asked."""

import json
from collections.abc import Iterator
from typing import Literal

import anyio
import pytest
from mcp.client import Client, ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp_types import (
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    InputRequiredResult,
    InputResponses,
)

from caxton_cli.agent_tools import MOST_QUESTIONS
from tests.cli.command import CAXTON, Shell

SCENARIO = """
[[rules]]
contains = "remember"
calls = [{tool = "memory.remember", arguments = {text = "tea", key = "drink"}}]
then = "done: {{result}}"

[[rules]]
answer = "You said: {{request}}"
"""
KEEPER = """
name = "keeper"
description = "Keeps things."
capabilities = ["keeping"]
system_prompt = "You keep."
tools = ["memory.*"]
[permissions]
ask = ["memory.remember"]
"""
REMEMBER = {"message": "remember tea"}
AGREED: InputResponses = {"consent": ElicitResult(action="accept", content={"decision": "approve"})}
Wire = Literal["legacy", "auto"]
both_wires = pytest.mark.parametrize("mode", ["legacy", "auto"])


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = Shell(tmp_path_factory.mktemp("keeper"))
    shell.write("caxton.toml", '[providers.play]\nkind = "scripted"\nscenario = "scenario.toml"\n')
    shell.write("scenario.toml", SCENARIO)
    shell.write("keeper.toml", KEEPER)
    assert shell.run("server", "start", "--port", "0").code == 0
    assert shell.run("deploy", "keeper.toml").code == 0
    yield shell
    assert shell.run("server", "stop", "--force").code in (0, 3)


def offered(shell: Shell, *arguments: str) -> StdioServerParameters:
    command = ["mcp", "serve", *arguments]
    return StdioServerParameters(
        command=str(CAXTON), args=command, env=shell.environ(), cwd=shell.directory
    )


def text_of(result: CallToolResult) -> str:
    assert result.content[0].type == "text"
    return result.content[0].text


@both_wires
async def test_agents_are_tools_that_answer(keeper: Shell, mode: Wire) -> None:
    with anyio.fail_after(60):
        async with Client(offered(keeper), mode=mode) as client:
            tools = (await client.list_tools()).tools
            assert [(tool.name, tool.description) for tool in tools] == [
                ("ask_keeper", "Keeps things.")
            ]
            answer = await client.call_tool("ask_keeper", {"message": "hello"})
            assert text_of(answer) == "You said: hello"


@both_wires
@pytest.mark.parametrize(("decision", "said"), [("approve", "remembered"), ("deny", "refused")])
async def test_the_person_of_the_other_program_is_asked(
    keeper: Shell, mode: Wire, decision: str, said: str
) -> None:
    questions: list[str] = []

    async def person(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context
        assert isinstance(params, ElicitRequestFormParams)
        questions.append(params.message)
        return ElicitResult(action="accept", content={"decision": decision})

    with anyio.fail_after(60):
        async with Client(offered(keeper), mode=mode, elicitation_callback=person) as client:
            answer = await client.call_tool("ask_keeper", {"message": "remember tea"})
    assert len(questions) == 1
    assert questions[0].startswith("keeper wants to call memory.remember")
    assert text_of(answer).startswith("done: ")
    assert said in text_of(answer)


async def nobody(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """A person who is there, and is not asked: the test answers itself."""
    del context, params
    raise AssertionError


async def opened(client: Client) -> str:
    """The state of a question that waits for its answer."""
    asked = await client.session.call_tool("ask_keeper", REMEMBER, allow_input_required=True)
    assert isinstance(asked, InputRequiredResult)
    assert asked.request_state is not None
    return asked.request_state


def sent(shell: Shell) -> int:
    """How many messages the agents were sent."""
    return len(json.loads(shell.run("messages", "list", "--json").out)["messages"])


async def test_an_answer_that_comes_again_says_nothing_to_the_agent(keeper: Shell) -> None:
    with anyio.fail_after(60):
        async with Client(offered(keeper), mode="auto", elicitation_callback=nobody) as client:
            state, before = await opened(client), sent(keeper)
            answers = [
                await client.call_tool(
                    "ask_keeper", REMEMBER, input_responses=AGREED, request_state=known
                )
                for known in (state, state, "unknown", None)
            ]
    assert [answer.is_error for answer in answers] == [False, True, True, True]
    assert "remembered" in text_of(answers[0])
    assert sent(keeper) == before


async def test_of_too_many_open_questions_the_oldest_is_given_up(keeper: Shell) -> None:
    with anyio.fail_after(60):
        async with Client(offered(keeper), mode="auto", elicitation_callback=nobody) as client:
            states = [await opened(client) for _ in range(MOST_QUESTIONS + 1)]
            answers = [
                await client.call_tool(
                    "ask_keeper", REMEMBER, input_responses=AGREED, request_state=state
                )
                for state in states
            ]
    assert [answer.is_error for answer in answers] == [True] + [False] * MOST_QUESTIONS


async def test_an_unknown_agent_and_an_empty_message_are_told(keeper: Shell) -> None:
    with anyio.fail_after(60):
        async with Client(offered(keeper, "--agent", "keeper")) as client:
            for name, arguments in (("ask_nobody", {"message": "x"}), ("ask_keeper", {})):
                answer = await client.call_tool(name, arguments)
                assert answer.is_error


def test_an_agent_that_is_not_there_ends_the_command(keeper: Shell) -> None:
    refused = keeper.run("mcp", "serve", "--agent", "keeper", "--agent", "keper")
    assert (refused.code, refused.out) == (1, "")
    assert "CX4001" in refused.err
    assert "No agent is called keper. Did you mean keeper?" in refused.err


HELLO = {
    "jsonrpc": "2.0",
    "id": 7,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def test_a_line_that_is_no_message_is_answered_and_the_next_one_too(keeper: Shell) -> None:
    lines = ("no json", "", '{"a": 1}', "[" * 5000, json.dumps(HELLO))
    served = keeper.run("mcp", "serve", stdin="".join(f"{line}\n" for line in lines))
    assert served.code == 0, served.err
    answers = [json.loads(line) for line in served.out.splitlines()]
    told = [(answer["id"], answer.get("error", {}).get("code")) for answer in answers]
    assert told == [(None, -32700), (None, -32600), (None, -32700), (7, None)]
    assert "Traceback" not in served.err


def test_without_a_server_the_command_ends(shell: Shell) -> None:
    assert shell.run("mcp", "serve").code == 3
