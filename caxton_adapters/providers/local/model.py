"""The `Model` port over weights on this machine: the OpenAI adapter, spoken to a child process."""

import json
import logging
import os
import secrets
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import final

import anyio
from anyio.abc import Process
from attrs import define, evolve
from platformdirs import user_cache_path
from returns.result import Failure, Result, Success

from caxton_adapters.providers.local.weights import (
    Download,
    DownloadFailure,
    NotDownloaded,
    NotStored,
    Progress,
    WeightsTooLarge,
    WrongChecksum,
    fetch,
    is_pinned,
)
from caxton_adapters.providers.openai.model import OpenAI, openai_model
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings, Transport
from caxton_adapters.secrets import Secret
from caxton_core.conversation.model import (
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelNotFound,
    ModelRequest,
    Phase,
    TextDelta,
    TimedOut,
    Unreachable,
)
from caxton_core.ports import Answer
from caxton_core.primitives import Duration, ModelName

EXTRA_MISSING = "the library that runs models is not installed: pip install 'caxton[local]'"
SLOWEST_LOADING = 600.0
GRACE = 2.0
_log = logging.getLogger(__name__)


@final
@define
class _Child:
    """The process that serves the model; `service` is there when it has loaded."""

    process: Process
    key: Secret
    said: bytes = b""
    service: OpenAI | None = None


