"""A page as something to run: what becomes of a block is said by its language."""

import configparser
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from returns.result import Failure, Result
from sybil import Document, Example, Region
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.settings.written import SettingsFile
from caxton_core.agent.policy.file import read_policy
from caxton_core.agent.toml import read_agent
from caxton_core.reading.tables import read
from caxton_core.reading.toml_text import parse_toml
from tests.docs.shell import Shell

INFO = re.compile(r"(?P<language>[\w-]*)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*$\n", re.MULTILINE)

OPENAI: Final = "[providers.openai]"
"""Who reads a page asks OpenAI; here something else answers at its address."""

InThePage: TypeAlias = Callable[[Example, Shell], str | None]


def _in_python(example: Example, shell: Shell) -> str | None:
    """Run, or kept as the file of the title for what runs it later."""
    if not _kept(example, shell):
        PythonEvaluator()(example)
    return None


def _in_toml(example: Example, shell: Shell) -> str | None:
    """Read as settings, policy or scenario where the title says so, else as an agent file."""
    _kept(example, shell)
    source = str(example.parsed)
    match example.region.lexemes["title"]:
        case "caxton.toml":
            return _what_is_wrong(parse_toml(source).bind(lambda table: read(SettingsFile, table)))
        case "policy.toml":
            return _what_is_wrong(read_policy(source))
        case "scenario.toml":
            return _what_is_wrong(read_scenario(source))
        case _:
            return _what_is_wrong(read_agent(source))


def _what_is_wrong(result: Result[object, object]) -> str | None:
    return str(result.failure()) if isinstance(result, Failure) else None


def _in_json(example: Example, _: Shell) -> str | None:
    json.loads(str(example.parsed))
    return None


def _in_ini(example: Example, shell: Shell) -> str | None:
    _kept(example, shell)
    configparser.ConfigParser(strict=False).read_string(str(example.parsed))
    return None


def _in_console(example: Example, shell: Shell) -> str | None:
    return shell.follow(str(example.parsed))


def _in_sh(example: Example, _: Shell) -> str | None:
    command = ["bash", "-n"]
    parsed = subprocess.run(
        command, input=str(example.parsed), capture_output=True, text=True, check=False
    )
    return parsed.stderr or None


def _in_text(example: Example, shell: Shell) -> str | None:
    _kept(example, shell)
    return None


def _kept(example: Example, shell: Shell) -> bool:
    title = example.region.lexemes["title"]
    if title:
        text = str(example.parsed).replace(OPENAI, f'{OPENAI}\nbase_url = "{shell.openai}"')
        path = shell.work / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return bool(title)


BY_LANGUAGE: Final[Mapping[str, InThePage]] = {
    "console": _in_console,
    "ini": _in_ini,
    "json": _in_json,
    "python": _in_python,
    "sh": _in_sh,
    "text": _in_text,
    "toml": _in_toml,
}


def blocks_of(page: Path, shell: Shell) -> Iterable[Example]:
    """Every fenced block of the page as an example; a language that nobody runs is an error."""

    def parse(document: Document) -> Iterable[Region]:
        for region in RawFencedCodeBlockLexer(INFO)(document):
            run = BY_LANGUAGE[region.lexemes["language"]]
            region.parsed = region.lexemes["source"]
            region.evaluator = lambda example, run=run: run(example, shell)
            yield region

    return Document.parse(str(page), parse).examples()
