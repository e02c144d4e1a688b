"""`caxton demo`: from nothing to an answer, with everything shown on the way."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import click

from caxton_cli import exits
from caxton_cli.client import Caller
from caxton_cli.leaving import Leave
from caxton_cli.printing import styled
from caxton_cli.running import started_server, stopped
from caxton_cli.turn import Turn, shown

MESSAGE = "Hello, nice to meet you! Who are you?"
TEMPLATES = files("caxton_cli") / "templates" / "demo"
START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0


class Answering(NamedTuple):
    """Who answers in the demonstration: in words, and as a provider of the settings."""

    says: str
    table: str
    provider: str = "demo"

    def settings(self) -> str:
        """The settings file in which it is the only choice."""
        return f'default_provider = "{self.provider}"\n\n[providers.{self.provider}]\n{self.table}'


@click.command()
@click.option("--base-url", help="Ask a model at this address (any OpenAI-compatible service).")
@click.option("--model", help="Ask this model.")
@click.option(
    "--local",
    "weights",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Run a model inside the server, from this GGUF file.",
)
@click.option("--message", default=MESSAGE, help="Say something else.")
def demo(*, base_url: str | None, model: str | None, weights: Path | None, message: str) -> int:
    """See an agent answer, from nothing: a server, an agent file, a message, its answer.

    With OPENAI_API_KEY, --base-url or --local a real model answers. Otherwise an embedded
    provider does, from a script, without a key and without a network.
    """
    with _scratch() as directory:
        answering = _answering(directory, base_url, model, weights)
        _step(1, "A server", f"in {directory}, on a free port; {answering.says}")
        with _server(directory, answering) as url:
            print(f"   answers at {url}")
            _agent(url)
            _conversation(url, message)
        _step(4, "The end", "the server has finished its work and is gone")
    _next_steps()
    return exits.DONE


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder that goes with the demonstration, unless the reason why it failed points there."""
    directory = Path(tempfile.mkdtemp(prefix="caxton-demo-"))
    needed = False
    try:
        yield directory
    except Leave as leave:
        needed = str(directory) in leave.hint
        raise
    finally:
        if not needed:
            shutil.rmtree(directory)


def _answering(
    directory: Path, base_url: str | None, model: str | None, weights: Path | None
) -> Answering:
    named = f"model = {_quoted(model)}\n" if model else ""
    if weights is not None:
        says = f"the model in {weights.name} answers, inside the server"
        path = _quoted(str(weights.absolute()))
        return Answering(says, f'kind = "local"\nmodel_path = {path}\n{named}')
    address = base_url or os.environ.get("OPENAI_BASE_URL")
    if address:
        key = 'api_key = "${OPENAI_API_KEY}"\n' if os.environ.get("OPENAI_API_KEY") else ""
        table = f'kind = "openai-compatible"\nbase_url = {_quoted(address)}\n{key}{named}'
        return Answering(f"{model or 'a model'} at {address} answers", table)
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_API_KEY_FILE"):
        return Answering(f"OpenAI's {model or 'default model'} answers", named, "openai")
    scenario = directory / "scenario.toml"
    scenario.write_text((TEMPLATES / "scenario.toml").read_text("utf-8"), "utf-8")
    says = "no model is configured, so its embedded scripted provider answers"
    return Answering(says, f'kind = "scripted"\nscenario = {_quoted(str(scenario))}\n')


@contextmanager
def _server(directory: Path, answering: Answering) -> Iterator[str]:
    (directory / "caxton.toml").write_text(answering.settings(), "utf-8")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("CAXTON_")}
    flags = [f"--config={directory / 'caxton.toml'}", f"--data-dir={directory / 'data'}"]
    environ = {**kept, "CAXTON_HOME": str(directory)}
    ready = started_server([*flags, "--port=0"], directory / "data", environ, START_TIMEOUT)
    try:
        yield ready.url
    finally:
        stopped(ready.pid, directory / "data", STOP_TIMEOUT)


def _agent(url: str) -> None:
    text = (TEMPLATES / "greeter.toml").read_text("utf-8")
    _step(2, "An agent", "this file is all of it:")
    for line in text.splitlines():
        print(f"   {styled('|', 'cyan', sys.stdout)} {line}".rstrip())
    answer = Caller(url, None).call("POST", "/agents", text).document
    print(f"   deployed: {answer['name']} is {answer['state']}")


def _conversation(url: str, message: str) -> None:
    _step(3, "A message", message)
    sys.stdout.write(f"   {styled('greeter', 'green', sys.stdout)}: ")
    answer = shown(Turn(Caller(url, None), "greeter", message, None), _write)
    usage = answer.get("usage")
    tokens = usage if isinstance(usage, dict) else {}
    print(f"\n   ({tokens.get('prompt_tokens')} + {tokens.get('completion_tokens')} tokens)")


def _next_steps() -> None:
    print(
        "\nNow yours:\n"
        "  caxton server start          a server that stays\n"
        "  caxton init hello            an agent file with comments\n"
        "  caxton deploy hello.toml\n"
        "  caxton chat hello\n"
        "A real model: export OPENAI_API_KEY=... before the server starts,\n"
        "or try one here: caxton demo --base-url http://127.0.0.1:11434/v1 --model NAME"
    )


def _step(number: int, title: str, says: str) -> None:
    print(f"\n{styled(f'{number}. {title}', 'cyan', sys.stdout)}: {says}")


def _write(piece: str) -> None:
    sys.stdout.write(piece.replace("\n", "\n   "))
    sys.stdout.flush()


def _quoted(text: str) -> str:
    from caxton_core.reading.written import toml_value

    return toml_value(text)