@final
class Local:
    """Weights on this machine; they are loaded when the first answer is wanted."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._starting = anyio.Lock()
        self._child: _Child | None = None
        self._doing = ""

    async def complete(self, request: ModelRequest) -> Answer:
        """The whole answer, or why there is none."""
        began = anyio.current_time()
        ready = await self._ready_within(request.timeout.value)
        if isinstance(ready, Failure):
            return ready
        return await ready.unwrap().complete(_shortened(request, began))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Answer]:
        """The answer piece by piece."""
        began = anyio.current_time()
        ready = await self._ready_within(request.timeout.value)
        if isinstance(ready, Failure):
            yield ready
            return
        async with aclosing(ready.unwrap().stream(_shortened(request, began))) as pieces:
            async for piece in pieces:
                yield piece

    async def capabilities(
        self, model: ModelName | None = None
    ) -> Result[ModelCapabilities, ModelFailure]:
        """What the weights' own chat template allows."""
        ready = await self._ready_within(SLOWEST_LOADING)
        if isinstance(ready, Failure):
            return ready
        return await ready.unwrap().capabilities(model)

    async def health(self) -> Result[Healthy, ModelFailure]:
        """Whether the model answers, or could if it was asked; never waits for the loading."""
        child = self._child
        if child is not None and child.service is not None and _is_alive(child):
            return await child.service.health()
        if self._doing:
            return Failure(Unreachable(self._name, self._doing))
        missing = self._missing()
        return Success(Healthy((self._name,))) if missing is None else Failure(missing)

    async def prepare(self) -> Result[None, ModelFailure]:
        """Load the weights before anybody asks."""
        ready = await self._ready_within(SLOWEST_LOADING)
        return ready if isinstance(ready, Failure) else Success(None)

    async def aclose(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is None:
            return
        with anyio.CancelScope(shield=True):
            if child.service is not None:
                await child.service.aclose()
            await _ended(child.process)

    @property
    def _name(self) -> str:
        path = self._settings.model_path
        if self._settings.model is not None:
            return self._settings.model.value
        return "local" if path is None else path.stem.replace(" ", "-")

    def _missing(self) -> ModelNotFound | None:
        if find_spec("xllamacpp") is None:
            return ModelNotFound(self._name, EXTRA_MISSING)
        path = self._settings.model_path
        if self._settings.model_url is None and (path is None or not path.is_file()):
            where = "the settings name no `model_path`" if path is None else f"no file at {path}"
            return ModelNotFound(self._name, where)
        if self._settings.model_url is not None and self._settings.checksum is None:
            return ModelNotFound(self._name, "`model_url` needs a `checksum`")
        return None

    async def _ready_within(self, seconds: float) -> Result[OpenAI, ModelFailure]:
        child = self._child
        if child is not None and child.service is not None and _is_alive(child):
            return Success(child.service)
        with anyio.move_on_after(seconds):
            async with self._starting:
                try:
                    return await self._ready()
                finally:
                    self._doing = ""
        return Failure(TimedOut(Phase.TOTAL, seconds))

    async def _ready(self) -> Result[OpenAI, ModelFailure]:
        """The service, brought up if need be; whoever waits next goes on where one gave up."""
        child = self._child
        if child is None or not _is_alive(child):
            await self.aclose()
            missing = self._missing()
            if missing is not None:
                return Failure(missing)
            weights = await self._weights()
            if isinstance(weights, Failure):
                return weights
            with anyio.CancelScope(shield=True):  # a process that starts is kept or ended
                child = self._child = await self._spawned(weights.unwrap())
            assert child is not None
        if child.service is None:
            self._doing = "the weights are being loaded"
            url = await self._address(child)
            if isinstance(url, Failure):
                await self.aclose()
                return url
            child.service = openai_model(self._inner(url.unwrap(), child.key))
        return Success(child.service)

    async def _weights(self) -> Result[Path, ModelFailure]:
        settings = self._settings
        if settings.model_url is None or settings.checksum is None:
            return await self._checked(settings.model_path or Path(), settings.checksum)
        cached = user_cache_path("caxton") / "models" / f"{settings.checksum}.gguf"
        download = Download(settings.model_url, settings.checksum)
        fetched = await fetch(download, settings.model_path or cached, self._watch)
        if isinstance(fetched, Failure):
            return Failure(ModelNotFound(self._name, told(fetched.failure())))
        return fetched

    async def _checked(self, path: Path, checksum: str | None) -> Result[Path, ModelFailure]:
        if checksum is None or await is_pinned(path, checksum):
            return Success(path)
        return Failure(ModelNotFound(self._name, f"{path} does not have the pinned `checksum`"))

    def _watch(self, progress: Progress) -> None:
        doing = f"the weights are being downloaded: {share(progress)}"
        if doing != self._doing:
            _log.info("%s: %s", self._name, doing)
        self._doing = doing

    async def _spawned(self, weights: Path) -> _Child:
        key = secrets.token_urlsafe(32)
        process = await anyio.open_process(
            [sys.executable, "-m", "caxton_adapters.providers.local.serving"],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
        )
        asked = {"path": str(weights), "name": self._name, "key": key, "threads": _threads()}
        if process.stdin is not None:
            await process.stdin.send(json.dumps(asked).encode() + b"\n")
        return _Child(process, Secret(key))

    async def _address(self, child: _Child) -> Result[str, ModelFailure]:
        try:
            while b"\n" not in child.said and child.process.stdout is not None:
                child.said += await child.process.stdout.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return Failure(ModelNotFound(self._name, "llama.cpp ended while it was loading"))
        said = json.loads(child.said)
        if "error" in said:
            why = f"llama.cpp cannot load {self._settings.model_path}: {said['error']}"
            return Failure(ModelNotFound(self._name, why))
        return Success(str(said["url"]))

    def _inner(self, url: str, key: Secret) -> ProviderSettings:
        return evolve(
            self._settings,
            kind=ProviderKind.OPENAI_COMPATIBLE,
            transport=Transport.LEAN,
            base_url=f"{url}/v1",
            api_key=key,
            model=ModelName(self._name),
        )


def told(failure: DownloadFailure) -> str:
    """A failed download in a sentence."""
    match failure:
        case NotDownloaded(url, why):
            return f"{url} could not be downloaded: {why}"
        case WrongChecksum(url, expected, found):
            return f"{url} has the SHA-256 {found}, not {expected}; it was thrown away"
        case WeightsTooLarge(url, size, limit):
            return f"{url} has {size} bytes, and at most {limit} are allowed"
        case NotStored(path, why):
            return f"{path} cannot be written: {why}"


def share(progress: Progress) -> str:
    """How far a download is, in steps that are worth a line."""
    if progress.total:
        return f"{10 * (10 * progress.done // progress.total)} %"
    return f"{progress.done // 10_000_000 * 10} MB"


def _shortened(request: ModelRequest, began: float) -> ModelRequest:
    """The request with what loading has left of its time."""
    passed = int((anyio.current_time() - began) * 1000)
    if not passed:
        return request
    left = max(1, round(request.timeout.value * 1000) - passed)
    return evolve(request, timeout=Duration(left / 1000))


def _is_alive(child: _Child) -> bool:
    return child.process.returncode is None


def _threads() -> int:
    """Half of the cores: llama.cpp's threads spin, and beside busy neighbours they starve."""
    return max(1, (os.cpu_count() or 1) // 2)


async def _ended(process: Process) -> None:
    if process.returncode is None and process.stdin is not None:
        await process.stdin.aclose()
        with anyio.move_on_after(GRACE):
            await process.wait()
    if process.returncode is None:
        process.kill()
    await process.aclose()
