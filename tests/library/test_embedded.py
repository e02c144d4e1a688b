"""Agents run inside a program of one's own, on the server's runtime."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.embedded import Embedded, NotDone, Unusable, embedded, openai, scripted
from caxton_adapters.runtime.refusals import ConfigRefused, UnknownAgent
from caxton_core.agent.record import StateName
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.turn import Cancelled
from caxton_core.events import AgentStarted, Event, Observed
from tests.architecture.interpreter import loaded_after
from tests.model_server import ModelServer, model_server
from tests.waiting import until

GREETER = 'name = "greeter"\nsystem_prompt = "You greet."\ncapabilities = ["greeting"]\n'
ECHO = '[[rules]]\ncontains = "boom"\nfail = "service_fault"\n[[rules]]\nanswer = "{{request}}!"\n'
SLOW = f'{ECHO}[streaming]\ndelay = "10m"\n'


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture(params=Isolation)
async def caxton(request: pytest.FixtureRequest) -> AsyncIterator[Embedded]:
    models = {"quick": scripted(ECHO), "slow": scripted(SLOW)}
    async with embedded(models=models, isolation=request.param) as running:
        await running.deploy(GREETER)
        await running.deploy('name = "snail"\nsystem_prompt = "Slow."\nllm_provider = "slow"\n')
        yield running


async def test_a_few_lines_run_an_agent(server: ModelServer) -> None:
    async with embedded(openai("echo", base_url=server.url, api_key="any")) as caxton:
        await caxton.deploy(GREETER)
        answer = await caxton.send("greeter", "Hello")
        assert answer.text == "Hello"
        assert answer.usage.completion_tokens > 0
        again = await caxton.send("greeter", "And now?", answer.conversation)
        assert again.usage.prompt_tokens > answer.usage.prompt_tokens


async def test_an_answer_comes_in_pieces(caxton: Embedded) -> None:
    async with caxton.stream("greeter", "one two three") as answer:
        pieces = [piece async for piece in answer]
        whole = await answer.whole()
    assert len(pieces) > 1
    assert "".join(pieces) == whole.text == "one two three!"


async def test_a_conversation_begins_anew_and_is_forgotten(caxton: Embedded) -> None:
    first = await caxton.send("greeter", "Hello", "talk")
    longer = await caxton.send("greeter", "Hello", "talk")
    assert longer.usage.prompt_tokens > first.usage.prompt_tokens
    for forget in (caxton.reset, caxton.forget):
        await forget("talk", "greeter")
        anew = await caxton.send("greeter", "Hello", "talk")
        assert anew.usage == first.usage
    with pytest.raises(NotDone, match="CX4034"):
        await caxton.reset("no-such")


async def test_what_fails_is_raised_with_its_code(caxton: Embedded) -> None:
    with pytest.raises(NotDone, match="CX5012") as failed:
        await caxton.send("greeter", "boom")
    assert failed.value.code == "CX5012"
    with pytest.raises(NotDone, match="CX5012"):
        async with caxton.stream("greeter", "boom") as answer:
            assert [piece async for piece in answer] == []


async def test_a_wrong_agent_file_is_shown_with_its_lines(caxton: Embedded) -> None:
    with pytest.raises(NotDone, match=r"agent\.toml:3:1") as failed:
        await caxton.deploy('name = "a"\nsystem_prompt = "b"\ntemprature = 1\n')
    assert isinstance(failed.value.why, ConfigRefused)


async def test_an_agent_that_is_not_there_is_said_so(caxton: Embedded) -> None:
    with pytest.raises(NotDone, match="Did you mean greeter") as failed:
        await caxton.send("greter", "Hello")
    assert failed.value.why == UnknownAgent("greter", ("greeter",))


async def test_agents_are_listed_replaced_and_deleted(caxton: Embedded) -> None:
    replaced = await caxton.replace(f"{GREETER}version = '2.0.0'\n", "greeter")
    assert replaced.config is not None
    assert replaced.config.version.value == "2.0.0"
    await caxton.delete("snail")
    assert [(view.name.value, view.state) for view in caxton.agents()] == [
        ("greeter", StateName.RUNNING)
    ]


async def test_who_stops_waiting_cancels_the_message(caxton: Embedded) -> None:
    with anyio.move_on_after(0.1):
        await caxton.send("snail", "Hello")
    await until(lambda: caxton.runtime.in_flight == 0)
    async with caxton.stream("snail", "Hello") as left:
        pass
    with anyio.fail_after(20), pytest.raises(NotDone) as failed:
        await left.whole()
    assert failed.value.why == Cancelled()


async def test_everything_that_happens_is_told(caxton: Embedded) -> None:
    events = caxton.events()
    await caxton.runtime.restart("greeter")
    await caxton.send("greeter", "Hello")
    heard: list[Event] = []
    with anyio.fail_after(20):
        while not any(isinstance(event, Observed) for event in heard):
            heard.append(await anext(events))
    assert any(isinstance(event, AgentStarted) for event in heard)


async def test_an_agents_process_may_be_killed_within_the_program() -> None:
    async with embedded(models={"quick": scripted(ECHO)}, isolation=Isolation.PROCESS) as caxton:
        await caxton.deploy(GREETER)
        await caxton.send("greeter", "Hello")
        pid = caxton.agents()[0].use.pid
        assert pid is not None
        assert pid != os.getpid()
        os.kill(pid, signal.SIGKILL)
        assert (await caxton.send("greeter", "Hello again")).text == "Hello again!"


async def test_agents_that_are_kept_come_back() -> None:
    configs = InMemoryConfigs()
    models = {"quick": scripted(ECHO)}
    async with embedded(models=models, configs=configs) as first:
        await first.deploy(GREETER)
    async with embedded(models=models, configs=configs) as second:
        assert (await second.send("greeter", "Hello")).text == "Hello!"


async def test_nothing_to_ask_is_said_by_name() -> None:
    async with embedded() as caxton:
        await caxton.deploy(GREETER)
        with pytest.raises(NotDone, match="No default provider is configured"):
            await caxton.send("greeter", "Hello")


def test_a_scenario_that_cannot_be_played_is_shown_with_its_lines() -> None:
    with pytest.raises(Unusable, match=r"scenario\.toml:1"):
        scripted("[[rules]]\n")


def test_openais_key_is_found_for_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    ours, other = openai().api_key, openai(base_url="http://127.0.0.1:9/v1").api_key
    assert ours is not None
    assert ours.reveal() == "sk-of-openai"
    assert other is None


def test_a_key_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY_FILE", "/nowhere/key")
    with pytest.raises(Unusable, match="OPENAI_API_KEY_FILE"):
        openai()


def test_it_loads_no_server() -> None:
    loaded = loaded_after("import caxton_adapters.embedded, caxton_adapters.client")
    assert {"litestar", "uvicorn", "openai", "click", "genai_prices"}.isdisjoint(loaded)
    assert "anyio" in loaded


def test_a_program_whose_loop_is_its_own_gets_every_answer_and_every_end() -> None:
    async def program() -> list[str]:
        async with embedded(models={"parrot": scripted(ECHO)}, isolation=Isolation.TASK) as caxton:
            await caxton.deploy(GREETER)
            told = [(await caxton.send("greeter", "Hello")).text]
            async with caxton.stream("greeter", "left early"):
                pass
            with pytest.raises(NotDone):
                await caxton.send("nobody", "Hello")
            told.append((await caxton.send("greeter", "Bye")).text)
            return told

    async def in_time() -> list[str]:
        return await asyncio.wait_for(program(), 20)

    assert asyncio.run(in_time()) == ["Hello!", "Bye!"]


KEEPER = """
name = "keeper"
system_prompt = "You keep."
capabilities = ["keeping"]
tools = ["memory.*"]
[permissions]
ask = ["memory.remember"]
"""
REMEMBERS = """
[[rules]]
contains = "remember"
calls = [{tool = "memory.remember", arguments = {text = "tea"}}]
then = "done: {{result}}"
"""


@pytest.mark.parametrize("approved", [True, False])
async def test_a_program_answers_for_calls_that_wait(approved: bool) -> None:  # noqa: FBT001
    async with embedded(models={"play": scripted(REMEMBERS)}) as caxton:
        await caxton.deploy(KEEPER)
        async with caxton.stream("keeper", "remember") as answer:
            await until(lambda: bool(caxton.approvals()))
            (request,) = caxton.approvals()
            id_ = request.approval.id.value
            await (caxton.approve(id_) if approved else caxton.deny(id_, "not now"))
            text = (await answer.whole()).text
        assert ("not now" in text) != approved
        with pytest.raises(NotDone) as refused:
            await caxton.approve(id_)
        assert refused.value.code == "CX4048"
