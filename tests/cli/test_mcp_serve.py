"""`caxton mcp serve`: agents as tools of another program, whose person is asked."""

from collections.abc import Iterator
from typing import Literal

import anyio
import pytest
from mcp.client import Client, ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult

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


async def test_an_unknown_agent_and_an_empty_message_are_told(keeper: Shell) -> None:
    with anyio.fail_after(60):
        async with Client(offered(keeper, "--agent", "keeper")) as client:
            for name, arguments in (("ask_nobody", {"message": "x"}), ("ask_keeper", {})):
                answer = await client.call_tool(name, arguments)
                assert answer.is_error


def test_without_a_server_the_command_ends(shell: Shell) -> None:
    assert shell.run("mcp", "serve").code == 3
