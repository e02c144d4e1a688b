"""A newcomer's machine for each page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.shell import Shell
from tests.model_server import ModelServer, model_server


@pytest.fixture(scope="session")
def openai() -> Iterator[ModelServer]:
    """What answers in the place of OpenAI."""
    with model_server() as server:
        yield server


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openai: ModelServer) -> Iterator[Shell]:
    """A shell in an empty folder with an empty home; no server that it started outlives it."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.chdir(work)
    shell = Shell(home, work, openai.url)
    yield shell
    if any(home.rglob("caxton.pid")):
        shell.run("caxton server stop")
