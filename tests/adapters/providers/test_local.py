"""Real weights answer: the smallest model that there is, on this machine, without a key."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import psutil
import pytest
from attrs import evolve
from returns.result import Failure, Success

from caxton_adapters.providers.emulation.model import WithTools
from caxton_adapters.providers.local import model as local_model
from caxton_adapters.providers.local.model import EXTRA_MISSING, Local
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings
from caxton_adapters.testing.model import ModelContract, Subject, question
from caxton_core.conversation.message import SystemMessage, UserMessage
from caxton_core.conversation.model import (
    ContextTooLong,
    Healthy,
    JsonSchemaFormat,
    ModelNotFound,
    ModelRequest,
    Sampling,
    ToolSupport,
)
from caxton_core.primitives import Duration, JsonObject, ProviderName, TokenCount, ToolName
from caxton_core.tools.tool import Tool, ToolCall
from tests.waiting import PATIENCE, until
from tests.weights import CHECKSUM, small_weights

BRIEF = Sampling(max_tokens=TokenCount(24), temperature=0.0, seed=1)
CITY = JsonObject.of(
    {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Oslo"]}},
        "required": ["city"],
        "additionalProperties": False,
    }
)
WEATHER = Tool(ToolName("weather.today"), "Tells the weather of a city.", CITY)
CALLING = ModelRequest(
    (SystemMessage("You are helpful."), UserMessage("Use the tool weather.today for Oslo.")),
    tools=(WEATHER,),
    sampling=Sampling(max_tokens=TokenCount(60), temperature=0.0, seed=1),
)


@pytest.fixture(scope="session")
def weights() -> Path:
    return small_weights()


def settings(weights: Path) -> ProviderSettings:
    return ProviderSettings(name=ProviderName("local"), kind=ProviderKind.LOCAL, model_path=weights)


@pytest.fixture(scope="module")
async def local(weights: Path) -> AsyncIterator[Local]:
    model = Local(settings(weights))
    await model.prepare()
    yield model
    await model.aclose()


def brief(text: str) -> ModelRequest:
    return evolve(question(text), sampling=BRIEF)


class TestLocalKeepsThePromises(ModelContract):
    @pytest.fixture(autouse=True, scope="session")
    @classmethod
    def anyio_backend(cls) -> str:
        return "asyncio"

    @pytest.fixture
    def subject(self, local: Local) -> Subject:
        endless = Sampling(max_tokens=TokenCount(4_000), temperature=1.0, seed=1)
        return Subject(
            WithTools(local),
            plain=brief("Say hello to me."),
            slow=evolve(question("Tell me a very long story."), sampling=endless),
            unanswerable=question("far too long " * 10_000),
            tools=CALLING,
            structured=evolve(brief("Where?"), response_format=JsonSchemaFormat("city", CITY)),
        )


async def test_what_does_not_fit_is_said_so(local: Local) -> None:
    answer = await local.complete(question("far too long " * 10_000))
    assert isinstance(answer, Failure)
    assert isinstance(answer.failure(), ContextTooLong)


async def test_its_tools_are_found_to_need_emulation_and_work(local: Local) -> None:
    capabilities = await local.capabilities()
    assert isinstance(capabilities, Success)
    assert capabilities.unwrap().tools is ToolSupport.EMULATED
    assert capabilities.unwrap().context_length == TokenCount(8192)
    answer = await WithTools(local).complete(CALLING)
    assert isinstance(answer, Success)
    oslo = JsonObject.of({"city": "Oslo"})
    assert answer.unwrap().calls == (ToolCall("call_1", WEATHER.name, oslo),)


async def test_the_loop_runs_while_the_weights_are_loaded(weights: Path) -> None:
    model = Local(settings(weights))
    told: list[object] = []

    async def watch() -> None:
        last = anyio.current_time()
        while True:
            await anyio.lowlevel.checkpoint()
            told.append(anyio.current_time() - last)
            last = anyio.current_time()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        answer = await model.complete(brief("Hello"))
        tasks.cancel_scope.cancel()
    await model.aclose()
    assert isinstance(answer, Success)
    assert len(told) > 1000


async def test_it_comes_back_after_its_process_was_killed(weights: Path) -> None:
    model = Local(settings(weights))
    assert isinstance(await model.complete(brief("Hello")), Success)
    killed = model._child
    assert killed is not None
    killed.process.kill()
    with anyio.fail_after(PATIENCE):
        await killed.process.wait()
        assert isinstance(await model.complete(brief("Hello")), Success)
    await model.aclose()


async def test_closing_ends_the_process(weights: Path) -> None:
    model = Local(settings(weights))
    await model.prepare()
    child = model._child
    assert child is not None
    await model.aclose()
    assert child.process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(child.process.pid, 0)


async def test_a_caller_who_gives_up_leaves_the_loading_to_the_next(weights: Path) -> None:
    model = Local(settings(weights))
    with anyio.move_on_after(0.05):
        await model.complete(brief("Hello"))
    begun = model._child
    assert isinstance(await model.complete(brief("Hello")), Success)
    assert begun is None or begun is model._child
    await model.aclose()


async def test_loading_counts_towards_the_requests_time(weights: Path) -> None:
    model = Local(settings(weights))
    answer = await model.complete(evolve(brief("Hello"), timeout=Duration(0.001)))
    assert isinstance(answer, Failure)
    await model.aclose()


async def test_health_does_not_load_the_weights(weights: Path) -> None:
    model = Local(settings(weights))
    assert await model.health() == Success(Healthy((weights.stem,)))
    assert model._child is None


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.setattr(local_model, "find_spec", lambda _: None)


@pytest.mark.usefixtures("without_the_extra")
async def test_without_the_library_it_says_what_to_install(weights: Path) -> None:
    model = Local(settings(weights))
    failure = Failure(ModelNotFound(weights.stem, EXTRA_MISSING))
    assert await model.complete(brief("Hello")) == failure
    assert await model.health() == failure
    assert "pip install 'caxton[local]'" in EXTRA_MISSING


async def test_weights_that_are_not_there_or_are_no_weights_are_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.gguf"
    failure = Failure(ModelNotFound("absent", f"no file at {absent}"))
    assert await Local(settings(absent)).complete(brief("Hello")) == failure
    wrong = tmp_path / "wrong.gguf"
    wrong.write_text("these are no weights")
    answer = await Local(settings(wrong)).complete(brief("Hello"))
    assert isinstance(answer, Failure)
    assert "llama.cpp cannot load" in str(answer.failure())


async def test_weights_with_another_checksum_are_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_text("something else")
    model = Local(evolve(settings(path), checksum="0" * 64))
    answer = await model.complete(brief("Hello"))
    assert answer == Failure(ModelNotFound("m", f"{path} does not have the pinned `checksum`"))


async def test_weights_with_their_checksum_are_loaded(weights: Path) -> None:
    model = Local(evolve(settings(weights), checksum=CHECKSUM.upper()))
    assert isinstance(await model.prepare(), Success)
    await model.aclose()


def runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


PARENT = """
import sys, anyio
from pathlib import Path
from caxton_adapters.providers.local.model import Local
from tests.adapters.providers.test_local import settings

async def main():
    model = Local(settings(Path(sys.argv[1])))
    await model.prepare()
    print(model._child.process.pid, flush=True)
    await anyio.sleep_forever()

anyio.run(main)
"""


async def test_its_process_does_not_outlive_a_killed_server(weights: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(weights)]
    async with await anyio.open_process(command) as parent:
        assert parent.stdout is not None
        with anyio.fail_after(60):
            child = int(await parent.stdout.receive())
        assert runs(child)
        parent.kill()
        await parent.wait()
    await until(lambda: not runs(child))
